"""Builds small run folders and projects without imagery or model, for tests and for working on the pages.

`python tests/make_project.py FOLDER` makes one to look at: about twenty made-up sites in open sea.
"""

import io
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from PIL import Image, ImageDraw

from app.services.conclude import conclude_people
from app.services.importing import ImportRequest, import_into
from app.services.project import Project, open_project
from geodata.files import sha256_of
from geodata.obb import Boxes
from geodata.store.imports import add_pictures
from geodata.store.incoming import Picture
from geodata.store.missing import missing_pictures
from geodata.tables.coverage import write_coverage
from geodata.tables.detections import write_detections
from geodata.tables.run import RunInput, RunRecord, RunSettings, write_run
from geodata.tables.scene_paths import write_scene_paths
from geodata.tiles import tile_from_id, tile_id, tile_of, tile_ring

WEST, SOUTH = 68.0, 15.0
"""Open sea: no real place is accused."""
THRESHOLD = 0.4
DAY = datetime(2024, 1, 10, 5, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Kiln:
    """A detection to be: position in metres from the lower left corner, and a score."""

    east_m: float
    north_m: float
    score: float
    length_m: float = 120.0
    width_m: float = 60.0
    angle_deg: float = 30.0
    probability: float = float("nan")
    """Calibrated; NaN for none."""


@dataclass(frozen=True)
class FakeScene:
    """What a run saw in one scene."""

    scene_id: str
    acquired_at: datetime | None
    kilns: tuple[Kiln, ...]
    observed_share: float = 1.0
    made_up: bool = True
    product: str = "unknown"
    file: Path | None = None
    """The imagery; without it an import finds none."""


def some_kilns(n: int = 20, seed: int = 1) -> tuple[Kiln, ...]:
    """Kilns on a jittered grid, a third of them below the threshold."""
    rng = random.Random(seed)
    return tuple(
        Kiln(
            400 + 900 * (k % 5) + rng.uniform(-200, 200),
            400 + 900 * (k // 5) + rng.uniform(-200, 200),
            round(
                rng.uniform(0.1, THRESHOLD - 0.02) if k % 3 == 2 else rng.uniform(THRESHOLD + 0.02, 0.98), 3
            ),
            angle_deg=rng.uniform(0, 179),
        )
        for k in range(n)
    )


def boxes_of_kilns(kilns: Sequence[Kiln]) -> Boxes:
    """The outlines of kilns."""
    columns = np.array([(k.east_m, k.north_m, k.length_m, k.width_m, k.angle_deg) for k in kilns]).reshape(
        -1, 5
    )
    lon, lat = WEST + columns[:, 0] / 107_550, SOUTH + columns[:, 1] / 110_650
    return Boxes(lon, lat, columns[:, 2], columns[:, 3], columns[:, 4])


def _table(scenes: Sequence[FakeScene], model_id: str, candidates: bool) -> gpd.GeoDataFrame:
    rows = [(s, k) for s in scenes for k in s.kilns if (k.score < THRESHOLD) == candidates]
    boxes = boxes_of_kilns([kiln for _, kiln in rows])
    ids = [f"{s.scene_id}-{model_id}-{k.east_m:.0f}-{k.north_m:.0f}" for s, k in rows]
    return gpd.GeoDataFrame(
        {
            "detection_id": pd.Series(ids, dtype=str),
            "scene_id": pd.Series([s.scene_id for s, _ in rows], dtype=str),
            "acquired_at": pd.Series([s.acquired_at for s, _ in rows], dtype="datetime64[us, UTC]"),
            "site_type": pd.Series(["brick_kiln"] * len(rows), dtype=str),
            "kiln_class": pd.Series(["unknown"] * len(rows), dtype=str),
            "score": np.array([k.score for _, k in rows], dtype=np.float32),
            "probability": np.array([k.probability for _, k in rows], dtype=np.float32),
            "length_m": boxes.length_m.astype(np.float32),
            "width_m": boxes.width_m.astype(np.float32),
            "angle_deg": boxes.angle_deg.astype(np.float32),
            "model_id": pd.Series([model_id] * len(rows), dtype=str),
        },
        geometry=[shapely.Polygon(ring) for ring in boxes.corners()],
        crs="EPSG:4326",
    )


def _coverage(
    scenes: Sequence[FakeScene], model_id: str, side_m: float, corner: tuple[float, float]
) -> gpd.GeoDataFrame:
    rows = []
    for scene in scenes:
        boxes = boxes_of_kilns([kiln for kiln in scene.kilns if kiln.score >= THRESHOLD])
        with_kiln = {tile_id(tile_of(lon, lat)) for lon, lat in zip(boxes.lon, boxes.lat, strict=True)}
        first = tile_of(corner[0], corner[1] + side_m / 110_650)
        last = tile_of(corner[0] + side_m / 107_550, corner[1])
        for x in range(first.x, last.x + 1):
            for y in range(first.y, last.y + 1):
                name = f"15/{x}/{y}"
                seen = "none" if scene.observed_share >= 0.9 else "not_observed"
                rows.append((name, scene, "kiln" if name in with_kiln else seen))
    return gpd.GeoDataFrame(
        {
            "tile_id": pd.Series([name for name, _, _ in rows], dtype=str),
            "scene_id": pd.Series([s.scene_id for _, s, _ in rows], dtype=str),
            "acquired_at": pd.Series([s.acquired_at for _, s, _ in rows], dtype="datetime64[us, UTC]"),
            "model_id": pd.Series([model_id] * len(rows), dtype=str),
            "observed_share": np.array([s.observed_share for _, s, _ in rows], dtype=np.float32),
            "state": pd.Series([state for _, _, state in rows], dtype=str),
        },
        geometry=[shapely.Polygon(tile_ring(tile_from_id(name))) for name, _, _ in rows],
        crs="EPSG:4326",
    )


def write_run_folder(
    folder: Path,
    scenes: Sequence[FakeScene],
    model_id: str = "model-1",
    *,
    model_at: datetime = DAY,
    side_m: float = 4600.0,
    around: tuple[float, float] | None = None,
) -> Path:
    """A run folder as `detect --candidates` writes it; its tiles lie `around` a place."""
    corner = (WEST, SOUTH)
    if around is not None:
        corner = (around[0] - side_m / 2 / 107_550, around[1] - side_m / 2 / 110_650)
    folder.mkdir(parents=True, exist_ok=True)
    write_detections(folder / "detections.parquet", _table(scenes, model_id, candidates=False))
    write_detections(folder / "candidates.parquet", _table(scenes, model_id, candidates=True))
    write_coverage(folder / "coverage.parquet", _coverage(scenes, model_id, side_m, corner))
    names = ("detections.parquet", "candidates.parquet", "coverage.parquet")
    record = RunRecord(
        model_id=model_id,
        model_name="none",
        model_created_at=model_at,
        settings=RunSettings(
            threshold=THRESHOLD,
            candidate_floor=0.05,
            suppression_iou=0.3,
            window_px=512,
            halo_px=64,
            candidates=True,
        ),
        versions={},
        inputs=tuple(_input(scene) for scene in scenes),
        files={name: sha256_of(folder / name) for name in names},
    )
    files = [scene.file for scene in scenes if scene.file is not None]
    write_scene_paths(folder, {sha256_of(file): file.resolve() for file in files})
    write_run(folder, record)
    return folder


def _input(scene: FakeScene) -> RunInput:
    made = scene.scene_id.encode().hex().ljust(64, "0")[:64]
    return RunInput(
        name=f"{scene.scene_id}.tif" if scene.file is None else scene.file.name,
        sha256=made if scene.file is None else sha256_of(scene.file),
        scene_id=scene.scene_id,
        acquired_at=scene.acquired_at,
        product=scene.product,
        bands=("red", "green", "blue"),
        pixel_size_m=(10.0, 10.0),
        made_up=scene.made_up,
        observed_km2=21.0,
        damaged_share=0.0,
        outside_domain=(),
    )


def two_dates(n: int = 20, chances: bool = False) -> tuple[FakeScene, FakeScene]:
    """The same place on two dates; every fifth kiln is gone on the second; `chances` fills probabilities."""
    kilns = some_kilns(n)
    if chances:
        kilns = tuple(replace(kiln, probability=kiln.score) for kiln in kilns)
    later = tuple(replace(kiln, score=min(0.99, kiln.score + 0.01)) for k, kiln in enumerate(kilns) if k % 5)
    return FakeScene("first", DAY, kilns), FakeScene("second", DAY + timedelta(days=370), later)


def draw_pictures(project: Project) -> None:
    """Give every site and queued tile that lacks one a drawn picture."""
    scene_ids = [scene for scene in _scene_ids(project)]
    for scene_id, items in missing_pictures(project.store, scene_ids).items():
        drawn = {}
        for item in items:
            name = f"pictures/{item.what}.png"
            (project.folder / name).write_bytes(_png(item.what))
            half = 0.006
            lon, lat = item.lon, item.lat
            if item.tile_id is not None:
                ring = tile_ring(tile_from_id(item.tile_id))
                corners = (ring[3], ring[2], ring[1], ring[0])
            else:
                corners = tuple(
                    (lon + half * x, lat + half * y) for x, y in ((-1, 1), (1, 1), (1, -1), (-1, -1))
                )
            drawn[item.what] = Picture(name, corners, scene_id)
        add_pictures(project.store, drawn, datetime.now(UTC))


def _scene_ids(project: Project) -> list[str]:
    with project.store.reading() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT scene_id FROM scenes ORDER BY 1")]


def _png(what: str) -> bytes:
    rng = random.Random(what)
    image = Image.new("RGB", (384, 384), (rng.randint(110, 140), rng.randint(120, 140), 90))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.randint(0, 340), rng.randint(0, 340)
        draw.rectangle(
            (x, y, x + rng.randint(10, 60), y + rng.randint(10, 60)), fill=(rng.randint(80, 170), 130, 90)
        )
    draw.ellipse((180, 186, 204, 198), fill=(170, 90, 70))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def make_project(folder: Path, *, n: int = 20, pictures: bool = True, chances: bool = False) -> Project:
    """An open project with about `n` sites on two dates, coverage, a queue and drawn pictures."""
    run = write_run_folder(folder.with_name(folder.name + "-run"), two_dates(n, chances))
    project = open_project(folder, create=True)
    import_into(project, ImportRequest(runs=(run,), rng=random.Random(1)))
    if pictures:
        draw_pictures(project)
    conclude_people(project.store)
    return project


if __name__ == "__main__":
    with make_project(Path(sys.argv[1])) as made:
        print(made.store.counts())
