"""app.services.evaluation_file: an evaluation as JSON, and as GeoJSON to look at."""

import json
from dataclasses import asdict
from math import isfinite
from pathlib import Path

from app.services.evaluating import Evaluation
from geodata.files import write_text_atomic

EVALUATION = "evaluation.json"
OUTCOMES = "outcomes.geojson"


def as_json(evaluation: Evaluation) -> str:
    """The figures as JSON text; what is not finite is null."""
    rows = [
        {
            "unverified_places_excused": row.with_places,
            **{name: _finite(value) for name, value in asdict(row.scores).items()},
            "intervals_95": {name: list(interval) for name, interval in row.intervals.items()},
        }
        for row in evaluation.rows
    ]
    content = {
        "model_id": evaluation.model_id,
        "threshold": evaluation.threshold,
        "scenes": list(evaluation.scenes),
        "observed_km2": evaluation.area_km2,
        "share_of_training_ground": evaluation.training_shares,
        "rows": rows,
    }
    return json.dumps(content, indent=1) + "\n"


def outcomes_geojson(evaluation: Evaluation) -> str:
    """Hits, false alarms, excused detections and missed kilns as points."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [round(one.lon, 6), round(one.lat, 6)]},
            "properties": {"outcome": one.outcome, "score": one.score, "distance_m": one.distance_m},
        }
        for one in evaluation.outcomes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1) + "\n"


def write_evaluation(folder: Path, evaluation: Evaluation) -> None:
    """Write both files. Raises `InputError` where the folder cannot be written."""
    write_text_atomic(folder / OUTCOMES, outcomes_geojson(evaluation))
    write_text_atomic(folder / EVALUATION, as_json(evaluation))


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not isfinite(value) else value
