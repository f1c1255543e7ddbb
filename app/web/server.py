"""app.web.server: puts the app together and runs it on 127.0.0.1; one process, one port, one project."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from app.services.project import open_project
from app.services.site_book import SiteBook
from app.web import context as app_context
from app.web.access import Access
from app.web.address import ADDRESS, refuse_busy_port
from app.web.context import AppContext
from app.web.guards import Guards, inline_script_hashes
from app.web.label_routes import label_routes
from app.web.routes import http_error, map_routes

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
        exception_handlers={HTTPException: http_error},
        middleware=[
            Middleware(Guards, script_hashes=hashes),
            Middleware(Access, principal=lambda: app_context.current().principal),
        ],
    )


def serve(context: AppContext, port: int) -> None:
    """Serve until Ctrl-C. Raises `InputError` where the port was taken in the meantime."""
    app = build(context)
    try:
        app.run(config=settings(port))
    except SystemExit as stopped:
        # Streamlit ends the process by itself when it finds the port taken
        if stopped.code == 1:
            refuse_busy_port(port)
        raise


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
