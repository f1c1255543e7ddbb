"""Disturbed crops are the same land in another light."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from training.disturb import VEIL, Disturbance, as_scene, disturb, hazy, other_soil  # noqa: E402
from training.scenes import NORMALISATION  # noqa: E402

CALM = Disturbance(
    blur_chance=0, soil_chance=0, haze_chance=0, gain=0, shift=0, noise=0, renormalise_chance=0
)


def land(seed: int = 0) -> torch.Tensor:
    """Normalised pixels, as far as they matter here."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((3, 32, 32)).astype(np.float32))


def test_without_any_chance_nothing_changes():
    x = land()
    assert torch.equal(disturb(x, np.random.default_rng(0), CALM), x)


@pytest.mark.parametrize("seed", range(6))
def test_haze_takes_contrast_and_adds_light(seed):
    x, rng = land(), np.random.default_rng(seed)
    y = hazy(x, rng)
    # a brighter place stays brighter than its neighbour under the same veil, and by no more than it was
    across = (y[:, :, 1:] - y[:, :, :-1]).std((1, 2)) / (x[:, :, 1:] - x[:, :, :-1]).std((1, 2))
    assert (across > 1 - VEIL).all() and (across < 1.05).all()
    assert y.mean() > -0.3 * VEIL


@pytest.mark.parametrize("seed", range(6))
def test_other_soil_keeps_the_order_of_tones_where_bands_agree(seed):
    grey = land()[:1].repeat(3, 1, 1)
    y = other_soil(grey, np.random.default_rng(seed))
    order = grey[0].flatten().argsort()
    for band in y:
        assert (band.flatten()[order].diff() >= -1e-6).all()
    zero = other_soil(torch.zeros(3, 4, 4), np.random.default_rng(seed))
    assert torch.equal(zero, torch.zeros(3, 4, 4))


def test_a_crop_normalised_on_its_own_forgets_scale_and_shift():
    x = land()
    assert torch.allclose(as_scene(x), as_scene(3 * x - 2), atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_disturbed_pixels_stay_in_range_and_come_from_the_generator(seed):
    options = Disturbance(soil_chance=1, haze_chance=1, renormalise_chance=1)
    x = land(seed) * 5
    one, again = (disturb(x, np.random.default_rng(seed), options) for _ in range(2))
    assert torch.equal(one, again) and torch.isfinite(one).all()
    assert float(one.abs().max()) <= NORMALISATION.clip
