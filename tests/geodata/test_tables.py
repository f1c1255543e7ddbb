"""Tables are checked when they are written and when they are read; labels are read from any vector file."""

import json
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.labels.read import read_kilns
from geodata.obb import Boxes
from geodata.tables.columns import DETECTION_COLUMNS
from geodata.tables.detections import boxes_of, read_detections, write_detections, write_geojson


def table(n: int = 2, **changes: object) -> gpd.GeoDataFrame:
    boxes = Boxes(
        77.0 + 0.01 * np.arange(n), np.full(n, 28.5), np.full(n, 120.0), np.full(n, 60.0), np.full(n, 30.0)
    )
    columns = {
        "detection_id": pd.Series([f"d{k}" for k in range(n)], dtype="str"),
        "scene_id": pd.Series(["s"] * n, dtype="str"),
        "acquired_at": pd.Series([None] * n, dtype="datetime64[us, UTC]"),
        "site_type": pd.Series(["brick_kiln"] * n, dtype="str"),
        "kiln_class": pd.Series(["unknown"] * n, dtype="str"),
        "score": np.full(n, 0.5, np.float32),
        "probability": np.full(n, np.nan, np.float32),
        "length_m": boxes.length_m.astype(np.float32),
        "width_m": boxes.width_m.astype(np.float32),
        "angle_deg": boxes.angle_deg.astype(np.float32),
        "model_id": pd.Series(["m"] * n, dtype="str"),
        "geometry": shapely.polygons(boxes.corners()),
    }
    assert tuple(columns) == DETECTION_COLUMNS
    return gpd.GeoDataFrame({**columns, **changes}, geometry="geometry", crs="EPSG:4326")


@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_table_comes_back_as_it_was(tmp_path: Path, n: int) -> None:
    write_detections(tmp_path / "d.parquet", table(n))
    back = read_detections(tmp_path / "d.parquet")
    pd.testing.assert_frame_equal(pd.DataFrame(back), pd.DataFrame(table(n)))
    assert len(boxes_of(back)) == n


def test_an_area_can_be_read_alone(tmp_path: Path) -> None:
    write_detections(tmp_path / "d.parquet", table(3))
    # the box crosses the edge of the second outline only
    part = gpd.read_parquet(tmp_path / "d.parquet", bbox=(77.0101, 28.4, 77.012, 28.6))
    assert part["detection_id"].tolist() == ["d1"]


WRONG = {
    "score above 1": {"score": np.full(2, 1.5, np.float32)},
    "score in double": {"score": np.full(2, 0.5)},
    "twice the same id": {"detection_id": ["d", "d"]},
    "angle of 180": {"angle_deg": np.full(2, 180, np.float32)},
    "wider than long": {"width_m": np.full(2, 121, np.float32)},
    "another type": {"site_type": ["factory"] * 2},
    "no score": {"score": np.full(2, np.nan, np.float32)},
    "one more column": {"note": ["a", "b"]},
    "points": {"geometry": shapely.points([[77, 28], [77, 29]])},
    "time without zone": {"acquired_at": pd.Series([datetime(2024, 1, 1)] * 2)},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_what_breaks_the_contract_is_not_written(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="detections table"):
        write_detections(tmp_path / "d.parquet", table(**change))
    assert not list(tmp_path.iterdir())


def test_another_crs_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EPSG:4326"):
        write_detections(tmp_path / "d.parquet", table().to_crs(32643))


@pytest.mark.parametrize("change", ["score above 1", "one more column", "wider than long"])
def test_what_breaks_the_contract_is_not_read(tmp_path: Path, change: str) -> None:
    table(**WRONG[change]).to_parquet(tmp_path / "d.parquet")
    with pytest.raises(InputError, match=r"d\.parquet"):
        read_detections(tmp_path / "d.parquet")


def test_what_is_no_table_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "d.parquet").write_bytes(b"PAR1 nothing")
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "plain.parquet")
    for name in ("d.parquet", "plain.parquet", "missing.parquet"):
        with pytest.raises(InputError, match=name):
            read_detections(tmp_path / name)


