"""geodata.sources.sentinelhub.process: a window of an acquisition from the Process API, checked."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from sentinelhub.api.process import SentinelHubRequest
from sentinelhub.constants import CRS, MimeType
from sentinelhub.download.models import DownloadRequest
from sentinelhub.geometry import BBox

from geodata.errors import InputError
from geodata.grid import Grid
from geodata.scene import Window
from geodata.sources.sentinelhub.area_grid import PIXEL_M, window_box
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.evalscript import evalscript

Pixels = NDArray[np.uint16]

DOWNLOADS_OF_A_PIECE = 3
"""An answer that does not hold what was asked for is charged all the same, so it is asked for seldom."""


class BrokenAnswer(Exception):
    """An answer of the Process API that does not hold what was asked for; says what is wrong with it."""


@dataclass(frozen=True)
class PieceRequest:
    """One window of one acquisition."""

    collection: str
    bands: tuple[str, ...]
    interval: tuple[datetime, datetime]
    """UTC; it must hold no other acquisition of the place."""
    grid: Grid
    window: Window
    must_have_data: bool
    """True where the footprint covers enough of the window that an empty answer cannot be right."""


def download_piece(connection: Connection, piece: PieceRequest, what: str) -> Pixels:
    """Pixels (bands, height, width) of a window; 0 where the acquisition has no data.

    Raises:
        InputError: the service fails, or keeps answering with something else; `what` names what is missing.
    """
    wrong = ""
    for _ in range(DOWNLOADS_OF_A_PIECE):
        response = connection.download(_request(connection, piece), what)
        try:
            return checked_pixels(response.content, piece)
        except BrokenAnswer as error:
            wrong = str(error)
    raise InputError(
        f"{what}: the service sent {wrong}, {DOWNLOADS_OF_A_PIECE} times; run the command again later."
    )


def checked_pixels(content: bytes, piece: PieceRequest) -> Pixels:
    """Decode the whole of a GeoTIFF and check that it is the window asked for. Raises `BrokenAnswer`."""
    try:
        with MemoryFile(content) as memory, memory.open() as dataset:
            _check_form(dataset, piece)
            pixels: Pixels = dataset.read()
    except RasterioError as error:
        raise BrokenAnswer(f"{len(content):,} bytes that do not decode as a TIFF") from error
    if piece.must_have_data and not pixels.any():
        raise BrokenAnswer("a picture without data where the scene has some")
    return pixels


def _check_form(dataset: rasterio.DatasetReader, piece: PieceRequest) -> None:
    window = piece.window
    asked = (len(piece.bands), window.width, window.height)
    got = (dataset.count, dataset.width, dataset.height)
    if got != asked:
        raise BrokenAnswer(f"{got} instead of {asked} (bands, width, height)")
    if set(dataset.dtypes) != {"uint16"}:
        raise BrokenAnswer(f"pixels of type {dataset.dtypes[0]} instead of uint16")
    epsg = None if dataset.crs is None else dataset.crs.to_epsg()
    if epsg is None:  # nothing to compare: the service need not write the place into the picture
        return
    here = np.allclose(dataset.bounds, window_box(piece.grid, window), rtol=0, atol=PIXEL_M / 10)
    if epsg != piece.grid.crs.to_epsg() or not here:
        raise BrokenAnswer("a picture of another place")


def _request(connection: Connection, piece: PieceRequest) -> DownloadRequest:
    # a plain dict, since the library's collections would override the address of the service
    data = {
        "type": piece.collection,
        "dataFilter": {
            "timeRange": {"from": _iso(piece.interval[0]), "to": _iso(piece.interval[1])},
            "mosaickingOrder": "mostRecent",
        },
        "processing": {"harmonizeValues": True, "upsampling": "NEAREST", "downsampling": "NEAREST"},
    }
    request = SentinelHubRequest(
        evalscript=evalscript(piece.bands),
        input_data=[data],
        responses=[SentinelHubRequest.output_response("default", MimeType.TIFF)],
        bbox=BBox(window_box(piece.grid, piece.window), CRS(str(piece.grid.crs.to_epsg()))),
        size=(piece.window.width, piece.window.height),
        config=connection.config,
    )
    return request.download_list[0]


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
