"""Local rasters as scenes: what is read, what is valid, what is known."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp, MaskFlags
from rasters import noise, utm_transform, write_raster

from geodata.files import sha256_of
from geodata.scene import Scene, Window
from geodata.sources.files import open_scene


def whole(scene: Scene):
    return scene.read(Window(0, 0, scene.info.grid.width, scene.info.grid.height))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_pixels_of_any_type_come_as_float32(tmp_path: Path, dtype: str) -> None:
    pixels = noise(dtype=dtype)
    with open_scene(write_raster(tmp_path / "a.tif", pixels)) as scene:
        patch = whole(scene)
    assert patch.pixels.dtype == np.float32
    assert np.array_equal(patch.pixels, pixels.astype(np.float32))
    assert patch.valid.all()


def test_jpeg_2000_and_cog_read_as_geotiff_does(tmp_path: Path) -> None:
    pixels = noise(128, 160)
    plain = write_raster(tmp_path / "a.tif", pixels)
    jp2 = write_raster(
        tmp_path / "a.jp2", pixels, names=None, driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES"
    )
    cog = write_raster(tmp_path / "c.tif", pixels, driver="COG", COMPRESS="DEFLATE")
    with open_scene(plain) as one, open_scene(cog) as two, open_scene(jp2) as three:
        assert np.array_equal(whole(one).pixels, whole(two).pixels)
        assert np.array_equal(whole(one).pixels, whole(three).pixels)
        assert one.stats() == two.stats() == three.stats()


@given(
    col=st.integers(-90, 170),
    row=st.integers(-140, 320),
    width=st.integers(1, 90),
    height=st.integers(1, 320),
)
@settings(max_examples=40, deadline=None)
def test_windows_are_cut_from_the_whole_and_padded_as_invalid(
    tmp_path_factory: pytest.TempPathFactory, col: int, row: int, width: int, height: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "windows.tif"
    # taller than what is read at once
    pixels = noise(300, 80)
    if not path.exists():
        write_raster(path, pixels, tiled=True, blockxsize=16, blockysize=16)
    padded = np.zeros((3, 800, 400), np.float32)
    padded[:, 150:450, 150:230] = pixels
    with open_scene(path) as scene:
        patch = scene.read(Window(col, row, width, height))
    expected = padded[:, row + 150 : row + 150 + height, col + 150 : col + 150 + width]
    assert np.array_equal(patch.pixels, expected)
    assert np.array_equal(patch.valid, (expected != 0).any(0))


def test_nodata_in_one_band_makes_a_pixel_invalid(tmp_path: Path) -> None:
    pixels = noise()
    pixels[1, 3, 4] = 65535
    with open_scene(write_raster(tmp_path / "a.tif", pixels, nodata=65535)) as scene:
        patch = whole(scene)
    assert np.argwhere(~patch.valid).tolist() == [[3, 4]]
    assert (patch.pixels[:, 3, 4] == 0).all()


def test_not_finite_pixels_are_invalid_and_zero(tmp_path: Path) -> None:
    pixels = noise(dtype="float64")
    pixels[0, 0, :3] = np.nan, np.inf, -np.inf
    pixels[2, 1, 1] = 1e300
    with open_scene(write_raster(tmp_path / "a.tif", pixels)) as scene:
        patch = whole(scene)
    assert np.argwhere(~patch.valid).tolist() == [[0, 0], [0, 1], [0, 2], [1, 1]]
    assert np.isfinite(patch.pixels).all()


@pytest.mark.parametrize("nodata", [np.nan, -9999.0, -3.4028234663852886e38, 0.1])
def test_nodata_of_float_files(tmp_path: Path, nodata: float) -> None:
    pixels = noise(dtype="float32")
    pixels[:, 5, 5] = nodata
    with open_scene(write_raster(tmp_path / "a.tif", pixels, nodata=nodata)) as scene:
        assert np.argwhere(~whole(scene).valid).tolist() == [[5, 5]]


def test_zero_in_every_band_is_no_data_where_the_file_does_not_say(tmp_path: Path) -> None:
    pixels = noise()
    pixels[:, 2, 2] = 0
    pixels[0, 3, 3] = 0
    with open_scene(write_raster(tmp_path / "a.tif", pixels)) as scene:
        assert np.argwhere(~whole(scene).valid).tolist() == [[2, 2]]
    with open_scene(write_raster(tmp_path / "b.tif", pixels, nodata=65535)) as scene:
        assert whole(scene).valid.all()


def test_an_alpha_band_masks(tmp_path: Path) -> None:
    pixels = np.concatenate([noise(dtype="uint8"), np.full((1, 64, 80), 255, "uint8")])
    pixels[3, 7, 8] = 0
    path = write_raster(tmp_path / "a.tif", pixels, names=None)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    with open_scene(path) as scene:
        assert np.argwhere(~whole(scene).valid).tolist() == [[7, 8]]


@pytest.mark.parametrize("by", ["description", "option"])
def test_near_infrared_that_gdal_takes_for_transparency_is_a_band_and_hides_nothing(
    tmp_path: Path, by: str
) -> None:
    pixels = np.maximum(np.concatenate([noise(dtype="uint8"), noise(dtype="uint8")[:1]]), 1)
    pixels[3, 7, 8] = 0
    names = ("red", "green", "blue", "nir")
    path = write_raster(tmp_path / "a.tif", pixels, names=names if by == "description" else None)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    given = None if by == "description" else names
    with open_scene(path, bands=names, band_names=given) as scene:
        assert whole(scene).valid.all() and (whole(scene).pixels == pixels).all()
    with open_scene(path, band_names=given) as scene:
        assert whole(scene).valid.all() and len(whole(scene).pixels) == 3


@pytest.mark.parametrize("inside", [True, False])
def test_a_mask_in_or_beside_the_file_masks(tmp_path: Path, inside: bool) -> None:
    path = write_raster(tmp_path / "a.tif", noise())
    mask = np.full((64, 80), 255, "uint8")
    mask[9, 10] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=inside), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(mask)
    with rasterio.open(path) as dataset:
        assert MaskFlags.per_dataset in dataset.mask_flag_enums[0]
    with open_scene(path) as scene:
        assert np.argwhere(~whole(scene).valid).tolist() == [[9, 10]]


def test_the_class_layer_rides_along(tmp_path: Path) -> None:
    classes = np.arange(64 * 80).reshape(1, 64, 80) % 14
    pixels = np.concatenate([noise(), classes.astype("uint16")])
    path = write_raster(tmp_path / "a.tif", pixels, names=("red", "green", "blue", "SCL"))
    with open_scene(path) as scene:
        patch = whole(scene)
        assert scene.info.bands == ("red", "green", "blue")
    # no data, saturated, shadow, clouds, cirrus, snow, and classes that do not exist
    invalid = np.isin(classes[0], [0, 1, 3, 8, 9, 10, 11, 12, 13])
    assert np.array_equal(patch.valid, ~invalid)


def test_statistics_do_not_depend_on_windows_layout_or_scale(tmp_path: Path) -> None:
    pixels = noise(700, 600)
    strips = write_raster(tmp_path / "s.tif", pixels)
    tiles = write_raster(tmp_path / "t.tif", pixels, tiled=True, blockxsize=128, blockysize=128)
    with rasterio.open(tiles, "r+") as dataset:
        dataset.build_overviews([2, 4], rasterio.enums.Resampling.average)
    scaled = write_raster(tmp_path / "f.tif", pixels.astype("float64") * 2 + 100)
    with open_scene(strips) as one, open_scene(tiles) as two, open_scene(scaled) as three:
        two.read(Window(5, 5, 100, 100))
        assert one.stats() == two.stats() == two.stats()
        for a, b in zip(one.stats(), three.stats(), strict=True):
            assert (b.median, b.spread) == (a.median * 2 + 100, a.spread * 2)
    assert one.stats()[0].median == pytest.approx(np.median(pixels[0]), rel=0.01)
    low, high = np.percentile(pixels[0], [16, 84])
    assert one.stats()[0].spread == pytest.approx((high - low) / 2, rel=0.01)


def test_a_scene_without_a_valid_pixel_opens(tmp_path: Path) -> None:
    with open_scene(write_raster(tmp_path / "a.tif", np.zeros((3, 64, 80), "uint16"), nodata=0)) as scene:
        assert scene.stats() == ()
        assert not whole(scene).valid.any()


def test_a_constant_band_opens_and_has_no_spread(tmp_path: Path) -> None:
    pixels = noise()
    pixels[1] = 1234
    pixels[2, :60] = 5
    with open_scene(write_raster(tmp_path / "a.tif", pixels)) as scene:
        stats = scene.stats()
        assert (stats[1].median, stats[1].spread) == (1234.0, 0.0)
        assert stats[2].spread > 0, "mostly one value is not constant"


def test_identity_without_metadata(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "near delhi.tif", noise())
    with open_scene(path) as scene:
        info = scene.info
    assert info.sha256 == sha256_of(path)
    assert info.scene_id == f"near delhi_{info.sha256[:8]}"
    assert (info.name, info.acquired_at, info.product, info.made_up) == (
        "near delhi.tif",
        None,
        "unknown",
        False,
    )


def test_the_user_tells_what_the_file_does_not(tmp_path: Path) -> None:
    when = datetime(2024, 1, 2, tzinfo=UTC)
    path = write_raster(tmp_path / "a.tif", noise())
    with open_scene(path, acquired_at=when, product="S2-L2A") as scene:
        assert (scene.info.acquired_at, scene.info.product, scene.warnings) == (when, "S2-L2A", ())
    with open_scene(path, product="l2a") as scene:
        assert scene.info.product == "S2-L2A", "a card names products in one way only"


def test_the_file_is_believed_where_the_user_says_otherwise(tmp_path: Path) -> None:
    tags = {"ACQUIRED_AT": "2023-08-12T05:36:41Z", "PRODUCT": "S2-L2A", "KILNLIGHT_SCENE_ID": "one"}
    path = write_raster(tmp_path / "a.tif", noise(), tags=tags)
    with open_scene(path, acquired_at=datetime(2024, 1, 2, tzinfo=UTC), product="S2-L1C") as scene:
        assert scene.info.scene_id == "one"
        assert scene.info.acquired_at == datetime(2023, 8, 12, 5, 36, 41, tzinfo=UTC)
        assert scene.info.product == "S2-L2A"
        assert len(scene.warnings) == 2


def test_a_virtual_stack_of_band_files_is_a_scene(tmp_path: Path) -> None:
    pixels = noise()
    sources = [
        write_raster(tmp_path / f"B0{k}.tif", pixels[i : i + 1], names=None) for i, k in enumerate((4, 3, 2))
    ]
    bands = "".join(
        f'<VRTRasterBand dataType="UInt16" band="{i}"><Description>{path.stem}</Description><SimpleSource>'
        f'<SourceFilename relativeToVRT="1">{path.name}</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand>"
        for i, path in enumerate(sources, start=1)
    )
    t = utm_transform()
    (tmp_path / "stack.vrt").write_text(
        f'<VRTDataset rasterXSize="80" rasterYSize="64"><SRS>EPSG:32643</SRS><GeoTransform>{t.c}, {t.a}, 0,'
        f" {t.f}, 0, {t.e}</GeoTransform>{bands}</VRTDataset>"
    )
    with open_scene(tmp_path / "stack.vrt") as scene:
        assert np.array_equal(whole(scene).pixels, pixels)
        before = scene.info.sha256
    write_raster(sources[0], noise(seed=2)[:1], names=None)
    with open_scene(tmp_path / "stack.vrt") as scene:
        assert scene.info.sha256 != before, "the same text over other pixels is another scene"
