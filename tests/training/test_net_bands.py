"""Weights for some bands start a net for others."""

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from training.bands import for_bands, in_words  # noqa: E402
from training.net import KilnNet  # noqa: E402

RGB = ("red", "green", "blue")
STEM = "stem.0.weight"


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(1)
    return KilnNet(bands=3).state_dict()


def test_known_bands_keep_their_filters_wherever_they_stand_and_new_ones_get_the_mean(weights):
    got = for_bands(weights, RGB, ("nir", "blue", "red", "green"))
    old, new = weights[STEM], got[STEM]
    torch.testing.assert_close(new[:, 0], old.mean(1))
    assert torch.equal(new[:, 1:], old[:, [2, 0, 1]])
    assert all(torch.equal(got[k], v) for k, v in weights.items() if k != STEM)
    net = KilnNet(bands=4)
    net.load_state_dict(got)
    assert net(torch.zeros(1, 4, 32, 32)).shape == (1, 7, 16, 16)


def test_one_band_keeps_its_own_filters(weights):
    assert torch.equal(for_bands(weights, RGB, ("green",))[STEM], weights[STEM][:, 1:2])


def test_the_same_bands_change_nothing(weights):
    assert for_bands(weights, RGB, RGB) is weights


def test_it_says_what_starts_from_what():
    assert in_words(RGB, ("red", "nir")).endswith(
        "red, nir: red kept; nir from the mean of red, green, blue."
    )
