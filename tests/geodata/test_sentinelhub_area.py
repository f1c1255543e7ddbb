"""The area a person asks for, the grid around it, its pieces and what they cost."""

import geopandas
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.scene import Window
from geodata.sources.sentinelhub.area import read_area
from geodata.sources.sentinelhub.area_grid import grid_of, project, utm_epsg, window_box
from geodata.sources.sentinelhub.pieces import pieces_of, pieces_over
from geodata.sources.sentinelhub.products import PRODUCTS, bands_of, product_named
from geodata.sources.sentinelhub.units import units_of, units_of_request

BOX = (77.1, 28.5, 77.2, 28.6)


def test_a_box_in_degrees():
    assert read_area("77.1, 28.5,77.2,28.6").bounds == BOX


@pytest.mark.parametrize("suffix", ["geojson", "gpkg"])
@pytest.mark.parametrize("epsg", [4326, 32643, 3857])
def test_polygons_of_a_file_in_any_crs(tmp_path, suffix, epsg):
    path = tmp_path / f"area.{suffix}"
    frame = geopandas.GeoDataFrame(geometry=[shapely.box(*BOX)], crs=4326).to_crs(epsg)
    frame.to_file(path)
    assert read_area(str(path)).bounds == pytest.approx(BOX, abs=1e-6)


def test_polygons_of_a_file_are_joined_and_points_left_out(tmp_path):
    path = tmp_path / "area.geojson"
    shapes = [shapely.box(77, 28, 77.1, 28.1), shapely.box(77.2, 28, 77.3, 28.1), shapely.Point(90, 10)]
    geopandas.GeoDataFrame(geometry=shapes, crs=4326).to_file(path)
    assert read_area(str(path)).bounds == pytest.approx((77, 28, 77.3, 28.1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("77.1,28.5,77.1,28.6", "is empty"),
        ("77.1,28.6,77.2,28.5", "is empty"),
        ("77.1,28.5,77.2", "is not a box"),
        ("77.1,28.5,77.2,1e", "is not a box"),
        ("179.5,-17,-179.5,-16", "crosses the antimeridian"),
        ("-179,-17,179,-16", "crosses the antimeridian"),
        ("700000,3100000,710000,3110000", "not in degrees"),
        ("10,80,11,85", "between -80 and 84"),
        ("no-such-file.geojson", "neither a box W,S,E,N nor a file"),
    ],
)
def test_areas_that_cannot_be_used(text, says):
    with pytest.raises(InputError, match=says):
        read_area(text)


def test_files_that_hold_no_area(tmp_path):
    path = tmp_path / "area.geojson"
    path.write_text("not json at all")
    with pytest.raises(InputError, match="does not open"):
        read_area(str(path))
    path.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError, match="no polygon"):
        read_area(str(path))
    geopandas.GeoDataFrame(geometry=[shapely.Point(77, 28)], crs=4326).to_file(path)
    with pytest.raises(InputError, match="no polygon"):
        read_area(str(path))


def test_a_file_without_a_crs(tmp_path):
    path = tmp_path / "area.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        geopandas.GeoDataFrame(geometry=[shapely.box(*BOX)]).to_file(path)
    # GeoPackage writes "undefined" for a missing CRS; whatever is read from it must not be taken as degrees
    try:
        area = read_area(str(path))
    except InputError as error:
        assert "CRS" in str(error)
    else:
        pytest.fail(f"taken as {area.bounds}")


@given(
    lon=st.floats(-179, 178),
    lat=st.floats(-79, 82),
    width=st.floats(0.01, 0.9),
    height=st.floats(0.01, 0.9),
)
@settings(max_examples=40, deadline=None)
def test_the_grid_holds_the_area_on_multiples_of_ten_metres(lon, lat, width, height):
    area = shapely.box(lon, lat, lon + width, lat + height)
    try:
        grid = grid_of(area, 4)
    except InputError as error:  # near the poles a degree is a few pixels
        assert "16 a side" in str(error)
        return
    assert grid.crs.to_epsg() == utm_epsg(lon + width / 2, lat + height / 2)
    assert (grid.transform.a, grid.transform.e) == (10, -10)
    assert grid.transform.c % 10 == 0 and grid.transform.f % 10 == 0
    left, bottom, right, top = window_box(grid, Window(0, 0, grid.width, grid.height))
    inner = project(area, grid.crs).bounds
    assert left <= inner[0] < left + 10 and bottom <= inner[1] < bottom + 10
    assert right - 10 < inner[2] <= right and top - 10 < inner[3] <= top


def test_an_area_over_several_zones_is_refused_with_its_cost():
    with pytest.raises(InputError, match=r"20\.0 by 1\.0 degrees.*processing units"):
        grid_of(shapely.box(70, 28, 90, 29), 4)


def test_an_area_smaller_than_a_scene_may_be():
    with pytest.raises(InputError, match="pixels of 10 m"):
        grid_of(shapely.box(77.1, 28.5, 77.101, 28.501), 4)


@given(width=st.integers(1, 9000), height=st.integers(1, 9000), most=st.sampled_from([700, 2500]))
def test_pieces_fill_the_grid_once_and_keep_the_services_limit(width, height, most):
    grid = grid_of(shapely.box(*BOX), 4).__class__(None, None, width, height)
    pieces = pieces_of(grid, most)
    assert max(max(p.width, p.height) for p in pieces) <= most
    assert min(min(p.width, p.height) for p in pieces) >= 1
    assert sum(p.width * p.height for p in pieces) == width * height
    corners = {(p.col, p.row) for p in pieces}
    ends = {(p.col + p.width, p.row + p.height) for p in pieces}
    assert len(corners) == len(pieces) and (0, 0) in corners and (width, height) in ends


def test_only_pieces_that_meet_the_footprint_are_asked_for():
    grid = grid_of(shapely.box(77.0, 28.5, 77.6, 28.502), 4)
    west, east = pieces_over(shapely.box(*window_box(grid, Window(0, 0, grid.width, grid.height))), grid)[::2]
    assert west.col == 0
    left_half = shapely.box(*window_box(grid, west))
    assert pieces_over(left_half, grid) == (west,)
    assert east.col > west.col


def test_processing_units_follow_the_published_rules():
    assert units_of_request(512, 512, 3) == 1
    assert units_of_request(512, 512, 4) == pytest.approx(4 / 3)
    assert units_of_request(1024, 512, 6) == 4
    assert units_of_request(10, 10, 3) == 0.01  # least area factor
    assert units_of_request(10, 10, 1) == 0.005  # least cost of a request
    assert units_of([Window(0, 0, 512, 512), Window(512, 0, 10, 10)], 3) == pytest.approx(1.01)


def test_bands_of_a_product():
    l2a, l1c = PRODUCTS["l2a"], PRODUCTS["l1c"]
    assert bands_of(l2a, ("b04", " B03", "B02")) == ("B04", "B03", "B02", "SCL")
    assert bands_of(l2a, ("B8A", "SCL")) == ("B8A", "SCL")
    assert bands_of(l1c, ("B10",)) == ("B10",)
    with pytest.raises(InputError, match="has no band B10"):
        bands_of(l2a, ("B10",))
    for names in ((), ("SCL",), ("B04", "B04")):
        with pytest.raises(InputError, match="--bands"):
            bands_of(l2a, names)
    with pytest.raises(InputError, match="no product 'l3a'"):
        product_named("l3a")
