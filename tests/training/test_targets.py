"""What the net is taught and what decoding reads must be the same thing."""

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from detection.decode import decode, to_boxes
from detection.runtime import HeadOutput
from geodata.grid import Grid
from geodata.obb import Boxes, offsets_m

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from geodata.labels.kilns import KilnLabels  # noqa: E402
from training.scenes import PixelBoxes, to_pixels  # noqa: E402
from training.targets import draw_targets, heat_loss, losses  # noqa: E402

STEP = 8.983152841195214e-05
GEOGRAPHIC = Grid(CRS.from_epsg(4326), Affine(STEP, 0, 77.2, 0, -STEP, 28.6), 64, 64)
UTM = Grid(CRS.from_epsg(32643), Affine(10, 0, 715000, 0, -10, 3165000), 64, 64)


def labels(boxes: Boxes, **more: object) -> KilnLabels:
    n = len(boxes)
    return KilnLabels(boxes, np.zeros(n, bool), np.full(n, "unknown", object), **more)  # type: ignore[arg-type]


def angle_gap(a: float, b: float) -> float:
    return abs((a - b + 90) % 180 - 90)


@settings(max_examples=40, deadline=None)
@given(
    grid=st.sampled_from([GEOGRAPHIC, UTM]),
    col=st.floats(16, 48),
    row=st.floats(16, 48),
    length=st.floats(80, 150),
    share=st.floats(0.4, 0.8),
    angle=st.floats(0, 179.9),
)
def test_a_perfect_answer_decodes_to_the_box_that_was_drawn(grid, col, row, length, share, angle):
    lon, lat = grid.lonlat(col, row)
    box = Boxes(*(np.atleast_1d(float(v)) for v in (lon, lat, length, length * share, angle)))
    targets = draw_targets(to_pixels(labels(box), grid), torch.ones(64, 64))
    answer = HeadOutput(targets.heat.numpy(), targets.regression.numpy())
    boxes, scores = to_boxes(decode(answer, 0.9), grid)
    assert len(boxes) == 1 and scores[0] == pytest.approx(1)
    east, north = offsets_m(boxes.lon, boxes.lat, lon, lat)
    assert np.hypot(east, north)[0] < 3.0
    assert boxes.length_m[0] == pytest.approx(length, rel=0.03)
    assert boxes.width_m[0] == pytest.approx(length * share, rel=0.03)
    # in pixels that are not square the rectangle is a parallelogram; its long side keeps its angle
    assert angle_gap(boxes.angle_deg[0], angle) < 1.0


def test_nothing_is_learnt_where_the_weight_is_zero():
    logit = torch.randn(1, 32, 32, requires_grad=True)
    weight = torch.ones(64, 64)
    weight[:, :32] = 0
    targets = draw_targets(to_pixels(labels(Boxes(*[np.zeros(0)] * 5)), UTM), weight)
    heat_loss(logit, targets.heat[None], targets.weight[None]).backward()
    assert logit.grad is not None
    assert (logit.grad[:, :, :16] == 0).all() and (logit.grad[:, :, 16:] != 0).any()


def bars(*places: tuple[float, float], **more: object) -> PixelBoxes:
    at = np.array(places)
    n = len(at)
    along, across = np.tile([6.0, 2.0], (n, 1)), np.tile([-1.0, 3.0], (n, 1))
    return PixelBoxes(at[:, 0], at[:, 1], along, across, **more)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(quality=st.floats(0.06, 0.98), answer=st.floats(0.01, 0.99))
def test_a_soft_label_pulls_the_answer_towards_its_probability_from_both_sides(quality, answer):
    targets = draw_targets(bars((32, 32), probability=np.array([quality])), torch.ones(64, 64))
    logit = torch.full((1, 32, 32), float(np.log(answer / (1 - answer))), requires_grad=True)
    heat_loss(logit, targets.heat[None], targets.weight[None], targets.quality[None]).backward()
    peak = targets.heat.argmax()
    pull = -float(logit.grad.flatten()[peak])
    assert np.sign(pull) == np.sign(quality - answer) or abs(quality - answer) < 1e-3
    # away from it the answer falls, and around it as slowly as around a sure kiln
    rest = logit.grad.flatten()[torch.arange(32 * 32) != peak]
    assert (rest > 0).all()


def test_a_soft_label_costs_nothing_where_it_is_met():
    targets = draw_targets(bars((32, 32), probability=np.array([0.3])), torch.ones(64, 64))
    logit = torch.full((1, 32, 32), -12.0)
    logit.flatten()[targets.heat.argmax()] = float(np.log(0.3 / 0.7))
    assert float(heat_loss(logit, targets.heat[None], targets.weight[None], targets.quality[None])) < 1e-3


def test_sure_labels_train_bit_for_bit_as_without_soft_ones():
    kilns = bars((20, 20), (24, 27), (45, 40))
    targets = draw_targets(kilns, torch.ones(64, 64))
    assert (targets.quality == 1).all()
    output = torch.randn(1, 7, 32, 32, generator=torch.Generator().manual_seed(0))
    one, two = (output.clone().requires_grad_() for _ in range(2))
    heat_loss(one[:, 0], targets.heat[None], targets.weight[None]).backward()
    heat_loss(two[:, 0], targets.heat[None], targets.weight[None], targets.quality[None]).backward()
    assert torch.equal(one.grad, two.grad)


def test_no_size_and_no_angle_is_learnt_from_a_point():
    kilns = bars((20, 20), (45, 40), size_known=np.array([True, False]))
    targets = draw_targets(kilns, torch.ones(64, 64))
    assert targets.regression_weight.sum() == 9 and targets.regression_weight[10, 10] == 1
    assert targets.heat[19:21, 21:24].max() == 1
    output = torch.randn(1, 7, 32, 32, requires_grad=True)
    losses(output, [targets])[1].backward()
    assert (output.grad[0, 1:, 15:, 15:] == 0).all() and (output.grad[0, 1:, 10, 10] != 0).all()


def test_where_two_labels_meet_the_more_probable_one_counts():
    for chances in ((1.0, 0.3), (0.3, 1.0)):
        targets = draw_targets(bars((20, 20), (20, 20), probability=np.array(chances)), torch.ones(64, 64))
        assert (targets.quality == 1).all()
