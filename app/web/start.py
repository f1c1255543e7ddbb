"""app.web.start: what must hold before the server is even loaded, then the server."""

import os
import sys
from pathlib import Path

from app.web.address import ADDRESS, ENVIRONMENT, config_files, refuse_busy_port, refuse_other_addresses


def run(project: Path, port: int, host: str = ADDRESS) -> None:
    """Serve a project on 127.0.0.1 until Ctrl-C.

    Raises:
        InputError: another address is asked for anywhere, the port is taken, or the project cannot be opened.
    """
    # the person's, the folder's, the launcher's and the page script's, which lies beside this module
    launcher, script = Path(sys.argv[0]).resolve().parent, Path(__file__).parent
    refuse_other_addresses(host, os.environ, config_files(Path.home(), Path.cwd(), launcher, script))
    refuse_busy_port(port)
    # Streamlit reads its environment when it is imported; what was harmless there must not stand above us
    os.environ.pop(ENVIRONMENT, None)
    os.environ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "false"
    # a moment's wait, so that a refusal does not have to wait for it
    from app.web.server import open_context, serve

    context = open_context(project)
    try:
        serve(context, port)
    finally:
        context.project.close()