def test_geojson_has_iso_times_and_nulls(tmp_path: Path) -> None:
    at = pd.Series([datetime(2024, 1, 31, 5, 30, tzinfo=UTC), None], dtype="datetime64[us, UTC]")
    write_geojson(tmp_path / "d.geojson", table(acquired_at=at))
    first, second = json.loads((tmp_path / "d.geojson").read_text())["features"]
    assert first["properties"]["acquired_at"] == "2024-01-31T05:30:00.000000Z"
    assert second["properties"]["acquired_at"] is None and second["properties"]["probability"] is None


@settings(max_examples=15, deadline=None)
@given(
    st.floats(-170, 170),
    st.floats(-65, 65),
    st.floats(80, 150),
    st.floats(30, 70),
    st.floats(0, 179.9),
    st.booleans(),
)
def test_kilns_come_back_from_geojson_and_from_another_crs(
    tmp_path_factory, lon, lat, length, width, angle, extra
):
    kiln = Boxes(*(np.array([v]) for v in (lon, lat, length, width, angle)))
    ring = kiln.corners()[0]
    if extra:
        # one corner more, on a side: the smallest box around it is the kiln
        ring = np.insert(ring, 1, ring[:2].mean(axis=0), axis=0)
    path = tmp_path_factory.mktemp("labels") / "kilns.gpkg"
    gpd.GeoDataFrame({"id": ["k"]}, geometry=[shapely.Polygon(ring)], crs=4326).to_crs(3857).to_file(path)
    labels = read_kilns(path)
    assert labels.boxes.lon[0] == pytest.approx(lon, abs=1e-6) and labels.boxes.lat[0] == pytest.approx(
        lat, abs=1e-6
    )
    assert labels.boxes.length_m[0] == pytest.approx(length, abs=0.1)
    assert (labels.boxes.angle_deg[0] - angle + 90) % 180 - 90 == pytest.approx(0, abs=0.2)
    assert not labels.cut_by_edge.any()


def test_kilns_in_a_file_that_knows_multi_polygons_only_and_in_an_empty_one(tmp_path):
    square = shapely.box(77, 28, 77.001, 28.001)
    path = tmp_path / "kilns.gpkg"
    gpd.GeoDataFrame(geometry=[shapely.MultiPolygon([square])], crs=4326).to_file(path)
    assert len(read_kilns(path).boxes) == 1
    two = shapely.MultiPolygon([square, shapely.box(78, 28, 78.001, 28.001)])
    gpd.GeoDataFrame(geometry=[two], crs=4326).to_file(path)
    with pytest.raises(InputError, match="row 1: it is a MultiPolygon, not one polygon or one point"):
        read_kilns(path)
    (tmp_path / "none.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError, match="holds no kiln"):
        read_kilns(tmp_path / "none.geojson")


@pytest.mark.parametrize(
    "ring",
    [
        [(77, 28), (77.001, 28.001), (77.001, 28), (77, 28.001)],
        [(77, 28), (77.001, 28.001), (77.002, 28.002)],
    ],
)
def test_an_outline_that_crosses_itself_or_has_no_area_is_named(tmp_path, ring):
    good = shapely.box(77, 28, 77.001, 28.001)
    path = tmp_path / "kilns.geojson"
    gpd.GeoDataFrame(geometry=[good, shapely.Polygon(ring)], crs=4326).to_file(path)
    with pytest.raises(
        InputError, match=r"row 2: broken outline \(.*\)\.\n1 rows are broken and 1 good: mend them"
    ):
        read_kilns(path)


@pytest.mark.real_data
def test_the_real_labels_are_read_with_their_own_sizes(delhi: Path) -> None:
    labels = read_kilns(delhi / "kilns.geojson")
    told = gpd.read_file(delhi / "kilns.geojson")
    assert len(labels.boxes) == len(told) == 497 and labels.cut_by_edge.sum() == 8
    np.testing.assert_allclose(labels.boxes.length_m, told["length_m"], rtol=0.01)
    np.testing.assert_allclose(labels.boxes.width_m, told["width_m"], rtol=0.01)
    turn = (labels.boxes.angle_deg - told["angle_deg"].to_numpy() + 90) % 180 - 90
    assert np.abs(turn).max() < 0.5
