"""A strip TIFF 50,000 px wide is read in windows with little memory."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterWindow
from rasters import utm_transform

WIDTH, HEIGHT, STRIP = 50_000, 12_000, 16
PROGRAM = """
    import json, sys
    from pathlib import Path
    from geodata.scene import Window
    from geodata.sources.files import open_scene
    from geodata.tiles import observed_shares, tiles_of

    with open_scene(Path(sys.argv[1])) as scene:
        medians = [band.median for band in scene.stats()]
        valid = [int(scene.read(Window(col, 5_000, 1_100, 1_100)).valid.sum()) for col in (0, 24_000, 49_500)]
        shares = observed_shares(scene, tiles_of(scene.info.grid)[2_000:2_020])
    # the peak of this program alone; getrusage may tell that of the one that started it
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) * 1024
    print(json.dumps({"peak": peak, "medians": medians, "valid": valid, "tiles": len(shares)}))
"""


@pytest.fixture(scope="module")
def strips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sparse file of 50,000 x 12,000 px in three bands of uint16 (3.6 GB of pixels), some strips filled."""
    path = tmp_path_factory.mktemp("strips") / "wide.tif"
    profile = {
        "driver": "GTiff", "width": WIDTH, "height": HEIGHT, "count": 3, "dtype": "uint16", "nodata": 0,
        "crs": "EPSG:32643", "transform": utm_transform(), "compress": "lzw", "interleave": "pixel",
        "tiled": False, "blockysize": STRIP, "sparse_ok": True,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        assert dataset.block_shapes[0] == (STRIP, WIDTH)
        strip = np.full((3, STRIP, WIDTH), 500, "uint16")
        for row in range(4_800, 6_400, STRIP):
            dataset.write(strip, window=RasterWindow(0, row, WIDTH, STRIP))
    return path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a program's own peak")
def test_peak_memory_stays_below_two_gigabytes(strips: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), str(strips)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        timeout=300,
    )
    told = json.loads(done.stdout)
    assert told["medians"] == [500.0] * 3
    assert told["valid"] == [1_100 * 1_100, 1_100 * 1_100, 500 * 1_100]
    assert told["tiles"] == 20
    assert told["peak"] < 1_500_000_000
