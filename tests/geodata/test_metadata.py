"""Product and time come from tags and ESA's names, never from the file's own time."""

from datetime import UTC, datetime

import pytest

from geodata.sources.metadata import parse_time, read_metadata

PRODUCT = "S2A_MSIL2A_20230812T053641_N0509_R005_T43RGM_20230812T094812"


def test_our_own_tags() -> None:
    tags = {
        "KILNLIGHT_SCENE_ID": "S2A_x",
        "ACQUIRED_AT": "2023-08-12T05:36:41Z",
        "PRODUCT": "S2-L2A",
        "MADE_UP": "yes",
    }
    found = read_metadata(tags, "scene")
    assert found.scene_id == "S2A_x"
    assert found.acquired_at == datetime(2023, 8, 12, 5, 36, 41, tzinfo=UTC)
    assert found.product == "S2-L2A"
    assert found.made_up


def test_tags_of_a_safe_product_survive_a_cut_out() -> None:
    tags = {
        "PRODUCT_URI": f"{PRODUCT}.SAFE",
        "PROCESSING_LEVEL": "Level-2A",
        "DATATAKE_1_DATATAKE_SENSING_START": "2023-08-12T05:36:41.024Z",
    }
    found = read_metadata(tags, "clip")
    assert found.scene_id == PRODUCT
    assert found.product == "S2-L2A"
    assert found.acquired_at == datetime(2023, 8, 12, 5, 36, 41, 24_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("stem", "product"),
    [
        (PRODUCT, "S2-L2A"),
        (PRODUCT.replace("L2A", "L1C") + "_clip", "S2-L1C"),
        ("T43RGM_20230812T053641_B04_10m", None),
        ("L2A_T43RGM_20230812T053641_TCI_10m", "S2-L2A"),
    ],
)
def test_names_in_esas_form_tell_time_and_product_but_no_id(stem: str, product: str | None) -> None:
    found = read_metadata({}, stem)
    assert found.acquired_at == datetime(2023, 8, 12, 5, 36, 41, tzinfo=UTC)
    assert found.product == product
    assert found.scene_id is None, "two cut-outs of one product may bear its name"


def test_the_time_of_writing_is_not_that_of_acquisition() -> None:
    found = read_metadata({"TIFFTAG_DATETIME": "2024:01:01 00:00:00", "AREA_OR_POINT": "Area"}, "val_a")
    assert found == read_metadata({}, "scene_20230812")
    assert (found.scene_id, found.acquired_at, found.product, found.made_up) == (None, None, None, False)


@pytest.mark.parametrize("level", ["S2MSI2A", "Level-2A", "L2A", "S2-L2A", "MSIL2A", "s2_l2a"])
def test_ways_to_write_the_level(level: str) -> None:
    assert read_metadata({"PRODUCT": level}, "x").product == "S2-L2A"


def test_another_product_keeps_its_name() -> None:
    assert read_metadata({"PRODUCT": "PlanetScope"}, "x").product == "PlanetScope"


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2023-08-12T05:36:41+05:30", datetime(2023, 8, 12, 0, 6, 41, tzinfo=UTC)),
        ("2023-08-12 05:36:41", datetime(2023, 8, 12, 5, 36, 41, tzinfo=UTC)),
        ("20230812T053641", datetime(2023, 8, 12, 5, 36, 41, tzinfo=UTC)),
        ("2023-08-12", datetime(2023, 8, 12, tzinfo=UTC)),
        ("12 August 2023", None),
        ("0001-01-01T00:00+05:30", None),
        ("", None),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time
