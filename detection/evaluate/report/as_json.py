"""detection.evaluate.report.as_json: a report as JSON; what is not finite is null."""

import json
from dataclasses import asdict
from math import isfinite
from typing import Any

import numpy as np

from detection.evaluate.blocks import DRAWS, Interval
from detection.evaluate.curves import Band
from detection.evaluate.groups import Group
from detection.evaluate.metrics import Scores
from detection.evaluate.report.content import Comparison, Folds, Report
from detection.evaluate.report.entries import Entry
from detection.evaluate.report.protocol import ground_sentence, protocol

VERSION = 1
SIZE_FIGURES = ("kilns", "hits", "recall", "centre_error_m")
"""All that a size of kiln can have: a false alarm has no true size."""
POOLED_WITHOUT = ("average_precision",)


def as_json(report: Report) -> str:
    """The whole report as JSON text."""
    content = {
        "format": "kilnlight-report",
        "version": VERSION,
        **_head(report),
        "figures": [_row(row.scores, row.intervals, row.with_places) for row in report.rows],
        "rotated_box_figures": _group(report.rotated),
        "curves": {
            "precision_by_recall": _band(report.precision_recall, "recall", "precision"),
            "recall_by_false_alarms": _band(report.free_response, "false_per_1000_km2", "recall"),
        },
        "calibration": {
            "note": report.subject.probability_note,
            "tests": {name: asdict(one) for name, one in report.calibration.items()},
        },
        "box_errors": {name: asdict(one) for name, one in report.errors.items()},
        "by_region": [_group(group) for group in report.regions],
        "by_land": [_group(group) for group in report.lands],
        "by_kiln_length": [_some(_group(group), SIZE_FIGURES) for group in report.sizes],
        "folds": _folds(report.folds) if report.folds else None,
        "comparison": _comparison(report.comparison) if report.comparison else None,
        "outcomes": [_entry(entry) for entry in report.entries],
    }
    return json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n"


def _head(report: Report) -> dict[str, Any]:
    subject, sample = report.subject, report.subject.sample
    return {
        "made_at": subject.made_at.isoformat(),
        "command": subject.command,
        "model": asdict(subject.model),
        "protocol": protocol(report),
        "training_ground": ground_sentence(report),
        "scored_on_training_ground": bool(report.trained_regions),
        "observed_km2": sample.area_km2,
        "kilns": sample.truth.kilns,
        "kilns_ignored": sample.kilns.count_ignored,
        "unverified_places": len(sample.places.lon),
        "bootstrap_draws": DRAWS,
        "attribution": subject.attribution,
        "regions": [
            {
                "name": region.name,
                "scene": region.scene,
                "acquired_at": region.acquired_at.isoformat() if region.acquired_at else None,
                "product": region.product,
                "land": region.land,
                "observed_km2": region.area_km2,
                "fold": region.fold or None,
                "share_of_training_ground": region.trained_share,
                "no_probability_because": region.no_probability or None,
            }
            for region in sample.regions
        ],
    }


def _row(scores: Scores, intervals: dict[str, Interval], with_places: bool) -> dict[str, Any]:
    return {"unverified_places_excused": with_places, **asdict(scores), "intervals_95": intervals}


def _group(group: Group) -> dict[str, Any]:
    scores = asdict(group.scores)
    return {"name": group.name, "regions": group.regions, **scores, "intervals_95": group.intervals}


def _some(group: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: value for name, value in group.items() if name in ("name", *names)}
    return {**kept, "intervals_95": {k: v for k, v in group["intervals_95"].items() if k in names}}


def _without(group: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: value for name, value in group.items() if name not in names}
    return {**kept, "intervals_95": {k: v for k, v in group["intervals_95"].items() if k not in names}}


def _band(band: Band, x: str, y: str) -> dict[str, Any]:
    return {x: band.x, y: band.y, "low": band.low, "high": band.high}


def _folds(folds: Folds) -> dict[str, Any]:
    return {
        "travel": [
            {
                "fold": one.fold,
                "threshold_of_the_others": one.threshold,
                "own_best_threshold": one.own_threshold,
                "at_the_others": _group(one.there),
                "at_its_own": _group(one.at_home),
                "recall_lost": one.recall_lost,
                "false_alarms_times": one.false_alarms_times,
            }
            for one in folds.travels
        ],
        # a score there is only the side of a threshold
        "pooled_at_the_others": _without(_group(folds.pooled), POOLED_WITHOUT) if folds.pooled else None,
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "with": asdict(comparison.model),
        "differences": [asdict(one) for one in comparison.differences],
        "kilns_only_this_model_finds": [_entry(entry) for entry in comparison.only_first],
        "kilns_only_the_other_finds": [_entry(entry) for entry in comparison.only_second],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    hidden = ("region", "detection", "kiln")
    values = {name: value for name, value in asdict(entry).items() if name not in hidden}
    if entry.lon is None:
        del values["lon"], values["lat"]
    return values


def _finite(value: Any) -> Any:
    """The same with plain lists and numbers, and null for what is not finite."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [_finite(one) for one in (value.tolist() if isinstance(value, np.ndarray) else value)]
    if isinstance(value, np.generic):
        return _finite(value.item())
    return None if isinstance(value, float) and not isfinite(value) else value
