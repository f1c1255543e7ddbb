"""Each bad raster gives one clear sentence with what to do; workable ones work."""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from rasters import degree_transform, noise, utm_transform, write_raster

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.files import open_scene


def refuse(path: Path, match: str, **options: object) -> None:
    with pytest.raises(InputError, match=match) as caught:
        open_scene(path, **options)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    refuse(tmp_path / "no.tif", r"There is no file .*no.tif; check the path")
    refuse(tmp_path, "is a folder, not a raster")


@pytest.mark.parametrize("content", [b"", b"lon,lat\n77,28\n", b"II*\x00", b"\x00" * 5000])
def test_not_a_raster(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    refuse(tmp_path / "a.tif", "is no raster that can be read")


def test_a_file_that_ends_within_its_header(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise())
    with rasterio.open(path, "r+") as data:
        data.update_tags(ACQUIRED_AT="2024-01-15T05:30:00Z")
        data.descriptions = ("red", "green", "blue")
    path.write_bytes(path.read_bytes()[:-20])
    refuse(path, "is cut short: parts of its header are missing; get the file again")


def test_a_pipe(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("pipes with a name are Unix's")
    os.mkfifo(tmp_path / "a.tif")
    refuse(tmp_path / "a.tif", "is a pipe or a device")


def test_no_crs(tmp_path: Path) -> None:
    refuse(write_raster(tmp_path / "a.tif", noise(), crs=None), "has no coordinate reference system; assign")


def test_no_place(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), transform=Affine.identity())
    refuse(path, "has a CRS but no place on the earth")


def test_degrees_that_are_metres(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), crs="EPSG:4326", transform=utm_transform())
    refuse(path, r"says EPSG:4326, which is in degrees, but .* x = 720000, y = 3.17e\+06.*assign the CRS")


def test_metres_that_are_degrees(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), transform=degree_transform())
    refuse(path, "pixels of 9e-05 m × 9e-05 m on the ground, which cannot be")


def test_a_place_off_the_earth(tmp_path: Path) -> None:
    far = Affine.translation(1e9, 1e9) @ Affine.scale(10, -10)
    refuse(write_raster(tmp_path / "a.tif", noise(), transform=far), "is no place on the earth in it; assign")


def test_the_antimeridian(tmp_path: Path) -> None:
    over = Affine(1e-4, 0, 179.998, 0, -1e-4, 10.0)
    path = write_raster(tmp_path / "a.tif", noise(), crs="EPSG:4326", transform=over)
    refuse(path, "reaches longitude 180.006, beyond the antimeridian")
    x, y = Transformer.from_crs(4326, 32601, always_xy=True).transform(-180, 10)
    path = write_raster(
        tmp_path / "b.tif", noise(), crs="EPSG:32601", transform=Affine(10, 0, x - 400, 0, -10, y)
    )
    refuse(path, "crosses the antimeridian")


@pytest.mark.parametrize("crs, pixel", [("EPSG:3413", 10.0), ("EPSG:3031", 10.0), ("EPSG:4326", 9e-5)])
def test_beyond_the_tiles(tmp_path: Path, crs: str, pixel: float) -> None:
    pole = -87.0 if crs == "EPSG:3031" else 87.0
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(20.0, pole)
    path = write_raster(tmp_path / "a.tif", noise(), crs=crs, transform=Affine(pixel, 0, x, 0, -pixel, y))
    refuse(path, rf"a.tif reaches latitude {pole:.0f}.*, beyond the tiles .*; cut it at 85.05 degrees")


def test_coarse_pixels_name_both_figures(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), transform=utm_transform(120.0))
    refuse(path, r"has pixels of 12\d\.\d m × 12\d\.\d m on the ground; the model needs 8 to 12 m")


def test_complex_pixels(tmp_path: Path) -> None:
    refuse(write_raster(tmp_path / "a.tif", noise().astype("complex64")), "has complex numbers as pixels")


def test_a_small_scene(tmp_path: Path) -> None:
    refuse(write_raster(tmp_path / "a.tif", noise(15, 80)), r"is only 80 × 15 pixels; at least 16 a side")
    fine = write_raster(tmp_path / "b.tif", noise(200, 500), transform=utm_transform(0.5))
    refuse(fine, r"is only 25 × 10 pixels when averaged to 10 m; at least 16")
    with open_scene(write_raster(tmp_path / "c.tif", noise(16, 16))) as scene:
        assert scene.read(Window(0, 0, 16, 16)).valid.all()


