"""The exported graph answers as the net does, and mirror images get mirrored answers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from safetensors.torch import save_file  # noqa: E402

from detection.runtime import OnnxRuntime  # noqa: E402
from geodata.errors import InputError  # noqa: E402
from training.export import GRAPH, MirroredNet, export, load_weights, net_from  # noqa: E402
from training.net import KilnNet  # noqa: E402


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(5)
    net = KilnNet(bands=4)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return net.state_dict()


@pytest.fixture(scope="module")
def folder(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    export([weights], folder)
    return folder


def test_onnx_and_torch_agree_at_any_size(weights, folder):
    model = MirroredNet([net_from(weights)]).eval()
    runtime = OnnxRuntime(folder / GRAPH)
    for height, width in ((16, 16), (128, 176), (208, 96)):
        x = np.random.default_rng(height).standard_normal((1, 4, height, width)).astype(np.float32)
        with torch.no_grad():
            expected = model(torch.from_numpy(x)).numpy()[0]
        found = runtime.run(x)
        np.testing.assert_allclose(found.heat, expected[0], atol=1e-5)
        np.testing.assert_allclose(found.regression, expected[1:], atol=1e-4)


@pytest.mark.parametrize(("axis", "offset"), [(-1, 0), (-2, 1)])
def test_a_mirrored_picture_gets_the_mirrored_answer(folder, axis, offset):
    runtime = OnnxRuntime(folder / GRAPH)
    x = np.random.default_rng(1).standard_normal((1, 4, 64, 64)).astype(np.float32)
    straight, mirrored = runtime.run(x), runtime.run(np.flip(x, axis))
    np.testing.assert_allclose(mirrored.heat, np.flip(straight.heat, axis), atol=1e-5)
    back = np.flip(mirrored.regression, axis).copy()
    back[offset] *= -1  # offset across the mirror
    back[5] *= -1  # sin 2a: the angle changes its sign
    np.testing.assert_allclose(back, straight.regression, atol=1e-4)


def test_weights_come_back_as_they_were(weights, folder):
    [again] = load_weights(folder / "model.safetensors")
    assert all(torch.equal(again[k], v) for k, v in weights.items())


def test_weights_of_another_architecture_are_refused(weights, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({f"0.{k}": v for k, v in weights.items() if k != "heat.1.bias"}, path)
    with pytest.raises(InputError, match="another architecture"):
        load_weights(path)


def test_the_graph_tells_nothing_of_the_machine_it_was_made_on(folder):
    content = (folder / GRAPH).read_bytes()
    assert b"stack_trace" not in content and b"export.py" not in content


def test_two_nets_answer_with_their_mean(weights, folder, tmp_path):
    other = {k: v * 1.1 if v.is_floating_point() else v for k, v in weights.items()}
    export([weights, other], tmp_path / "two")
    export([other], tmp_path / "other")
    x = np.random.default_rng(2).standard_normal((1, 4, 32, 48)).astype(np.float32)
    one, second, both = (
        OnnxRuntime(f / GRAPH).run(x) for f in (folder, tmp_path / "other", tmp_path / "two")
    )
    assert np.abs(one.heat - second.heat).max() > 1e-3
    np.testing.assert_allclose(both.heat, (one.heat + second.heat) / 2, atol=1e-5)
    np.testing.assert_allclose(both.regression, (one.regression + second.regression) / 2, atol=1e-4)
    again = load_weights(tmp_path / "two" / "model.safetensors")
    assert len(again) == 2 and all(torch.equal(again[1][k], v) for k, v in other.items())
