"""Bands are found by name, by colour or, with a warning, by order; never guessed."""

import pytest

from geodata.errors import InputError
from geodata.sources.bands import FileBand, canonical, plan_bands

RGB = ("red", "green", "blue")


def bands(*names: str | None, colours: tuple[str, ...] = ()) -> list[FileBand]:
    colours = colours or ("gray",) + ("undefined",) * len(names)
    return [FileBand(index, name, colours[index - 1]) for index, name in enumerate(names, start=1)]


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("red", "red"),
        ("Red", "red"),
        ("B04", "red"),
        ("B4", "red"),
        ("b4", "red"),
        ("B04_10m", "red"),
        ("T43RGM_20230812T053641_B04", "red"),
        ("T43RGM_20230812T053641_B04_10m", "red"),
        ("B4, central wavelength 665 nm", "red"),
        ("B8A", "nir08"),
        ("B08", "nir"),
        ("B12", "swir22"),
        ("SCL", "scl"),
        ("SCL_20m", "scl"),
        ("Band 4", "band 4"),
        ("Red edge 1", "red edge 1"),
        ("red_edge", "red_edge"),
        ("Vegetation Red Edge (B05)", "rededge1"),
        ("red and blue", "red and blue"),
    ],
)
def test_common_names(name: str, common: str) -> None:
    assert canonical(name) == common


def test_by_description_in_any_order_with_the_class_layer() -> None:
    plan = plan_bands("a.tif", bands("B02", "B03", "B04", "B08", "SCL"), RGB, None)
    assert (plan.names, plan.indexes, plan.scl_index, plan.warnings) == (RGB, (3, 2, 1), 5, ())


def test_the_wanted_names_may_be_those_of_sentinel() -> None:
    plan = plan_bands("a.tif", bands("blue", "green", "red"), ("B04", "B03", "B02"), None)
    assert (plan.names, plan.indexes) == (("B04", "B03", "B02"), (3, 2, 1))


def test_names_count_for_more_than_the_colours_that_gdal_gives_any_three_bytes() -> None:
    colours = ("red", "green", "blue")
    for names in (("B04", "B08", "B11"), ("red", "red", "blue")):
        with pytest.raises(InputError, match="does not have the bands"):
            plan_bands("a.tif", bands(*names, colours=colours), RGB, None)
    plan = plan_bands("a.tif", bands("Band 1", "Band 2", "Band 3", colours=colours), RGB, None)
    assert plan.indexes == (1, 2, 3)


def test_by_colour_interpretation_and_without_alpha() -> None:
    found = bands(None, None, None, None, colours=("blue", "green", "red", "alpha"))
    assert plan_bands("a.tif", found, RGB, None).indexes == (3, 2, 1)


def test_as_many_nameless_bands_as_wanted_come_in_order_with_a_warning() -> None:
    plan = plan_bands("a.tif", bands(None, None, None), RGB, None)
    assert plan.indexes == (1, 2, 3)
    assert "red, green, blue" in plan.warnings[0]
    assert "--bands" in plan.warnings[0]


def test_named_bands_that_are_others_are_not_taken_in_order() -> None:
    with pytest.raises(InputError, match=r"it has B08, B11, B12; .*--bands"):
        plan_bands("a.tif", bands("B08", "B11", "B12"), RGB, None)


def test_more_nameless_bands_than_wanted_are_an_error() -> None:
    with pytest.raises(InputError, match=r"a\.tif does not have .* it has 8 without names; .*--bands"):
        plan_bands("a.tif", bands(*[None] * 8), RGB, None)


def test_the_user_names_the_bands() -> None:
    given = ["B04", "B03", "B02", "-"]
    assert plan_bands("a.tif", bands(None, None, None, None), RGB, given).indexes == (1, 2, 3)
    # what the user says goes before what the file says
    assert plan_bands("a.tif", bands("x", "red", "green", "blue"), RGB, given).indexes == (1, 2, 3)


def test_the_user_may_name_the_alpha_band_or_leave_it_out() -> None:
    found = bands(None, None, None, None, colours=("gray", "undefined", "undefined", "alpha"))
    for given in (["red", "green", "blue"], ["red", "green", "blue", "-"]):
        assert plan_bands("a.tif", found, RGB, given).indexes == (1, 2, 3)


def test_names_that_do_not_fit_the_file_are_an_error() -> None:
    with pytest.raises(InputError, match=r"--bands gives 3 names but a\.tif has 4 bands"):
        plan_bands("a.tif", bands(None, None, None, None), RGB, RGB)
    with pytest.raises(InputError, match=r"--bands names red, green, nir for a\.tif, but"):
        plan_bands("a.tif", bands(None, None, None), RGB, ["red", "green", "nir"])


def test_a_band_twice_is_an_error() -> None:
    with pytest.raises(InputError, match=r"the band red more than once \(bands 1 and 4\)"):
        plan_bands("a.tif", bands("B04", "B03", "B02", "B04"), RGB, None)
