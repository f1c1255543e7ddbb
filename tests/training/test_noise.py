"""Labels that the averaged net contradicts count less, late in a training, and only where it is very sure."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from training.noise import MISSED_WEIGHT, doubted  # noqa: E402
from training.scenes import PixelBoxes  # noqa: E402
from training.targets import Targets, draw_targets, heat_loss  # noqa: E402


def targets(probability: float = 1.0) -> Targets:
    boxes = PixelBoxes(
        np.array([20.0]),
        np.array([20.0]),
        np.array([[6.0, 0]]),
        np.array([[0, 3.0]]),
        np.array([probability]),
    )
    return draw_targets(boxes, torch.ones(64, 64))


def heat(**places: float) -> torch.Tensor:
    out = torch.full((32, 32), 0.05)
    for place, value in places.items():
        row, col = (int(v) for v in place[1:].split("_"))
        out[row, col] = value
    return out


def test_an_unlabelled_place_that_it_is_sure_of_teaches_nothing_and_a_doubtful_one_still_does():
    seen = doubted(targets(), heat(p10_10=0.9, p20_24=0.95, p28_8=0.6))
    assert seen.weight[20, 24] == 0 and seen.weight[18, 22] == 0 and seen.weight[17, 24] == 1
    assert seen.weight[28, 8] == 1 and seen.weight[10, 10] == 1
    logit = torch.full((1, 32, 32), 3.0, requires_grad=True)
    heat_loss(logit, seen.heat[None], seen.weight[None]).backward()
    assert logit.grad[0, 20, 24] == 0 and logit.grad[0, 28, 8] > 0


def test_a_label_that_it_gives_nothing_counts_less_and_one_it_sees_nearby_counts_in_full():
    sure = targets()
    peak = divmod(int(sure.heat.argmax()), 32)
    missed = doubted(sure, torch.zeros(32, 32))
    assert missed.weight[peak] == MISSED_WEIGHT and missed.regression_weight[peak] == MISSED_WEIGHT
    assert missed.weight[0, 0] == 1
    for same in (doubted(sure, heat(p11_11=0.3)), doubted(targets(0.4), torch.zeros(32, 32))):
        assert same.weight.min() == 1 and same.regression_weight[peak] == 1
