"""Fetching through the real client against a local server that speaks the service's endpoints."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
import shapely
from fakes.sentinel_hub import CATALOG, PROCESS, TOKEN, product, running_hub

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.files import open_scene
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.credentials import read_config
from geodata.sources.sentinelhub.fetch import carry_out
from geodata.sources.sentinelhub.plan import Order, make_plan
from geodata.sources.sentinelhub.products import PRODUCTS, bands_of
from geodata.sources.sentinelhub.source import SentinelHubSource
from geodata.sources.source import Query, check_budget

SMALL = shapely.box(77.20, 28.60, 77.22, 28.62)
LONG = shapely.box(77.0, 28.6, 77.6, 28.602)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with running_hub(monkeypatch, tmp_path) as service:
        yield service


@pytest.fixture
def order(tmp_path):
    return Order(
        area=SMALL,
        start=datetime(2024, 1, 1, tzinfo=UTC),
        end=datetime(2024, 1, 31, tzinfo=UTC),
        out=tmp_path / "imagery",
        product=PRODUCTS["l2a"],
        bands=bands_of(PRODUCTS["l2a"], ("B04", "B03", "B02")),
    )


def fetch(order):
    connection = Connection(read_config())
    return carry_out(connection, make_plan(connection, order))


def test_a_file_is_a_cog_with_bands_date_scaling_and_classes(hub, order):
    hub.products = [product(value=1500, cloudy=(77.205, 28.605, 77.21, 28.61))]
    (path,) = fetch(order)
    with rasterio.open(path) as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.block_shapes == [(512, 512)] * 4
        assert dataset.dtypes == ("uint16",) * 4 and dataset.nodata == 0
        assert dataset.descriptions == ("B04", "B03", "B02", "SCL")
        assert dataset.scales == (1e-4, 1e-4, 1e-4, 1.0) and dataset.offsets == (0, 0, 0, 0)
        assert dataset.crs.to_epsg() == 32643
        assert dataset.transform.a == 10 and dataset.transform.c % 10 == 0 and dataset.transform.f % 10 == 0
        tags = dataset.tags()
        assert tags["KILNLIGHT_SCENE_ID"].startswith(hub.products[0].product_id)
        assert tags["ACQUIRED_AT"] == "2024-01-15T05:31:19Z" and tags["PRODUCT"] == "S2-L2A"
        assert tags["ATTRIBUTION"] == "Contains modified Copernicus Sentinel data 2024"
        assert [np.unique(dataset.read(band)).tolist() for band in (1, 2, 3, 4)] == [
            [1500],
            [1501],
            [1502],
            [5, 9],
        ]


def test_large_files_have_overviews_of_classes_not_of_their_means(hub, order):
    hub.products = [product(cloudy=(77.3, 28.601, 77.5, 28.602))]
    (path,) = fetch(replace(order, area=LONG))
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1) and dataset.overviews(4) == dataset.overviews(1)
    with rasterio.open(path, overview_level=1) as coarse:
        assert set(np.unique(coarse.read(4))) <= {0, 5, 9}


def test_the_reader_of_files_understands_what_was_written(hub, order):
    cloudy = (77.205, 28.605, 77.21, 28.61)
    hub.products = [product(value=1500, cloudy=cloudy)]
    (path,) = fetch(order)
    with open_scene(path) as scene:
        info = scene.info
        assert info.scene_id == path.stem
        assert info.acquired_at == datetime(2024, 1, 15, 5, 31, 19, tzinfo=UTC)
        assert info.product == "S2-L2A"
        patch = scene.read(Window(0, 0, info.grid.width, info.grid.height))
        col, row = info.grid.pixel((cloudy[0] + cloudy[2]) / 2, (cloudy[1] + cloudy[3]) / 2)
        assert not patch.valid[int(row), int(col)]
        assert patch.valid[5, 5] and 0.7 < patch.valid.mean() < 0.99


def test_one_file_never_mixes_dates(hub, order):
    west, east = (77.0, 28.0, 77.3, 29.0), (77.28, 28.0, 78.0, 29.0)
    hub.products = [product(day=15, bounds=west, value=1500), product(day=20, bounds=east, value=2000)]
    first, second = fetch(replace(order, area=LONG))
    for path, day, value in ((first, 15, 1500), (second, 20, 2000)):
        with rasterio.open(path) as dataset:
            assert dataset.tags()["ACQUIRED_AT"] == f"2024-01-{day}T05:31:19Z"
            assert np.unique(dataset.read(1)).tolist() == [0, value]


def test_granules_of_one_pass_lie_in_one_file(hub, order):
    hub.products = [
        product("43RGM", bounds=(76.9, 28.0, 77.3, 29.0), value=1500),
        product("43RHM", bounds=(77.29, 28.0, 78.0, 29.0), value=1600),
    ]
    hub.products[1] = replace(hub.products[1], seen_at=datetime(2024, 1, 15, 5, 42, 16, tzinfo=UTC))
    (path,) = fetch(replace(order, area=LONG))
    with rasterio.open(path) as dataset:
        assert set(np.unique(dataset.read(1))) == {1500, 1600}
        assert dataset.tags()["SOURCE_PRODUCTS"].split(",") == [p.product_id for p in hub.products]


def test_dark_pixels_with_data_are_not_no_data(hub, order):
    hub.products = [product()]
    fetch(order)
    script = hub.asked(PROCESS)[0]["evalscript"]
    assert "Math.max(1, s.B04)" in script and "s.dataMask === 0" in script and "SCL)" not in script
    assert hub.asked(PROCESS)[0]["input"]["data"][0]["processing"]["harmonizeValues"] is True


def test_requests_keep_the_services_limit_and_spare_what_was_not_seen(hub, order):
    hub.products = [product(bounds=(77.0, 28.0, 77.2, 29.0))]
    (path,) = fetch(replace(order, area=LONG))
    sizes = [(body["output"]["width"], body["output"]["height"]) for body in hub.asked(PROCESS)]
    with rasterio.open(path) as dataset:
        assert dataset.width > 5000 and len(sizes) == 2 < 3
        assert all(width <= 2500 for width, _ in sizes)


def test_l1c_has_no_classes(hub, order):
    hub.products = [product(level="L1C"), product(level="L2A")]
    l1c = PRODUCTS["l1c"]
    (path,) = fetch(replace(order, product=l1c, bands=bands_of(l1c, ("B04", "B03", "B02"))))
    with rasterio.open(path) as dataset:
        assert dataset.descriptions == ("B04", "B03", "B02") and dataset.tags()["PRODUCT"] == "S2-L1C"


def test_the_catalog_is_read_to_its_last_page(hub, order):
    hub.page = 2
    hub.products = [product(day=day, cloud_percent=50 - day) for day in (1, 6, 11, 16, 21)]
    plan = make_plan(Connection(read_config()), order)
    assert len(hub.asked(CATALOG)) == 3
    assert [scene.outline.acquired_at.day for scene in plan.scenes] == [21]


def test_the_plan_costs_what_its_requests_cost_and_nothing_is_spent_for_it(hub, order):
    hub.products = [product()]
    plan = make_plan(Connection(read_config()), replace(order, area=LONG))
    windows = [piece.window for piece in plan.scenes[0].pieces]
    assert plan.units == pytest.approx(sum(w.width * w.height for w in windows) / 512**2 * 4 / 3)
    assert hub.asked(PROCESS) == []
    with pytest.raises(InputError, match=rf"about {plan.units:.2f} processing units and --max-pu allows 0.1"):
        check_budget(plan.units, 0.1)
    with pytest.raises(InputError):
        check_budget(plan.units, float("nan"))
    check_budget(plan.units, plan.units)


def test_a_second_run_fetches_nothing_and_a_broken_file_is_fetched_again(hub, order):
    hub.products = [product()]
    (path,) = fetch(order)
    content = path.read_bytes()
    asked = len(hub.asked(PROCESS))
    assert fetch(order) == [] and len(hub.asked(PROCESS)) == asked
    path.write_bytes(b"not a TIFF")
    assert fetch(order) == [path] and path.read_bytes() == content


def test_another_area_of_the_same_product_is_another_scene_of_the_same_time(hub, order):
    hub.products = [product()]
    (one,) = fetch(order)
    (other,) = fetch(replace(order, area=shapely.box(77.22, 28.60, 77.24, 28.62)))
    with rasterio.open(one) as a, rasterio.open(other) as b:
        assert a.tags()["KILNLIGHT_SCENE_ID"] != b.tags()["KILNLIGHT_SCENE_ID"]
        assert a.tags()["ACQUIRED_AT"] == b.tags()["ACQUIRED_AT"]


def test_a_new_product_of_the_pass_brings_the_file_up_to_date(hub, order):
    hub.products = [product(bounds=(76, 28, 77.21, 29))]
    assert len(fetch(order)) == 1
    hub.products = [replace(hub.products[0], bounds=(76, 28, 78, 29), product_id=hub.products[0].product_id)]
    assert fetch(order) == []  # the same product: nothing new
    hub.products.append(product("43RHM", bounds=(77.2, 28, 78, 29)))
    assert len(fetch(order)) == 1


def test_scenes_that_time_cannot_tell_apart_are_left_out_and_named(hub, order):
    hub.products = [product(satellite="S2A"), product(satellite="S2C"), product(day=20)]
    plan = make_plan(Connection(read_config()), order)
    assert [scene.outline.acquired_at.day for scene in plan.scenes] == [20] and len(plan.mixed) == 2


@pytest.mark.parametrize(
    ("products", "change", "says"),
    [
        ([], {}, "no S2-L2A scene of the area from 2024-01-01 to 2024-01-31"),
        ([product(cloud_percent=80)], {"max_cloud_percent": 30}, "at most 30 % cloud .the clearest has 80 %"),
        ([product()], {"end": datetime(2023, 12, 1, tzinfo=UTC)}, "exchange --from and --to"),
        ([product(bounds=(76, 28, 77.2, 29))], {}, "only touch the area"),
        ([product(satellite="S2A"), product(satellite="S2C")], {}, "All 2 .* would mix them"),
    ],
)
def test_orders_that_find_nothing(hub, order, products, change, says):
    hub.products = products
    with pytest.raises(InputError, match=says):
        make_plan(Connection(read_config()), replace(order, **change))


def test_a_source_finds_scenes_and_writes_them_as_files(hub, order):
    hub.products = [product(day=15, value=1500), product(day=20, value=2000, cloud_percent=9)]
    source = SentinelHubSource(Connection(read_config()), order.out, order.product, order.bands)
    offer = source.search(Query(SMALL, order.start, order.end))
    (scene,) = offer.scenes
    assert (scene.acquired_at.day, scene.cloud_percent, scene.covered_share) == (15, 0, 1)
    assert scene.masks_clouds and offer.units == scene.units > 0
    assert hub.asked(PROCESS) == [] and source.units_spent == 0
    parts = []
    path = source.fetch(scene, lambda: parts.append(1))
    assert len(parts) == scene.parts == len(hub.asked(PROCESS)) and source.units_spent > 0
    with open_scene(path) as opened:
        assert opened.info.scene_id == scene.scene_id
        assert opened.read(Window(4, 4, 2, 2)).pixels[0, 0, 0] > 0
    again = source.search(Query(SMALL, order.start, order.end))
    assert again.missing == () and again.units == 0
    with pytest.raises(InputError, match="search for it first"):
        source.fetch(replace(scene, scene_id="other"))


def test_one_token_serves_a_whole_run(hub, order):
    hub.products = [product()]
    fetch(replace(order, area=LONG))
    assert len(hub.asked(TOKEN)) == 1 and len(hub.asked(PROCESS)) == 3
