"""training.export: trained weights -> the ONNX graph and the safetensors file of a bundle."""

from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from detection.bundle import GRAPH, WEIGHTS
from geodata.errors import InputError
from geodata.files import atomic_path
from training.net import KilnNet

Weights = dict[str, Tensor]

# what a mirror changes in the maps (heat, d_col, d_row, log length, log width, cos 2a, sin 2a)
_LEFT_RIGHT = (1.0, -1.0, 1.0, 1.0, 1.0, 1.0, -1.0)
_UP_DOWN = (1.0, 1.0, -1.0, 1.0, 1.0, 1.0, -1.0)


class MirroredNet(nn.Module):
    """Several nets asked about the picture and its mirror images, and the mean of all answers.

    A kiln's mirror image is as likely as the kiln, and nets that began at other random weights err elsewhere;
    the mean is a better answer than any one of them. Output: heat as 0-1 (mean of the chances), then the
    regression maps.
    """

    left_right: Tensor
    up_down: Tensor

    def __init__(self, nets: Sequence[KilnNet], views: int = 4) -> None:
        super().__init__()
        self.nets = nn.ModuleList(nets)
        self.views = views
        self.register_buffer("left_right", torch.tensor(_LEFT_RIGHT).view(1, 7, 1, 1))
        self.register_buffer("up_down", torch.tensor(_UP_DOWN).view(1, 7, 1, 1))

    def _answer(self, x: Tensor) -> Tensor:
        total = torch.zeros(())
        for net in self.nets:
            maps = net(x)
            total = total + torch.cat([torch.sigmoid(maps[:, :1]), maps[:, 1:]], 1)
        return total / len(self.nets)

    def forward(self, x: Tensor) -> Tensor:
        """(1, bands, h, w) -> (1, 7, h/2, w/2)."""
        total = self._answer(x)
        if self.views >= 2:
            total = total + torch.flip(self._answer(torch.flip(x, [3])), [3]) * self.left_right
        if self.views >= 4:
            total = total + torch.flip(self._answer(torch.flip(x, [2])), [2]) * self.up_down
            both = torch.flip(self._answer(torch.flip(x, [2, 3])), [2, 3])
            total = total + both * self.up_down * self.left_right
        return total / self.views


def export(weights: Sequence[Weights], folder: Path, views: int = 4) -> None:
    """Write `model.safetensors` and `model.onnx` (opset 18, any multiple of 16 px) into a folder.

    Args:
        weights: one set for each net whose answers are averaged; `model.safetensors` holds them as
            `<number>.<name>`.
        folder: is made if it is missing.
        views: mirror images, see `MirroredNet`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    numbered = {f"{i}.{k}": v.clone() for i, one in enumerate(weights) for k, v in one.items()}
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file(numbered, temporary)
    model = MirroredNet([net_from(one) for one in weights], views).eval()
    example = torch.zeros(1, weights[0]["stem.0.weight"].shape[1], 128, 160)
    size = {2: torch.export.Dim("h16", min=1, max=512) * 16, 3: torch.export.Dim("w16", min=1, max=512) * 16}
    program = torch.onnx.export(
        model, (example,), dynamo=True, opset_version=18, dynamic_shapes=(size,), verbose=False
    )
    assert program is not None
    with atomic_path(folder / GRAPH) as temporary:
        program.save(str(temporary), external_data=False)
        strip_notes(temporary)


def strip_notes(path: Path) -> None:
    """Take the exporter's notes out of a graph: they hold stack traces with the paths of the machine."""
    model = onnx.load(path)
    graph = model.graph
    values = (*graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for part in (model, graph, *graph.node, *values):
        del part.metadata_props[:]
        part.doc_string = ""
    onnx.save(model, path)


def net_from(weights: Weights) -> KilnNet:
    """A net with the given weights, in evaluation mode."""
    net = KilnNet(bands=int(weights["stem.0.weight"].shape[1]))
    net.load_state_dict(weights)
    return net.eval()


def load_weights(path: Path) -> list[Weights]:
    """Weights of a bundle, one set for each of its nets.

    Raises:
        InputError: where they are of another architecture.
    """
    nets: dict[int, Weights] = {}
    for name, tensor in load_file(path).items():
        number, _, rest = name.partition(".")
        nets.setdefault(int(number) if number.isdecimal() else -1, {})[rest] = tensor
    expected = _shapes(KilnNet(bands=3).state_dict())
    if sorted(nets) != list(range(len(nets))) or any(_shapes(one) != expected for one in nets.values()):
        raise InputError(
            f"{path} holds weights of another architecture; start from a bundle of this version."
        )
    return [nets[k] for k in sorted(nets)]


def _shapes(weights: Weights) -> dict[str, torch.Size]:
    # the stem knows how many bands there are, which may differ
    return {k: v.shape for k, v in weights.items() if k != "stem.0.weight"}
