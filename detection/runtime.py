"""detection.runtime: runs a bundle's exported graph on ONNX Runtime; no torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray


@dataclass(frozen=True)
class HeadOutput:
    """The net's maps on one window, at `stride` input pixels a cell."""

    heat: NDArray[np.float32]
    """(h, w): 0-1, the chance-like score of a kiln's centre."""
    regression: NDArray[np.float32]
    """(6, h, w): offset_col, offset_row (cells from the cell's centre), log_length_px, log_width_px,
    cos_2angle, sin_2angle (long axis in the pixel frame, y up)."""


class OnnxRuntime:
    """One session; give each process its own."""

    def __init__(self, onnx_path: Path, threads: int = 1) -> None:
        options = ort.SessionOptions()
        # ONNX Runtime counts physical cores, blind to container limits (onnxruntime #29510)
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = ort.InferenceSession(str(onnx_path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, pixels: NDArray[np.float32]) -> HeadOutput:
        """Maps for one window.

        Args:
            pixels: float32 (1, bands, height, width), normalised; sides are multiples of the card's
                `input_multiple`.
        """
        (maps,) = self._session.run(None, {self._input: np.ascontiguousarray(pixels, dtype=np.float32)})
        return HeadOutput(maps[0, 0], maps[0, 1:])
