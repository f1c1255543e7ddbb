"""geodata.tables.run: `run.json` makes a folder of tables a run: what went in, and the files' hashes."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from geodata.errors import InputError
from geodata.files import sha256_of, write_text_atomic

RUN = "run.json"
DETECTIONS = "detections.parquet"
COVERAGE = "coverage.parquet"
CANDIDATES = "candidates.parquet"
DETECTIONS_GEOJSON = "detections.geojson"
CANDIDATES_GEOJSON = "candidates.geojson"
FILES = (DETECTIONS, COVERAGE, CANDIDATES, DETECTIONS_GEOJSON, CANDIDATES_GEOJSON)

_AGAIN = "run `kilnlight detect` again"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunInput(_Record):
    """One scene that was run."""

    name: str
    """The file's name, without its folder."""
    sha256: str
    scene_id: str
    acquired_at: AwareDatetime | None
    """UTC."""
    product: str
    bands: tuple[str, ...]
    pixel_size_m: tuple[float, float]
    made_up: bool
    observed_km2: float
    """Ground area of the valid pixels."""
    damaged_share: float
    """Share of the pixels whose blocks did not decode; above 0 only with `--allow-damaged`."""
    zoom: float = Field(default=1.0, gt=0)
    """How many times enlarged the model saw the scene."""
    outside_domain: tuple[str, ...]
    """Why the scene lies outside the model's domain; empty where it lies inside."""


class SkippedInput(_Record):
    """One scene that was left out (`--skip-bad`)."""

    name: str
    problem: str


class RunSettings(_Record):
    """What the result depends on besides scenes and model."""

    threshold: float
    candidate_floor: float
    suppression_iou: float
    window_px: int
    halo_px: int
    candidates: bool


class RunRecord(_Record):
    """The content of `run.json`. It does not tell when or where it was run: the same run, the same bytes."""

    format: Literal["kilnlight-run"] = "kilnlight-run"
    version: Literal[2] = 2
    model_id: str
    model_name: str
    model_created_at: AwareDatetime
    """UTC, from the card: on a scene the newer model's evidence counts."""
    settings: RunSettings
    versions: dict[str, str]
    inputs: tuple[RunInput, ...]
    skipped: tuple[SkippedInput, ...] = ()
    files: dict[str, str] = Field(default_factory=dict)
    """SHA-256 per file of the run."""

    @field_validator("files")
    @classmethod
    def _only_ours(cls, files: dict[str, str]) -> dict[str, str]:
        strange = sorted(set(files) - set(FILES))
        missing = sorted({DETECTIONS, COVERAGE} - set(files))
        if strange or missing:
            raise ValueError(f"files lists {strange or 'no ' + ' and '.join(missing)}")
        return files


@dataclass(frozen=True)
class Run:
    """A run folder whose files are the ones that its `run.json` names."""

    folder: Path
    record: RunRecord

    @property
    def detections(self) -> Path:
        """The detections at or above the model's threshold."""
        return self.folder / DETECTIONS

    @property
    def coverage(self) -> Path:
        """What was looked at."""
        return self.folder / COVERAGE

    @property
    def candidates(self) -> Path | None:
        """Detections below the threshold, where they were asked for."""
        return self.folder / CANDIDATES if CANDIDATES in self.record.files else None


def open_run(folder: Path) -> Run:
    """Open a run folder.

    Raises:
        InputError: it has no readable `run.json`, or a file is missing or not the one that was written.
    """
    folder = Path(folder)
    try:
        text = (folder / RUN).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{folder} is no finished run: it has no readable {RUN}; name a folder that `kilnlight detect` "
            f"has written, or {_AGAIN}."
        ) from error
    try:
        record = RunRecord.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its text"
        raise InputError(f"{folder / RUN} cannot be used ({where}: {first['msg']}); {_AGAIN}.") from error
    for name, expected in record.files.items():
        _check_hash(folder / name, expected)
    return Run(folder, record)


def _check_hash(path: Path, expected: str) -> None:
    try:
        actual = sha256_of(path)
    except OSError as error:
        raise InputError(
            f"{path} is named in {RUN} but cannot be read ({error.strerror}); {_AGAIN}."
        ) from error
    if actual != expected:
        raise InputError(f"{path} is not the file that {RUN} names (its SHA-256 differs); {_AGAIN}.")


def write_run(folder: Path, record: RunRecord) -> None:
    """Write `run.json`, the last file of a run: from then on readers accept the folder."""
    write_text_atomic(folder / RUN, record.model_dump_json(indent=1) + "\n")


def withdraw_run(folder: Path) -> None:
    """Take back an older run of the folder before its files are replaced; other files stay."""
    path = folder / RUN
    listed: list[str] = []
    with suppress(OSError, ValidationError):
        listed = list(RunRecord.model_validate_json(path.read_bytes()).files)
    path.unlink(missing_ok=True)
    for name in listed:
        (folder / name).unlink(missing_ok=True)
