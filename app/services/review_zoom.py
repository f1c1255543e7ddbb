"""app.services.review_zoom: how many times enlarged a model saw the scenes whose detections are reviewed."""

from collections.abc import Collection

from sqlalchemy import Connection

from app.services.project import Project
from geodata.errors import InputError
from geodata.store.review_samples import runs_of_model
from geodata.tables.run import open_run


def zoom_of_scenes(project: Project, connection: Connection, model_id: str, scenes: Collection[str]) -> float:
    """The zoom of the runs that count on some scenes (ids); 1 where no run of the model does.

    Raises:
        InputError: they were seen at several zooms, so that their scores are no one scale.
    """
    zooms: dict[str, float] = {}
    for run_id in runs_of_model(connection, model_id):  # a later run counts in place of an earlier one
        record = open_run(project.runs / run_id).record
        zooms |= {one.scene_id: one.zoom for one in record.inputs if one.scene_id in scenes}
    found = sorted(set(zooms.values()))
    if len(found) > 1:
        names = ", ".join(f"{zoom:g}" for zoom in found)
        raise InputError(
            f"The scenes of {project.folder} were shown to the model at zooms of {names}, and at each the "
            "same score means another chance; run `kilnlight detect --candidates --zoom "
            f"{found[-1]:g}` on all of them and import that, or keep each land in a project of its own."
        )
    return found[0] if found else 1.0
