"""geodata.sources.complaints: what GDAL warns of but does not raise; knows nothing of what is read."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import rasterio


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect GDAL's warnings inside the block, which would otherwise go to the terminal."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]  # a handler of one line
    logger = logging.getLogger("rasterio._env")
    logger.addHandler(handler)
    try:
        with rasterio.Env():
            yield said
    finally:
        logger.removeHandler(handler)
