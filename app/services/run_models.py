"""app.services.run_models: which models made the runs of a project; their cards are not part of a run."""

from pathlib import Path

from pydantic import BaseModel, ValidationError

from geodata.tables.run import RUN


class RunModel(BaseModel, frozen=True):
    """A model as a run names it."""

    model_id: str
    model_name: str


def models_of_runs(runs: Path) -> list[RunModel]:
    """The models of the runs in a project, each once, by name; what cannot be read says nothing."""
    found: set[RunModel] = set()
    for path in runs.glob(f"*/{RUN}"):
        try:
            found.add(RunModel.model_validate_json(path.read_bytes()))
        except (OSError, ValidationError):
            continue
    return sorted(found, key=lambda model: (model.model_name, model.model_id))