def test_a_missing_band(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", noise(), names=("B08", "B04", "B03"))
    refuse(path, r"does not have the bands red, green, blue: it has B08, B04, B03; .*--bands")
    with open_scene(path, band_names=("red", "green", "blue")) as scene:
        assert scene.info.bands == ("red", "green", "blue")


def test_several_rasters_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    for table in ("one", "two"):
        profile = {"driver": "GPKG", "RASTER_TABLE": table, "APPEND_SUBDATASET": "YES", "count": 3}
        with rasterio.open(
            path,
            "w",
            width=64,
            height=64,
            dtype="uint8",
            crs="EPSG:32643",
            transform=utm_transform(),
            **profile,
        ) as dataset:
            dataset.write(noise(64, 64, dtype="uint8"))
    refuse(path, "holds 2 rasters instead of one")


def test_blocks_too_large_to_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=50_000, height=3_000, count=3, dtype="uint16", crs="EPSG:32643",
        transform=utm_transform(), compress="deflate", blockysize=3_000, sparse_ok=True, interleave="pixel",
    ):  # fmt: skip
        pass
    refuse(
        path,
        r"is stored in blocks of 50000 × 3000 pixels \(900 MB\), too large to read in parts; store it in",
    )


def test_truncated_files_are_found_at_opening(tmp_path: Path) -> None:
    for name, creation in (("plain", {}), ("packed", {"compress": "deflate"}), ("cog", {"driver": "COG"})):
        path = write_raster(tmp_path / f"{name}.tif", noise(200, 200), **creation)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        refuse(path, r"is cut short|is no raster that can be read, or is cut short")


def damage(path: Path, block: int) -> None:
    """Overwrite the middle of a compressed block."""
    with rasterio.open(path) as dataset:
        across = -(-dataset.width // dataset.block_shapes[0][1])
        row, col = divmod(block, across)
        offset = int(dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1))
        size = int(dataset.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=1))
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * (size // 2))


@pytest.mark.parametrize("compress", ["deflate", "lzw", "zstd"])
def test_a_block_that_does_not_decode(tmp_path: Path, compress: str) -> None:
    pixels = noise(128, 160)
    tiling = {"tiled": True, "blockxsize": 32, "blockysize": 32, "interleave": "pixel"}
    path = write_raster(tmp_path / "a.tif", pixels, compress=compress, **tiling)
    damage(path, 7)  # second row of blocks, third column
    window = Window(0, 0, 160, 128)
    with open_scene(path) as scene:
        assert scene.read(Window(0, 0, 160, 32)).valid.all(), "what is whole can be read"
        with pytest.raises(
            InputError, match=r"is damaged: .* column 64, row 32 do not decode; .*--allow-damaged"
        ):
            scene.read(window)
    with open_scene(path, allow_damaged=True) as scene:
        assert scene.damaged_share == 0.0
        patch = scene.read(window)
        bad = np.zeros((128, 160), bool)
        bad[32:64, 64:96] = True
        assert np.array_equal(patch.valid, ~bad)
        assert np.array_equal(patch.pixels, np.where(bad, 0, pixels))
        scene.read(Window(60, 30, 20, 20))
        assert scene.damaged_share == pytest.approx(1 / 20), "counted once, by the whole file"


def test_statistics_leave_damage_out(tmp_path: Path) -> None:
    pixels = noise(128, 160)
    tiling = {"tiled": True, "blockxsize": 32, "blockysize": 32}
    path = write_raster(tmp_path / "a.tif", pixels, compress="deflate", **tiling)
    damage(path, 0)
    with open_scene(path) as scene, pytest.raises(InputError, match="is damaged"):
        scene.stats()
    with open_scene(path, allow_damaged=True) as scene:
        assert scene.stats()[0].median == pytest.approx(np.median(pixels[0]), rel=0.02)


def test_a_truncated_file_with_damage_allowed(tmp_path: Path) -> None:
    pixels = noise(200, 160)
    # without names, which would move the file's directory to its end
    path = write_raster(tmp_path / "a.tif", pixels, names=None, compress="deflate", blockysize=10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with open_scene(path, allow_damaged=True) as scene:
        patch = scene.read(Window(0, 0, 160, 200))
        assert 0.3 < patch.valid.mean() < 0.6
        assert scene.damaged_share == pytest.approx(1 - patch.valid.mean())
        assert np.array_equal(patch.pixels, np.where(patch.valid, pixels, 0))


def test_a_damaged_jpeg_2000(tmp_path: Path) -> None:
    path = write_raster(
        tmp_path / "a.jp2", noise(256, 256), names=None, driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES"
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cut short|damaged"), open_scene(path) as scene:
        scene.read(Window(0, 0, 256, 256))


def test_a_virtual_stack_with_a_lost_source(tmp_path: Path) -> None:
    source = write_raster(tmp_path / "b.tif", noise())
    t = utm_transform()
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{k}"><SimpleSource><SourceFilename relativeToVRT="1">b.tif'
        f"</SourceFilename><SourceBand>{k}</SourceBand></SimpleSource></VRTRasterBand>"
        for k in (1, 2, 3)
    )
    path = tmp_path / "a.vrt"
    path.write_text(
        f'<VRTDataset rasterXSize="80" rasterYSize="64"><SRS>EPSG:32643</SRS><GeoTransform>{t.c}, {t.a}, 0,'
        f" {t.f}, 0, {t.e}</GeoTransform>{bands}</VRTDataset>"
    )
    source.unlink()
    with pytest.raises(InputError), open_scene(path) as scene:
        scene.read(Window(0, 0, 80, 64))
