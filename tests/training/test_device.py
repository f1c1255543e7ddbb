"""Which device and precision are taken, and that a step keeps to its device."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.train

from test_fit import CROPS, Stopped, options, scenes  # noqa: E402
from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: E402

from geodata.errors import InputError  # noqa: E402
from training.crops import CropSampler  # noqa: E402
from training.device import choose_device, choose_precision  # noqa: E402
from training.false_alarms import FalseAlarmMemory  # noqa: E402
from training.fit import answer, fit  # noqa: E402
from training.net import KilnNet  # noqa: E402
from training.notes import begin_notes  # noqa: E402
from training.targets import draw_targets  # noqa: E402

CPU = torch.device("cpu")


@pytest.mark.parametrize("wanted", ["gpu", "cuda:99", "vulkan", "cpu:x"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(wanted: str) -> None:
    with pytest.raises(InputError, match=f"--device {wanted} .*cpu"):
        choose_device(wanted)


def test_auto_takes_a_device_that_works() -> None:
    assert torch.zeros(1, device=choose_device("auto")).item() == 0
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize(
    ("capabilities", "taken"),
    [({"avx2": True}, "fp32"), ({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({}, "fp32")],
)
def test_auto_goes_by_the_cpus_instructions(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], taken: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_precision("auto", CPU).name == taken
    assert choose_precision("fp32", CPU).name == "fp32" and choose_precision("bf16", CPU).name == "bf16"


@pytest.mark.parametrize(("capability", "taken"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_auto_goes_by_the_gpus_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], taken: str
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert choose_precision("auto", torch.device("cuda")).name == taken


def test_what_auto_meant_stays_when_the_run_moves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert begin_notes(tmp_path, "auto", CPU, 1).precision == "bf16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {})
    again = begin_notes(tmp_path, "auto", CPU, 1)
    assert again.precision == "bf16" and again.seconds == 0
    assert begin_notes(tmp_path, "fp32", CPU, 1).precision == "fp32"
    (tmp_path / "training.json").write_text("{")
    with pytest.raises(InputError, match=r"training\.json is broken"):
        begin_notes(tmp_path, "auto", CPU, 1)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_forward_pass_and_losses_keep_to_the_nets_device(precision: str) -> None:
    """On a make-believe GPU, whose tensors have a device but no values: mixing devices is an error there too.

    It shows that nothing is left on the CPU. It does not show that a real GPU computes the right numbers.
    """
    scene = scenes()
    crops = [CropSampler(scene, CROPS, FalseAlarmMemory.empty(scene)).draw(np.random.default_rng(1))] * 2
    targets = [draw_targets(c.kilns, c.weight) for c in crops]
    x = torch.stack([c.pixels for c in crops])
    with FakeTensorMode(allow_non_fake_inputs=True):
        with torch.device("cuda"):
            net = KilnNet()
        maps = answer(net, x.to("cuda"), targets, precision)
        assert {t.device.type for t in maps} == {"cuda"} and {t.dtype for t in maps} == {torch.float32}
        with pytest.raises(RuntimeError, match="device"):
            net(x)  # the trap is set: a tensor left behind on the CPU fails


def test_steps_are_the_same_whatever_the_device_is_called(tmp_path: Path) -> None:
    """`cpu:0` stands for another device: a run may move between two steps."""
    whole = fit(scenes(), tmp_path / "whole", options(steps=2), CROPS)

    def pull(*_: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        fit(scenes(), tmp_path / "parts", options(steps=2, checkpoint_every=1), CROPS, report=pull)
    moved = fit(scenes(), tmp_path / "parts", options(steps=2, device="cpu:0"), CROPS)
    assert all(torch.equal(whole[k], moved[k]) for k in whole)
