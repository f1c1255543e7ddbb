"""Real Sentinel-2 samples: every one is read, or refused with a sentence that says what to do."""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from real_copies import to_utm

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.files import FileScene, open_scene
from geodata.tiles import observed_shares, tiles_of

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def imagery() -> Path:
    folder = os.environ.get("KILNLIGHT_DATA")
    if not folder:
        pytest.skip("KILNLIGHT_DATA is not set: the real samples are not here")
    return Path(folder) / "imagery"


def whole(scene: FileScene):
    return scene.read(Window(0, 0, scene.info.grid.width, scene.info.grid.height))


def test_two_dates_without_names_need_the_users(imagery: Path) -> None:
    path = imagery / "chips_10m" / "ftw_austria_two_dates_8band.tif"
    with pytest.raises(InputError, match=r"it has 8 without names; .*--bands"):
        open_scene(path)
    with pytest.raises(InputError, match="more than once"):
        open_scene(path, band_names=["B04", "B03", "B02", "B08"] * 2)
    with open_scene(path, band_names=["B04", "B03", "B02", "B08", "-", "-", "-", "-"]) as scene:
        patch = whole(scene)
        assert (scene.info.grid.width, scene.info.grid.height) == (578, 379)
    with rasterio.open(path) as dataset:
        assert np.array_equal(patch.pixels, dataset.read([1, 2, 3]).astype("float32"))


def test_float_reflectance_with_a_class_layer_and_nodata_in_some_bands(imagery: Path) -> None:
    path = imagery / "chips_10m" / "crop_traits_S2B_20220725_T32TMT_float_9band_plus_SCL.tif"
    with open_scene(path) as scene:
        patch = whole(scene)
        assert scene.stats()[0].median == pytest.approx(0.164, abs=0.01)
    with rasterio.open(path) as dataset:
        rgb, scl = dataset.read([3, 2, 1]), dataset.read(10)
    assert patch.valid.mean() < 0.1
    assert np.array_equal(patch.valid, (rgb != 0).all(0) & np.isin(scl, [2, 4, 5, 6, 7]))
    with open_scene(path, bands=("rededge1",)) as scene:
        assert whole(scene).valid.mean() > 0.9, "other bands are there where red, green and blue are not"


def test_a_monthly_composite_and_one_without_a_valid_pixel(imagery: Path) -> None:
    with open_scene(imagery / "chips_10m" / "worldcereal_composite_2021-05_9band.tif") as scene:
        assert whole(scene).valid.all()
        assert min(band.spread for band in scene.stats()) > 100
    with open_scene(imagery / "chips_10m" / "worldcereal_composite_2020-12_all_nodata_9band.tif") as scene:
        assert not whole(scene).valid.any()
        assert scene.stats() == ()
        assert set(observed_shares(scene).values()) == {0.0}


def test_signed_integers_with_colours_for_names(imagery: Path) -> None:
    with open_scene(imagery / "chips_10m" / "openEO_2023-06-01Z_rgb_int16.tif") as scene:
        assert scene.warnings == ()
        assert whole(scene).valid.all()


def test_odd_nodata_and_a_short_side(imagery: Path) -> None:
    path = imagery / "chips_10m" / "sen2r_S2A2A_20190723_022_Barbellino_BOA_10.tif"
    names = ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12"]
    with open_scene(path, band_names=names) as scene:
        assert (scene.info.grid.width, scene.info.grid.height) == (24, 42)
        assert len(scene.stats()) == 3


def test_a_geographic_chip_runs_as_it_is_at_38_degrees(imagery: Path) -> None:
    path = imagery / "chips_l1c" / "sen1floods11_Spain_7370579_S2_L1C_13band_256.tif"
    with open_scene(path) as scene:
        assert (scene.info.grid.width, scene.info.grid.height) == (256, 256)
        assert scene.info.grid.pixel_size_m() == pytest.approx((7.88, 9.97), abs=0.01)


def test_reduced_products_are_refused_with_their_pixel_size(imagery: Path) -> None:
    folder = imagery / "reduced_products"
    for path in sorted(folder.glob("*33TWL*/B0*.tif")):
        with pytest.raises(
            InputError, match=r"120\.\d m × 120\.\d m on the ground; the model needs 8 to 12 m"
        ):
            open_scene(path)


def test_jpeg_2000_by_its_bytes_whatever_its_name(imagery: Path) -> None:
    path = imagery / "reduced_products" / "earth_search_v1_S2A_33TWL_20230818_0_L2A" / "B04.tif"
    with open_scene(path, bands=("red",), band_names=("red",), pixel_size_m=None) as scene:
        patch = whole(scene)
        assert 0.8 < patch.valid.mean() < 0.9, "13 % lie outside the swath"
        assert scene.info.grid.pixel_size_m() == pytest.approx((120, 120), rel=0.01)


def test_scenes_of_delhi(delhi: Path) -> None:
    with open_scene(delhi / "scenes" / "val_a.tif") as scene:
        assert scene.info.bands == ("red", "green", "blue")
        assert scene.info.scene_id.startswith("val_a_")
        assert (scene.info.acquired_at, scene.info.product) == (None, "unknown")
        assert scene.warnings == ()
        assert scene.info.grid.area_km2() == pytest.approx(194.0, abs=1.0)
        assert scene.read(Window(700, 700, 200, 200)).valid.all()


def test_a_utm_copy_of_delhi_covers_the_same_tiles_and_shows_the_same(delhi: Path, tmp_path: Path) -> None:
    source = delhi / "scenes" / "train_h.tif"
    copy = to_utm(source, tmp_path / "utm.tif")
    with open_scene(source) as one, open_scene(copy) as two:
        tiles = tiles_of(one.info.grid)
        first, second = observed_shares(one, tiles), observed_shares(two, tiles)
        assert max(abs(first[name] - second[name]) for name in first) < 0.05
        for a, b in zip(one.stats(), two.stats(), strict=True):
            assert b.median == pytest.approx(a.median, abs=1.5)
            assert b.spread == pytest.approx(a.spread, rel=0.05)
