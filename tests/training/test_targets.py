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

from training.scenes import to_pixels  # noqa: E402
from training.targets import draw_targets, heat_loss  # noqa: E402

STEP = 8.983152841195214e-05
GEOGRAPHIC = Grid(CRS.from_epsg(4326), Affine(STEP, 0, 77.2, 0, -STEP, 28.6), 64, 64)
UTM = Grid(CRS.from_epsg(32643), Affine(10, 0, 715000, 0, -10, 3165000), 64, 64)


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
    targets = draw_targets(to_pixels(box, grid), torch.ones(64, 64))
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
    targets = draw_targets(to_pixels(Boxes(*[np.zeros(0)] * 5), UTM), weight)
    heat_loss(logit, targets.heat[None], targets.weight[None]).backward()
    assert logit.grad is not None
    assert (logit.grad[:, :, :16] == 0).all() and (logit.grad[:, :, 16:] != 0).any()
