"""Reviews of a random sample mend a calibration that does not hold on new land, and say for which land."""

from datetime import UTC, datetime

import numpy as np
import pytest
import shapely
from memory_scene import card
from mercantile import Tile

from detection.bundle import Calibration
from detection.calibrate import logit
from detection.local_domain import LEAST_REVIEWS, local_domains
from detection.recalibration import (
    ALL,
    Reviewed,
    figures,
    recalibration,
    reliability,
    words_of_before,
)
from detection.review_reliability import blocks_of
from geodata.errors import InputError
from geodata.store.review_draw import ABOVE, Unit, draw_reviews
from geodata.tiles import ZOOM, tile_polygon

THRESHOLD = 0.44
CARD = card(calibration=Calibration(slope=2.0, intercept=2.0, n=500, method="elsewhere"))


def reviewed(slope: float, intercept: float, n: int = 400, seed: int = 1) -> Reviewed:
    """A stratified sample of many detections, most of them faint, with what a reviewer says of each."""
    rng = np.random.default_rng(seed)
    score = np.clip(rng.beta(0.6, 3.0, 8000), 0.05, 0.98)
    chance = 1 / (1 + np.exp(-slope * logit(score) - intercept))
    kiln = rng.random(len(score)) < chance
    units = [Unit(f"site{k}", "scene", float(s)) for k, s in enumerate(score)]
    draw = draw_reviews(units, THRESHOLD, n)
    index = np.array([int(one.unit.site_id[4:]) for one in draw.drawn])
    tiles = [(24000 + int(k) % 40, 14000 + int(k) // 40 % 40) for k in index]
    return Reviewed(
        score[index],
        kiln[index],
        np.array([one.stratum == ABOVE for one in draw.drawn]),
        np.array([1 / one.selection_probability for one in draw.drawn]),
        blocks_of(tiles),
    )


def test_a_calibration_from_elsewhere_is_mended() -> None:
    found = reviewed(2.0, -1.5)
    fit = recalibration(found, "2026-01-02")
    assert fit.n == 400 and "400 reviews of a random sample drawn on 2026-01-02" in fit.method
    assert (fit.slope, fit.intercept) == (pytest.approx(2.0, abs=0.8), pytest.approx(-1.5, abs=0.6))
    for row in reliability(found, CARD):
        assert row.before.ece > row.before.perfect, row.group
        assert row.after.high < row.before.low, row.group
        assert row.after.ece < 1.5 * row.after.perfect, row.group


def test_where_the_card_holds_already_nothing_gets_much_worse() -> None:
    found = reviewed(2.0, 2.0)
    for row in reliability(found, CARD):
        assert row.after.ece < row.before.ece + 0.03


def test_what_was_before_is_named_and_both_go_into_the_card() -> None:
    found = reviewed(2.0, -1.5)
    rows = reliability(found, CARD)
    made = figures(rows, found, words_of_before(CARD))
    assert len(made) == 4 and sum(ALL in one.name for one in made) == 2
    assert "the card's own calibration" in made[0].protocol and "cross-validated over" in made[1].protocol
    assert words_of_before(card(calibration=None)) == "the raw score"
    local = card(
        local_calibrations=(Calibration(slope=1, intercept=0, n=200, method="", domain=CARD.domain),)
    )
    assert "local" in words_of_before(local)


def test_scores_that_say_the_opposite_are_refused() -> None:
    with pytest.raises(InputError, match="does not mean more kilns"):
        recalibration(reviewed(-1.0, 0.0), "2026-01-02")


def test_reviews_in_one_square_cannot_be_checked() -> None:
    found = reviewed(2.0, 0.0, n=100)
    one = Reviewed(found.score, found.is_kiln, found.above, found.weight, np.full(100, "a"))
    with pytest.raises(InputError, match="one square"):
        reliability(one, CARD)


# --- the domain ------------------------------------------------------------------------------------------

SEEN = [(datetime(2024, 1, 10, tzinfo=UTC), "S2-L2A"), (datetime(2024, 12, 1, tzinfo=UTC), "S2-L2A")]


def square(x: int, y: int, side: int) -> list[Tile]:
    return [Tile(x + dx, y + dy, ZOOM) for dx in range(side) for dy in range(side)]


def test_a_domain_holds_the_whole_land_that_the_scenes_cover_and_a_rim() -> None:
    land = square(24000, 14000, 8)
    (domain,) = local_domains(land, land[: LEAST_REVIEWS + 2], SEEN)
    assert (domain.months, domain.products) == ((1, 12), ("S2-L2A",))
    shape = shapely.Polygon(domain.area)
    assert all(shape.contains(tile_polygon(tile)) for tile in land)
    assert not shape.intersects(tile_polygon(Tile(24000 + 10, 14000, ZOOM)))


def test_lands_far_apart_stay_apart_and_one_without_reviews_is_left_out() -> None:
    here, there = square(24000, 14000, 6), square(24100, 14000, 6)
    assert len(local_domains(here + there, here + there, SEEN)) == 2
    (domain,) = local_domains(here + there, here + there[: LEAST_REVIEWS - 1], SEEN)
    assert not shapely.Polygon(domain.area).intersects(tile_polygon(there[0]))
    assert local_domains(here, here[:3], SEEN) == ()
