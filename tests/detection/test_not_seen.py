"""'Not seen on' is said only where a later scene truly looked and found nothing, however weak."""

from datetime import UTC, datetime, timedelta

import mercantile
import numpy as np
import pytest

from detection.not_seen import SceneLook, not_seen_on
from geodata.obb import Boxes

DAY = datetime(2026, 1, 1, tzinfo=UTC)
LATER = DAY + timedelta(days=30)
TILE = mercantile.tile(77.3, 28.5, 15)
BOUNDS = mercantile.bounds(TILE)


def box(lon: float, lat: float) -> Boxes:
    return Boxes(*(np.array([v]) for v in (lon, lat, 120.0, 60.0, 0.0)))


NOTHING = Boxes(*(np.empty(0) for _ in range(5)))
SITE = box((BOUNDS.west + BOUNDS.east) / 2, (BOUNDS.south + BOUNDS.north) / 2)
AT_EDGE = box(BOUNDS.west, (BOUNDS.south + BOUNDS.north) / 2)
SEEN = {f"15/{TILE.x}/{TILE.y}": 0.95}


@pytest.mark.parametrize(
    ("site", "last_seen", "scene", "expected"),
    [
        (SITE, DAY, SceneLook(LATER, SEEN, NOTHING), LATER),
        (SITE, DAY, SceneLook(LATER, SEEN, SITE), None),
        (SITE, DAY, SceneLook(LATER, SEEN, box(77.31, 28.6)), LATER),
        (SITE, DAY, SceneLook(LATER, {next(iter(SEEN)): 0.8}, NOTHING), None),
        (SITE, DAY, SceneLook(LATER, {}, NOTHING), None),
        (SITE, DAY, SceneLook(None, SEEN, NOTHING), None),
        (SITE, LATER, SceneLook(DAY, SEEN, NOTHING), None),
        (SITE, DAY, SceneLook(DAY, SEEN, NOTHING), None),
        (SITE, None, SceneLook(LATER, SEEN, NOTHING), None),
        (AT_EDGE, DAY, SceneLook(LATER, SEEN, NOTHING), None),
        (AT_EDGE, DAY, SceneLook(LATER, SEEN | {f"15/{TILE.x - 1}/{TILE.y}": 1.0}, NOTHING), LATER),
    ],
)
def test_one_scene(
    site: Boxes, last_seen: datetime | None, scene: SceneLook, expected: datetime | None
) -> None:
    assert not_seen_on(site, [last_seen], [scene]) == (expected,)


def test_the_latest_of_several_scenes_is_named_whatever_their_order() -> None:
    last = LATER + timedelta(days=9)
    scenes = [SceneLook(at, SEEN, NOTHING) for at in (LATER, last, DAY)]
    assert not_seen_on(SITE, [DAY], scenes) == not_seen_on(SITE, [DAY], scenes[::-1]) == (last,)
