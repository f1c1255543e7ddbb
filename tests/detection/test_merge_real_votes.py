"""The shipped merge on real votes: never clearly worse than its best part."""

import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_data

TOLERANCE = 0.005
"""The largest loss in docs/merging.md, over more seeds, is smaller."""


@pytest.fixture(scope="module")
def results():
    """Cases of the two sets with the worst and with the best votes."""
    if not os.environ.get("KILNLIGHT_DATA"):
        pytest.skip("KILNLIGHT_DATA is not set: the real votes are not here")
    folder = Path(__file__).parents[2] / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        import merge_votes
    finally:
        sys.path.remove(str(folder))
    crowd = Path(os.environ["KILNLIGHT_DATA"]) / "crowd"
    return list(merge_votes.compare(crowd, seeds=2, sets=("les_cayes", "SP_amt")))


def test_merged_is_not_worse_than_the_best_part(results) -> None:
    for one in results:
        assert one.ap["ours"].mean() >= one.best_part() - TOLERANCE, (one.name, one.n_votes, one.dependent)


def test_damping_saves_what_the_plain_sum_loses(results) -> None:
    for one in results:
        if one.name == "les_cayes":
            assert (one.ap["ours"] > one.ap["plain sum"]).all(), (one.n_votes, one.dependent)
