"""The whole command on a strip TIFF 50,000 px wide needs less than 2 GB."""

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.windows import Window

from detection.windows import CORE_PX
from geodata.tables.coverage import read_coverage
from geodata.tables.run import open_run

WIDTH, HEIGHT, STRIP = 50_000, 1_232, 16
SEEN = slice(24 * CORE_PX, 26 * CORE_PX)
"""Columns with pixels: the net runs on two windows, the others are only read."""
PROGRAM = """
    from pathlib import Path
    from app.cli.main import run

    try:
        run()
    finally:
        # the peak of this program alone; getrusage may tell that of the one that started it
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        print(int(status["VmHWM"].split()[0]) * 1024)
"""


def write_strips(path: Path) -> Path:
    """Float32, since GDAL's cache then does not hold the strips of one row of windows."""
    profile = {
        "driver": "GTiff", "width": WIDTH, "height": HEIGHT, "count": 3, "dtype": "float32", "nodata": 0,
        "crs": "EPSG:32643", "transform": Affine(10, 0, 300_000, 0, -10, 3_200_000), "compress": "lzw",
        "interleave": "pixel", "tiled": False, "blockysize": STRIP,
    }  # fmt: skip
    random = np.random.default_rng(0)
    with rasterio.open(path, "w", **profile) as data:
        for band, name in enumerate(("red", "green", "blue"), start=1):
            data.set_band_description(band, name)
        for row in range(0, HEIGHT, STRIP):
            strip = np.zeros((3, STRIP, WIDTH), np.float32)
            if row < CORE_PX:
                strip[:, :, SEEN] = random.integers(400, 900, (3, STRIP, 2 * CORE_PX))
            data.write(strip, window=Window(0, row, WIDTH, STRIP))
    return path


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a program's own peak")
def test_a_strip_file_50000_pixels_wide_needs_less_than_two_gigabytes(tmp_path: Path) -> None:
    scene = write_strips(tmp_path / "wide.tif")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), "detect", scene, "--out", tmp_path / "run"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states = set(read_coverage(open_run(tmp_path / "run").coverage)["state"])
    assert states == {"none", "not_observed"}
    peak = int(done.stdout.splitlines()[-1])
    assert 500e6 < peak < 2e9
