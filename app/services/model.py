"""app.services.model: the model that a person chose, tried once before any scene is looked at."""

from pathlib import Path

import numpy as np

from detection.bundle import shipped_bundle_path
from detection.scan import Detector, load_detector
from geodata.errors import InputError


def open_model(folder: Path | None, threads: int) -> Detector:
    """Load a bundle and run its graph on an empty picture; None takes the shipped one.

    Raises:
        InputError: a broken bundle, or a graph that does not fit its card.
    """
    folder = folder or shipped_bundle_path()
    try:
        detector = load_detector(folder, threads)
        side = detector.card.input_multiple
        detector.net.run(np.zeros((1, len(detector.card.bands), side, side), np.float32))
    except InputError:
        raise
    except Exception as error:  # ONNX Runtime has a kind for each case and none for all
        raise InputError(
            f"The graph of the model bundle {folder} does not run as its card says"
            f" ({type(error).__name__}); copy the whole folder again, or train it again if you changed it."
        ) from error
    return detector
