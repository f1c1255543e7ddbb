"""app.services.review_zoom: how many times enlarged a model saw the scenes whose detections are reviewed."""

from collections.abc import Collection

from sqlalchemy import Connection

from app.services.project import Project
from geodata.errors import InputError
from geodata.store.review_samples import counting_on
from geodata.tables.run import open_run


def zoom_of_scenes(project: Project, connection: Connection, model_id: str, scenes: Collection[str]) -> float:
    """The zoom of the runs that count on some scenes (ids); 1 where no run of the model saw anything there.

    Raises:
        InputError: they were seen at several zooms, so that their scores are no one scale.
    """
    zooms: set[float] = set()
    for run_id, counting in counting_on(connection, model_id, scenes).items():
        inputs = open_run(project.runs / run_id).record.inputs
        zooms |= {one.zoom for one in inputs if one.scene_id in counting and one.observed_km2 > 0}
    found = sorted(zooms)
    if len(found) > 1:
        names = ", ".join(f"{zoom:g}" for zoom in found)
        raise InputError(
            f"The scenes of {project.folder} were shown to the model at zooms of {names}, and at each the "
            "same score means another chance; run `kilnlight detect --candidates --zoom "
            f"{found[-1]:g}` on all of them and import that, or keep each land in a project of its own."
        )
    return found[0] if found else 1.0
