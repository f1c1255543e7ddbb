"""app.web.routes: the addresses of the map beside Streamlit's own; thin skins over the services.

Who may use them is decided before (`app.web.access`). Errors are JSON with one sentence.
"""

import base64
import hashlib
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app.i18n import _
from app.services import coverage_layer, exports
from app.services.export_html import export_html
from app.services.overlay import picture_svg
from app.services.selection import Selection, by_doubt, from_query, select
from app.web.context import AppContext
from app.web.print_page import list_page, site_page
from geodata.errors import InputError
from geodata.store.records import Site

Handler = Callable[[AppContext, Request], Response]
_NO_CACHE = {"Cache-Control": "no-cache"}
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg"}


def map_routes(context: AppContext) -> list[BaseRoute]:
    """The routes of the map, bound to an open project."""
    paths: dict[str, Handler] = {
        "/api/sites": all_sites,
        "/api/coverage": coverage,
        "/api/picture/{site_id}": picture,
        "/api/outlined/{site_id}": outlined_picture,
        "/print/site/{site_id}": print_site,
        "/print/sites": print_sites,
        "/export/sites.geojson": export_geojson,
        "/export/sites.csv": export_csv,
        "/export/sites.html": export_one_page,
    }
    routes: list[BaseRoute] = [Route(path, _route(context, handler)) for path, handler in paths.items()]
    return [*routes, Mount("/assets", StaticFiles(directory=static_folder()))]


def static_folder() -> Path:
    """Where the browser files lie in the installed package."""
    return Path(str(resources.files("app") / "static"))


def _route(context: AppContext, handler: Handler) -> Callable[[Request], Response]:
    """Run a handler in a thread (a plain function is) and turn a bad request into a sentence."""

    def endpoint(request: Request) -> Response:
        try:
            return handler(context, request)
        except InputError as error:
            return JSONResponse({"error": str(error)}, 400)

    return endpoint


def all_sites(context: AppContext, request: Request) -> Response:
    """Every site as binary columns; 304 while nothing changed."""
    return _tagged(request, context.book.edition().packed, "application/octet-stream")


def coverage(context: AppContext, request: Request) -> Response:
    """The coverage layer as GeoJSON."""
    body = JSONResponse(coverage_layer.coverage_geojson(context.store.tiles())).body
    return _tagged(request, bytes(body), "application/geo+json")


def _tagged(request: Request, body: bytes, media_type: str) -> Response:
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, **_NO_CACHE}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def picture(context: AppContext, request: Request) -> Response:
    """The picture of a site, found through the store only: no part of a path comes from the address."""
    site = _site(context, request)
    path = None if site is None else context.picture_path(site)
    if path is None or path.suffix not in _PICTURES:
        return _nothing(_("There is no picture of this site."))
    return FileResponse(path, media_type=_PICTURES[path.suffix], headers=_NO_CACHE)


def outlined_picture(context: AppContext, request: Request) -> Response:
    """The picture with the outline drawn on it, as one SVG that needs nothing else."""
    site = _site(context, request)
    path = None if site is None else context.picture_path(site)
    if site is None or path is None or path.suffix not in _PICTURES:
        return _nothing(_("There is no picture of this site."))
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    svg = picture_svg(site, f"data:{_PICTURES[path.suffix]};base64,{content}")
    return _tagged(request, svg.encode("utf-8"), "image/svg+xml")


def print_site(context: AppContext, request: Request) -> Response:
    """One site as a page to print."""
    site = _site(context, request)
    if site is None:
        return _nothing(_("There is no such site."))
    store = context.store
    has_picture = context.picture_path(site) is not None
    page = site_page(
        site,
        store.evidence(site.site_id),
        store.history(site.site_id),
        has_picture,
        context.now(),
        with_notes=_with_notes(request),
    )
    return HTMLResponse(page)


def print_sites(context: AppContext, request: Request) -> Response:
    """The selection as a list to print."""
    return HTMLResponse(list_page(chosen(context, request), context.now()))


def export_geojson(context: AppContext, request: Request) -> Response:
    """The selection as GeoJSON."""
    text = exports.sites_geojson(chosen(context, request), notes=_with_notes(request))
    return _download(text, "application/geo+json", "kilnlight-sites.geojson")


def export_csv(context: AppContext, request: Request) -> Response:
    """The selection as CSV; the byte order mark tells spreadsheets that it is UTF-8."""
    text = exports.sites_csv(chosen(context, request), notes=_with_notes(request))
    return _download("\ufeff" + text, "text/csv; charset=utf-8", "kilnlight-sites.csv")


def export_one_page(context: AppContext, request: Request) -> Response:
    """The selection as one HTML file that opens on a phone without a server."""

    def content(site: Site) -> bytes | None:
        path = context.picture_path(site)
        return None if path is None else path.read_bytes()

    text = export_html(
        by_doubt(chosen(context, request)),
        content,
        with_notes=_with_notes(request),
        title=_("Possible kilns"),
        generated_at=context.now(),
    )
    return _download(text, "text/html; charset=utf-8", "kilnlight-sites.html")


def chosen(context: AppContext, request: Request) -> list[Site]:
    """The sites of the selection in the address. Raises `InputError` for a selection that is none."""
    selection: Selection = from_query(request.url.query)
    return select(context.book.edition().sites, selection)


def _with_notes(request: Request) -> bool:
    return request.query_params.get("notes") == "1"


def _download(text: str, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode("utf-8"), media_type=media_type, headers=headers)


def _site(context: AppContext, request: Request) -> Site | None:
    return context.store.site(request.path_params["site_id"])


async def http_error(request: Request, error: Exception) -> Response:
    """An error that a router or a static folder raises, as JSON like all the others."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    sentence = (
        _("There is nothing at this address.") if status == 404 else _("This request cannot be answered.")
    )
    return JSONResponse({"error": sentence}, status)


def _nothing(sentence: str) -> Response:
    return JSONResponse({"error": sentence}, 404)
