"""app.services.model: the model that a person means, tried once before any scene is looked at."""

from pathlib import Path

import numpy as np

from app.services.project import Project, open_project
from detection.bundle import CARD, load_bundle, shipped_bundle_path
from detection.scan import Detector, load_detector
from geodata.errors import InputError
from geodata.store.models import model_choices
from geodata.store.opening import STORE

MODELS = "models"
"""Folder of a project with a bundle in `models/<model_id>/` for each model that it keeps."""


def open_model(folder: Path | None, threads: int) -> Detector:
    """Load a bundle and run its graph on an empty picture.

    Args:
        folder: a bundle, or a project, whose model is taken (`model_folder`); None takes the shipped one.
        threads: of the CPU.

    Raises:
        InputError: a broken bundle, or a graph that does not fit its card.
    """
    folder = model_folder(folder)
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


def model_folder(folder: Path | None) -> Path:
    """The bundle that a person means: a bundle's folder, a project (the model that it uses), or the shipped.

    Raises:
        InputError: a project whose model is gone.
    """
    if folder is None:
        return shipped_bundle_path()
    if (folder / STORE).is_file():
        with open_project(folder) as project:
            return folder_in_use(project)
    return folder


def folder_in_use(project: Project) -> Path:
    """The bundle of the model that a project uses. Raises `InputError` where its folder is gone."""
    with project.store.reading() as connection:
        choices = model_choices(connection)
    if not choices:
        return shipped_bundle_path()
    return kept_folder(project, choices[-1].model_id)


def kept_folder(project: Project, model_id: str) -> Path:
    """The folder of a model that a project keeps, or of the shipped one, by id. Raises `InputError`."""
    for folder in (project.folder / MODELS / model_id, shipped_bundle_path()):
        if Path(model_id).name == model_id and (folder / CARD).is_file():
            if load_bundle(folder).model_id == model_id:
                return folder
    raise InputError(
        f"{project.folder} has no model {model_id!r}; `kilnlight models list --project {project.folder}` "
        "shows those that it keeps."
    )
