"""app.services.run_folder: a run's folder as the plain values that the store takes."""

import hashlib
import json
import math
from datetime import UTC
from pathlib import Path

import geopandas as gpd
import shapely

from geodata.store.boxes import as_values
from geodata.store.incoming import IncomingDetection, IncomingRun, IncomingScene, IncomingTile
from geodata.store.records import Ring
from geodata.tables.coverage import read_coverage
from geodata.tables.detections import boxes_of, read_detections
from geodata.tables.run import CANDIDATES, COVERAGE, DETECTIONS, RunInput, RunRecord, open_run


def run_id_of(record: RunRecord) -> str:
    """16 hex digits that are the same for the same scenes, model, settings and results, wherever they lie."""
    tables = {name: record.files[name] for name in (DETECTIONS, COVERAGE, CANDIDATES) if name in record.files}
    content = {
        "model_id": record.model_id,
        "settings": record.settings.model_dump(mode="json"),
        "scenes": sorted((scene.scene_id, scene.sha256) for scene in record.inputs),
        "files": tables,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def incoming_run(folder: Path) -> IncomingRun:
    """Read a run's folder, candidates too where they are there.

    Raises:
        InputError: no finished run, a file that was changed, or a table that does not fit its schema.
    """
    run = open_run(folder)
    detections = _detections(read_detections(run.detections), is_candidate=False)
    if run.candidates is not None:
        detections += _detections(read_detections(run.candidates), is_candidate=True)
    coverage = read_coverage(run.coverage)
    columns = (coverage[name].tolist() for name in ("tile_id", "scene_id", "observed_share"))
    tiles = tuple(IncomingTile(*row) for row in zip(*columns, strict=True))
    return IncomingRun(
        run_id=run_id_of(run.record),
        model_id=run.record.model_id,
        model_created_at=run.record.model_created_at.astimezone(UTC),
        threshold=run.record.settings.threshold,
        scenes=tuple(_scene(scene) for scene in run.record.inputs),
        detections=tuple(detections),
        tiles=tiles,
    )


def _scene(scene: RunInput) -> IncomingScene:
    at = scene.acquired_at
    return IncomingScene(
        scene_id=scene.scene_id,
        name=scene.name,
        sha256=scene.sha256,
        acquired_at=None if at is None else at.astimezone(UTC),
        product=scene.product,
        made_up=scene.made_up,
    )


def _detections(table: gpd.GeoDataFrame, *, is_candidate: bool) -> list[IncomingDetection]:
    names = ("detection_id", "scene_id", "model_id", "score", "probability", "site_type", "kiln_class")
    columns = (table[name].tolist() for name in names)
    rows = zip(*columns, as_values(boxes_of(table)), _rings(table), strict=True)
    return [
        IncomingDetection(
            detection_id=detection_id,
            scene_id=scene_id,
            model_id=model_id,
            score=score,
            probability=None if math.isnan(probability) else probability,
            is_candidate=is_candidate,
            box=box,
            outline=ring,
            site_type=site_type,
            kiln_class=kiln_class,
        )
        for detection_id, scene_id, model_id, score, probability, site_type, kiln_class, box, ring in rows
    ]


def _rings(table: gpd.GeoDataFrame) -> list[Ring]:
    """Closed rings of outlines, which the schema holds to four corners."""
    corners = shapely.get_coordinates(table.geometry.to_numpy()).reshape(-1, 5, 2).tolist()
    return [tuple((lon, lat) for lon, lat in ring) for ring in corners]
