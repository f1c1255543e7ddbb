"""Marks come back as they were written; broken rows are named; the first look counts."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import mercantile
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.errors import InputError, ProblemsError
from geodata.looks import Look, Mark, first_looks
from geodata.tables.marks import MARK_COLUMNS, read_marks, write_marks

TILE = mercantile.tile(77.3, 28.5, 15)
TILE_ID = f"15/{TILE.x}/{TILE.y}"
BOUNDS = mercantile.bounds(TILE)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LON, LAT = (BOUNDS.west + BOUNDS.east) / 2, (BOUNDS.south + BOUNDS.north) / 2


def mark(who: str = "v1", answer: str = "none", at: datetime = NOON, lon=None, lat=None) -> Mark:
    return Mark(who, TILE_ID, answer, lon, lat, at)


def kiln(who: str = "v1", at: datetime = NOON, lon: float = LON, lat: float = LAT) -> Mark:
    return mark(who, "kiln", at, lon, lat)


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=20)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))


@st.composite
def rows(draw: st.DrawFn) -> list[Mark]:
    """Good marks: one answer for each volunteer, tile and moment."""
    answers: dict[tuple[str, datetime], str] = {}
    out = []
    for who, at in draw(st.lists(st.tuples(names, moments), max_size=12)):
        answer = answers.setdefault((who, at), draw(st.sampled_from(("kiln", "none", "unsure", "bad_image"))))
        lon = draw(st.floats(BOUNDS.west, BOUNDS.east)) if answer == "kiln" else None
        lat = draw(st.floats(BOUNDS.south, BOUNDS.north)) if answer == "kiln" else None
        out.append(mark(who, answer, at, lon, lat))
    return out


@pytest.mark.parametrize("ending", ["csv", "geojson", "json"])
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(marks=rows())
def test_what_was_written_comes_back(tmp_path: Path, ending: str, marks: list[Mark]) -> None:
    path = tmp_path / f"marks.{ending}"
    write_marks(marks, path)
    assert list(read_marks(path).marks) == marks


def csv_file(folder: Path, *lines: str, head: str = ",".join(MARK_COLUMNS)) -> Path:
    path = folder / "marks.csv"
    path.write_text("\n".join([head, *lines]), encoding="utf-8")
    return path


GOOD = f"v1,{TILE_ID},kiln,{LON},{LAT},2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (f"v1,{TILE_ID},yes,,,2026-03-01T12:00:00Z", "answer"),
        (f",{TILE_ID},none,,,2026-03-01T12:00:00Z", "volunteer_id"),
        ("v1,14/1/1,none,,,2026-03-01T12:00:00Z", "14/1/1"),
        ("v1,15/40000/1,none,,,2026-03-01T12:00:00Z", "15/40000/1"),
        (f"v1,{TILE_ID},none,{LON},{LAT},2026-03-01T12:00:00Z", "only 'kiln'"),
        (f"v1,{TILE_ID},kiln,,,2026-03-01T12:00:00Z", "needs lon and lat"),
        (f"v1,{TILE_ID},kiln,{LAT},{LON},2026-03-01T12:00:00Z", "swapped"),
        (f"v1,{TILE_ID},kiln,{LON + 0.02},{LAT},2026-03-01T12:00:00Z", "outside its tile"),
        (f"v1,{TILE_ID},kiln,{LON},128.5,2026-03-01T12:00:00Z", "90"),
        (f"v1,{TILE_ID},kiln,nan,{LAT},2026-03-01T12:00:00Z", "finite"),
        (f"v1,{TILE_ID},none,,,yesterday", "yesterday"),
        (f"v1,{TILE_ID},none,,,2026-03-01", "time of day"),
        (f"v1,{TILE_ID},none,,,1772366400", "1772366400"),
        (f"v1,{TILE_ID},none,,,0001-01-01T00:00:00+05:30", "too early"),
        (f"v1,{TILE_ID}", "answer"),
    ],
)
def test_broken_rows_are_named_and_good_rows_taken_on_request(tmp_path: Path, row: str, why: str) -> None:
    path = csv_file(tmp_path, GOOD, row, GOOD.replace("v1", "v2"))
    with pytest.raises(ProblemsError) as error:
        read_marks(path)
    assert len(error.value.problems) == 2
    assert "row 3:" in error.value.problems[0]
    assert why in error.value.problems[0]
    taken = read_marks(path, skip_bad=True)
    assert [m.volunteer_id for m in taken.marks] == ["v1", "v2"]
    assert len(taken.problems) == 1


def test_all_broken_rows_are_listed_at_once(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "x,y,z,,,", GOOD, "x,y,z,,,")
    with pytest.raises(ProblemsError) as error:
        read_marks(path)
    assert ["row 2" in error.value.problems[0], "row 4" in error.value.problems[1]] == [True, True]


def test_contradicting_rows_of_one_look_are_all_broken(tmp_path: Path) -> None:
    path = csv_file(
        tmp_path, GOOD, f"v1,{TILE_ID},none,,,2026-03-01T12:00:00+00:00", GOOD.replace("v1", "v2")
    )
    taken = read_marks(path, skip_bad=True)
    assert [m.volunteer_id for m in taken.marks] == ["v2"]
    assert len(taken.problems) == 2


def test_byte_order_mark_blank_lines_other_columns_and_zones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    head = "seen_at,device,lat,lon,answer,tile_id,volunteer_id"
    row = f"2026-03-01T17:30:00+05:30,phone,{LAT},{LON},kiln,{TILE_ID}, v1 "
    path.write_bytes(f"\ufeff{head}\r\n{row}\r\n\r\n".encode())
    assert read_marks(path).marks == (kiln(),)


def test_geojson_takes_the_position_from_the_point_or_the_properties(tmp_path: Path) -> None:
    path = tmp_path / "marks.geojson"
    properties = (
        f'"volunteer_id": 7, "tile_id": "{TILE_ID}", "answer": "kiln", "seen_at": "2026-03-01T12:00:00Z"'
    )
    point = f'{{"type": "Point", "coordinates": [{LON}, {LAT}]}}'
    one = f'{{"type": "Feature", "geometry": {point}, "properties": {{{properties}}}}}'
    other = (
        f'{{"type": "Feature", "geometry": null, "properties": {{{properties}, "lon": {LON}, "lat": {LAT}}}}}'
    )
    path.write_text(f'{{"type": "FeatureCollection", "features": [{one}, {other}]}}')
    assert read_marks(path).marks == (kiln("7"), kiln("7"))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("m.csv", b"volunteer_id,tile_id\nv1,x\n", "no column answer"),
        ("m.csv", b"volunteer_id;tile_id;answer;lon;lat;seen_at\n", "semicolons"),
        ("m.csv", b"", "no column"),
        ("m.csv", b"\xff\xfe\x00", "UTF-8"),
        ("m.geojson", b"{", "no JSON"),
        ("m.geojson", b"1" * 5000, "no JSON"),
        ("m.geojson", b"[" * 100_000, "no JSON"),
        ("m.geojson", b"[]", "FeatureCollection"),
        ("m.geojson", b'{"type": "Feature"}', "FeatureCollection"),
        ("m.geojson", b'{"features": [], "crs": {"properties": {"name": "EPSG:32643"}}}', "32643"),
        ("m.xlsx", b"", "does not end"),
    ],
)
def test_what_is_no_table_of_marks_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=why) as error:
        read_marks(path, skip_bad=True)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("feature", ["null", "7", '{"geometry": {"type": "Polygon"}, "properties": null}'])
def test_broken_features_are_named(tmp_path: Path, feature: str) -> None:
    path = tmp_path / "m.geojson"
    path.write_text(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    with pytest.raises(ProblemsError, match="feature 1"):
        read_marks(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_marks(tmp_path / "none.csv")


def test_nothing_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(ProblemsError, match="mark 1"):
        write_marks([mark(answer="none", lon=LON, lat=LAT)], tmp_path / "m.csv")
    assert not list(tmp_path.iterdir())


def test_the_first_look_of_a_volunteer_counts_with_all_its_kilns() -> None:
    later = NOON + timedelta(minutes=5)
    marks = [mark(at=later), kiln(lon=LON + 0.001), kiln(), kiln(), kiln("v2", later)]
    looks = first_looks(marks)
    assert looks == (
        Look("v1", TILE_ID, "kiln", NOON, ((LON, LAT), (LON + 0.001, LAT))),
        Look("v2", TILE_ID, "kiln", later, ((LON, LAT),)),
    )
    assert first_looks(reversed(marks)) == looks


def test_a_look_that_contradicts_itself_is_unsure() -> None:
    assert [look.answer for look in first_looks([kiln(), mark()])] == ["unsure"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
features = st.fixed_dictionaries(
    {},
    optional={
        "geometry": anything | st.fixed_dictionaries({"type": st.just("Point"), "coordinates": anything}),
        "properties": anything | st.fixed_dictionaries({}, optional=dict.fromkeys(MARK_COLUMNS, anything)),
    },
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.fixed_dictionaries({"features": st.lists(features | anything, max_size=3)}) | anything)
def test_whatever_the_json_holds_is_read_or_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "any.geojson"
    path.write_text(json.dumps(content))
    with contextlib.suppress(InputError):
        taken = read_marks(path, skip_bad=True)
        again = tmp_path / "again.csv"
        write_marks(taken.marks, again)
        assert read_marks(again).marks == taken.marks


@pytest.mark.parametrize("who", ['"\\ud800"', '"\\u0000"', "1" + "0" * 400, "[1]", "true", "null"])
def test_odd_names_are_read_or_refused(tmp_path: Path, who: str) -> None:
    path = tmp_path / "odd.json"
    properties = (
        f'"volunteer_id": {who}, "tile_id": "{TILE_ID}", "answer": "none", "seen_at": "2026-03-01T12:00Z"'
    )
    path.write_text(f'{{"features": [{{"properties": {{{properties}}}}}]}}')
    taken = read_marks(path, skip_bad=True)
    assert len(taken.marks) + len(taken.problems) == 1
    write_marks(taken.marks, tmp_path / "again.csv")
    assert read_marks(tmp_path / "again.csv").marks == taken.marks
