"""app.web.server: puts the app together and runs it on 127.0.0.1; one process, one port, one project."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from app.services.project import open_project
from app.services.site_book import SiteBook
from app.web import context as app_context
from app.web.access import Access
from app.web.address import ADDRESS, config_files, refuse_busy_port, refuse_other_addresses
from app.web.context import AppContext
from app.web.guards import Guards, inline_script_hashes
from app.web.label_routes import label_routes
from app.web.routes import map_routes

SCRIPT = Path(__file__).with_name("script.py")


def open_context(folder: Path) -> AppContext:
    """Open a project folder for the app; an empty folder becomes an empty project.

    Raises:
        InputError: it is no project, or its store cannot be opened.
    """
    empty = folder.is_dir() and not any(folder.iterdir())
    project = open_project(folder, create=empty)
    return AppContext(project, SiteBook(project.store))


def build(context: AppContext) -> st.App:
    """The whole app: Streamlit's pages, the map's routes and the labelling page, behind guards and access."""
    app_context.install(context)

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[None]:
        port = st.get_option("server.port")
        print(f"kilnlight: open http://{ADDRESS}:{port}/ in a browser; Ctrl-C ends it.", flush=True)
        yield

    page = Path(st.__file__).parent / "static" / "index.html"
    hashes = inline_script_hashes(page.read_text(encoding="utf-8"))
    return st.App(
        SCRIPT,
        lifespan=lifespan,
        routes=[*map_routes(context), *label_routes(context)],
        middleware=[
            Middleware(Guards, script_hashes=hashes),
            Middleware(Access, principal=lambda: app_context.current().principal),
        ],
    )


def run(project: Path, port: int, host: str = ADDRESS) -> None:
    """Serve a project until Ctrl-C.

    Raises:
        InputError: another address is asked for anywhere, the port is taken, or the project cannot be opened.
    """
    launcher = Path(sys.argv[0]).resolve().parent
    refuse_other_addresses(host, os.environ, config_files(Path.home(), Path.cwd(), launcher))
    refuse_busy_port(port)
    context = open_context(project)
    # Streamlit asks the environment before it asks us in a few places
    os.environ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] = "false"
    os.environ.pop("STREAMLIT_SERVER_ADDRESS", None)
    try:
        build(context).run(config=settings(port))
    finally:
        context.project.close()


def settings(port: int) -> dict[str, object]:
    """Streamlit's settings; given here, they stand above every file and the environment."""
    return {
        "server.address": ADDRESS,
        "server.port": port,
        "server.headless": True,
        "server.baseUrlPath": "",
        "server.enableCORS": True,
        "server.corsAllowedOrigins": [],
        "server.enableXsrfProtection": True,
        "server.enableStaticServing": False,
        "server.enableAgentApi": False,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "browser.serverAddress": ADDRESS,
        "browser.gatherUsageStats": False,
        "global.developmentMode": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "logger.hideWelcomeMessage": True,
        "theme.base": "light",
        "theme.primaryColor": "#a8441f",
        "theme.backgroundColor": "#fffdf9",
        "theme.secondaryBackgroundColor": "#f4f1ea",
        "theme.textColor": "#2b2622",
        "theme.linkColor": "#0b5cab",
        "theme.baseRadius": "6px",
    }
