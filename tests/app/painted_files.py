"""Small painted scenes as files, and the command line in this process."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window
from typer.testing import CliRunner, Result

from app.cli.main import build
from geodata.painter import PaintedScene, paint_scene
from geodata.painter.write import write_scene

SIDE = 128
AT = datetime(2023, 11, 15, 5, 30, tzinfo=UTC)


@cache
def painted(seed: int = 3, side: int = SIDE) -> PaintedScene:
    return paint_scene(seed, side, side, 4, crs="4326")


def write(path: Path, seed: int = 3, side: int = SIDE, at: datetime | None = AT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_scene(painted(seed, side), path, at)


def write_blank(path: Path, value: int = 0) -> Path:
    """As a painted scene, but with one value everywhere; 0 is nodata."""
    write(path)
    with rasterio.open(path, "r+") as data:
        data.write(np.full((3, SIDE, SIDE), value, np.uint8))
    return path


def crop(source: Path, path: Path, window: Window, **profile: object) -> Path:
    with rasterio.open(source) as data:
        settings = {**data.profile, "width": window.width, "height": window.height, **profile}
        settings["transform"] = data.window_transform(window)
        with rasterio.open(path, "w", **settings) as out:
            out.write(data.read(window=window))
            for band, name in enumerate(data.descriptions, start=1):
                out.set_band_description(band, name or "")
    return path


def kilnlight(*arguments: object) -> Result:
    return CliRunner().invoke(build(), [str(a) for a in arguments], env={"COLUMNS": "200"})
