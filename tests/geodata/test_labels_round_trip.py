"""What is known of a label comes back from every form that can hold it; what cannot be held is said."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError, ProblemsError
from geodata.labels.forms import ReadOptions
from geodata.labels.kilns import POINT_LENGTH_M, POINT_WIDTH_M, KilnLabels, join
from geodata.labels.losses import lost
from geodata.labels.read import read_kilns, read_labels
from geodata.labels.vectors import write_labels
from geodata.obb import Boxes, offsets_m

NAT = np.datetime64("NaT", "us")
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)


@st.composite
def some_labels(draw: st.DrawFn) -> KilnLabels:
    n = draw(st.integers(1, 4))

    def column(one: st.SearchStrategy, kind: object = np.float64) -> np.ndarray:
        return np.array([draw(one) for _ in range(n)], dtype=kind)

    known = column(st.booleans(), np.bool_)
    length = column(st.floats(60, 150))
    return KilnLabels(
        Boxes(
            column(st.floats(60, 100)),
            column(st.floats(5, 40)),
            np.where(known, length, POINT_LENGTH_M),
            np.where(known, length * column(st.floats(0.3, 0.9)), POINT_WIDTH_M),
            np.where(known, column(st.floats(0, 179.9)), 0),
        ),
        column(st.booleans(), np.bool_),
        column(st.sampled_from(["Zigzag", "FCBK", "unknown"]), np.object_),
        column(st.sampled_from([0.0, 1.0, np.nan]) | st.floats(0, 1)),
        known,
        column(WORDS, np.object_),
        column(st.just(NAT) | st.integers(0, 2**31).map(lambda s: np.datetime64(s, "s")), "datetime64[us]"),
    )


@settings(max_examples=25, deadline=None)
@given(labels=some_labels(), points=st.booleans())
def test_all_that_is_known_comes_back(
    tmp_path_factory: pytest.TempPathFactory, labels: KilnLabels, points: bool
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    for end in (".geojson", ".gpkg", ".csv"):
        write_labels(folder / f"labels{end}", labels, points)
        again = read_kilns(folder / f"labels{end}")
        east, north = offsets_m(again.boxes.lon, again.boxes.lat, labels.boxes.lon, labels.boxes.lat)
        assert np.hypot(east, north).max() < 0.05
        np.testing.assert_allclose(again.boxes.length_m, labels.boxes.length_m, atol=0.1)
        np.testing.assert_allclose(again.boxes.width_m, labels.boxes.width_m, atol=0.1)
        turn = (again.boxes.angle_deg - labels.boxes.angle_deg + 90) % 180 - 90
        assert np.abs(turn).max() < 0.5
        np.testing.assert_array_equal(again.probability, labels.probability)
        for name in ("cut_by_edge", "size_known", "valid_from"):
            np.testing.assert_array_equal(getattr(again, name), getattr(labels, name))
        assert list(again.kiln_class) == list(labels.kiln_class)
        assert list(again.label_id) == list(labels.label_id)


def test_points_without_a_size_are_told_when_they_become_outlines_or_text() -> None:
    boxes = Boxes(*(np.array([v, v]) for v in (77.0, 28.0, 120.0, 60.0, 0.0)))
    labels = KilnLabels(
        boxes, np.zeros(2, bool), np.full(2, "FCBK", object), size_known=np.array([1, 0], bool)
    )
    assert "1 points without a size are written as boxes of 120 x 60 m" in lost(labels, ".gpkg", False)[0]
    assert "The outlines of 1 are kept" in lost(labels, ".csv", False)[0]
    assert any("YOLO-OBB cannot tell" in sentence for sentence in lost(labels, "", False))


def test_a_table_of_places_alone_is_points_of_an_unknown_size(tmp_path: Path) -> None:
    path = tmp_path / "kilns.csv"
    path.write_text("lon,lat,length_m,width_m,angle_deg\n77,28,,,\n77.1,28,100,50,30\n77.2,28,100,50,\n")
    labels = read_kilns(path)
    assert list(labels.size_known) == [False, True, False] and (labels.probability == 1).all()
    assert labels.boxes.length_m[0] == POINT_LENGTH_M and labels.boxes.length_m[1] == 100


BAD_ROWS = {
    "lon": ("east", "its lon or lat is no number"),
    "lat": ("128", "is no place on earth"),
    "probability": ("1.5", "probability is 1.5, it has to be 0 to 1"),
    "length_m": ("-3", "length_m is -3, it has to be more than 0"),
    "kiln_class": ("Zig-Zag", "the class 'Zig-Zag' is unknown, the classes are CFCBK, FCBK, Zigzag, unknown"),
    "cut_by_edge": ("perhaps", "cut_by_edge is 'perhaps', neither true nor false"),
    "valid_from": ("last year", "valid_from is 'last year', no date like 2024-01-31"),
    "width_m": ("wide", "width_m is 'wide', not a number"),
}


@pytest.mark.parametrize("column", BAD_ROWS)
def test_each_broken_row_of_a_table_is_named_and_the_good_ones_taken_on_demand(
    tmp_path: Path, column: str
) -> None:
    value, said = BAD_ROWS[column]
    good = {"lon": "77", "lat": "28", "probability": "", "length_m": "", "width_m": ""}
    good |= {"kiln_class": "", "cut_by_edge": "", "valid_from": ""}
    rows = [good, {**good, column: value}] * 30
    path = tmp_path / "half.csv"
    path.write_text("\n".join([",".join(good), *(",".join(row.values()) for row in rows)]))
    with pytest.raises(ProblemsError) as refused:
        read_labels(path)
    told = str(refused.value).splitlines()
    assert told[0] == f"{path}, line 3: {told[0].split(': ', 1)[1]}" and said in told[0]
    assert told[-2] == "and 10 more rows." and "--skip-bad" in told[-1]
    read = read_labels(path, ReadOptions(skip_bad=True))
    assert len(read.labels) == 30 and len(read.problems) == 30 and read.lines == 60


def test_short_and_long_lines_are_broken_rows(tmp_path: Path) -> None:
    path = tmp_path / "kilns.csv"
    path.write_text("id,lon,lat\na,77,28\nb,77\nc,77,28,29,30\n")
    read = read_labels(path, ReadOptions(skip_bad=True))
    assert list(read.labels.label_id) == ["a"] and len(read.problems) == 2
    path.write_text("id,lon,lat\nb,77\n")
    with pytest.raises(ProblemsError, match="1 rows are broken and 0 good: mend them\\."):
        read_labels(path, ReadOptions(skip_bad=True))


def test_rows_in_another_crs_than_the_file_says_and_files_of_several_layers_are_refused(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mixed.geojson"
    metres = shapely.box(715_000, 3_165_000, 715_100, 3_165_050)
    degrees = shapely.box(77, 28, 77.001, 28.001)
    gpd.GeoDataFrame(geometry=[degrees, metres], crs=4326).to_file(path)
    with pytest.raises(ProblemsError, match="row 2: it is no place on earth"):
        read_labels(path)
    path = tmp_path / "two.gpkg"
    for layer, crs in (("one", 4326), ("two", 3857)):
        gpd.GeoDataFrame(geometry=[degrees], crs=crs).to_file(path, layer=layer)
    with pytest.raises(InputError, match=r"has 2 layers \(one, two\), which may have different CRSs"):
        read_labels(path)


def test_a_verdict_speaks_before_the_probability(tmp_path: Path) -> None:
    path = tmp_path / "sites.geojson"
    gpd.GeoDataFrame(
        {
            "site_id": list("abcde"),
            "probability": [0.3, 0.7, 0.5, 0.6, None],
            "object_verdict": ["kiln", "not_kiln", "unsure", None, None],
        },
        geometry=[shapely.Point(77 + k / 100, 28) for k in range(5)],
        crs=4326,
    ).to_file(path)
    labels = read_kilns(path)
    np.testing.assert_array_equal(labels.probability, [1, 0, np.nan, 0.6, np.nan])
    assert list(labels.label_id) == list("abcde")
    assert list(labels.sure) == [True, False, False, False, False]
    assert list(labels.unsure) == [False, False, True, True, True]


def test_of_several_files_the_earlier_speaks_where_they_meet() -> None:
    def at(*lon: float, probability: float) -> KilnLabels:
        n = len(lon)
        boxes = Boxes(np.array(lon), np.full(n, 28.0), *(np.full(n, v) for v in (120.0, 60.0, 0.0)))
        kinds = np.full(n, "unknown", object)
        return KilnLabels(boxes, np.zeros(n, bool), kinds, np.full(n, probability))

    joined = join([at(77.0, 77.01, probability=1), at(77.0002, 77.02, probability=0)])
    np.testing.assert_array_equal(joined.probability, [1, 1, 0])
    np.testing.assert_allclose(joined.boxes.lon, [77.0, 77.01, 77.02])
