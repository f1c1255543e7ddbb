"""Coordinates as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.coordinates import Place, parse_place
from geodata.errors import InputError

LAT = st.floats(-90, 90, allow_nan=False).map(lambda value: round(value, 5))
LON = st.floats(-180, 180, allow_nan=False).map(lambda value: round(value, 5))


@pytest.mark.parametrize(
    "text",
    [
        "28.71, 77.42",
        "  28.71 77.42 ",
        "28.71;77.42",
        "+28.71, +77.42",
        "28.71N 77.42E",
        "77.42 E, 28.71 N",
        "N28.71 E77.42",
        "28.71N77.42E",
        "28.71°, 77.42°",
        "28°42'36\"N 77°25'12\"E",
        "28° 42′ 36″ N, 77° 25′ 12″ E",
        "28 d 42 m 36 s N, 77 d 25 m 12 s E",
        "28°42.6'N 77°25.2'E",
        "geo:28.71,77.42",
        "geo:28.71,77.42?z=17",
        "geo:28.71,77.42;u=35",
        "GEO:28.71,77.42,210",
        "(28.71, 77.42)",
        "[28.71, 77.42]",
        "28 42 36 N 77 25 12 E",
        "N 28 42.6 E 77 25.2",
        "N28° 42.600 E077° 25.200",
        "77 25.2 E, 28 42.6 N",
        "https://www.google.com/maps/@28.71,77.42,15z",
        "https://www.google.com/maps?q=28.71,77.42&z=3",
        "https://www.openstreetmap.org/#map=15/28.71/77.42",
        "https://maps.example/?ll=28.71%2C77.42",
    ],
)
def test_one_place_in_many_hands(text: str) -> None:
    place = parse_place(text)
    assert (place.lat, place.lon) == pytest.approx((28.71, 77.42), abs=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "here",
            "28.71",
            "28,71, 77,42",
            "91, 10",
            "10, 181",
            "N28 N77",
            "28 70' N 77 E",
            "-28 S, 77 E",
        ),
        *("N28S, 77E", "geo:", "geo:1", "nan, nan", "inf, 0", "1, 2, 3", "28.71, <b>", "1e5, 3", "x" * 5000),
        *(
            "28 42 77 25",
            "N 28 42 77 E",
            "https://maps.example/@28.71",
            "https://example.org/28.71,77.42",
            "()",
        ),
    ],
)
def test_what_is_no_place_gets_one_sentence(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_place(text)
    assert "28.71, 77.42" in str(error.value)
    assert len(str(error.value)) < 250


@given(LAT, LON)
def test_what_we_write_we_read(lat: float, lon: float) -> None:
    place = Place(lat, lon)
    for text in (place.text(), place.geo_uri()):
        found = parse_place(text)
        assert (found.lat, found.lon) == pytest.approx((lat, lon), abs=1e-5)


@given(LAT, LON)
def test_minutes_and_seconds(lat: float, lon: float) -> None:
    def sexagesimal(value: float, letters: str) -> str:
        thousandths = round(abs(value) * 3_600_000)
        degrees, rest = divmod(thousandths, 3_600_000)
        minutes, seconds = divmod(rest, 60_000)
        return f"{degrees}°{minutes}'{seconds / 1000:.3f}\"{letters[value < 0]}"

    found = parse_place(f"{sexagesimal(lat, 'NS')} {sexagesimal(lon, 'EW')}")
    assert (found.lat, found.lon) == pytest.approx((lat, lon), abs=1e-6)


@given(st.text(alphabet="0123456789.,;NSEW°'\"-+ geo:", max_size=40))
def test_any_text_is_a_place_or_a_sentence(text: str) -> None:
    try:
        place = parse_place(text)
    except InputError:
        return
    assert abs(place.lat) <= 90 and abs(place.lon) <= 180
