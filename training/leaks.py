"""training.leaks: what each fold of a run learns and holds back, and whether the two touch; no torch.

It looks at the shapes of the very folds that a run trains with, on the ground, over all scenes: two scenes
that show the same place, or two copies of one picture, leak although each is cut properly by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.grid import Floats, Grid, metres_per_degree
from geodata.labels.audit import same_pictures, thumb
from geodata.labels.pictures import Picture
from geodata.labels.split_kilns import FEW
from geodata.sources.files import FileScene
from training.config import RunConfig
from training.data import Labels
from training.folds import Fold
from training.parts import check_positives, count_parts
from training.split import opened_data

_EXACT = 0.97
"""Of the gap: pixels are counted in whole ones, and are not all of one size."""


@dataclass(frozen=True)
class FoldPart:
    """One fold."""

    name: str
    scenes: int
    held_km2: float
    """Held back and scored; overlaps of scenes once."""
    learnt_km2: float
    held_kilns: int
    learnt_kilns: int


@dataclass(frozen=True)
class FoldLeak:
    """Two scenes of which one is learnt from and the other scored in the same fold."""

    fold: str
    learnt: str
    scored: str
    why: str


@dataclass(frozen=True)
class RunAudit:
    """All that was found."""

    folds: tuple[FoldPart, ...]
    leaks: tuple[FoldLeak, ...]
    warnings: tuple[str, ...]
    outside: tuple[str, ...]
    """Ids of labels that lie in no scene."""


def audit_run(config: RunConfig, base: Path) -> RunAudit:
    """Look at a run file before it is run.

    Args:
        config: the checked run file.
        base: the folder that its paths start from.

    Raises:
        InputError: for labels, scenes or folds that cannot be used; a fold without kilns is one of these.
    """
    with opened_data(config, base) as opened:
        labels, split = opened.labels, opened.split
        paths = {name: s.path for name, s in opened.scenes.items() if isinstance(s, FileScene)}
    check_positives(count_parts(split, labels))
    grids, folds, held_out = split.grids, split.folds, split.held_out
    ground = [_Ground.of(fold, held_out, grids, config.folds.gap_px) for fold in folds]
    if held_out.owned:
        ground.append(_Ground.of(held_out, held_out, grids, config.folds.gap_px))
    names = [str(number) for number in range(1, len(folds) + 1)] + ["val"] * (len(ground) - len(folds))
    parts = tuple(_part(name, one, labels) for name, one in zip(names, ground, strict=True))
    thumbs = {name: thumb(Picture(path, grids[name])) for name, path in paths.items()}
    leaks = [
        leak
        for name, one in zip(names, ground, strict=True)
        for leak in (*_near(name, one, grids, config.folds.gap_px), *_copies(name, one, thumbs))
    ]
    few = tuple(
        f"Fold {part.name} holds back {part.held_kilns} kilns only: figures on so few say little."
        for part in parts
        if part.held_kilns < FEW
    )
    return RunAudit(parts, tuple(leaks), few, _outside(labels, grids))


@dataclass(frozen=True)
class _Ground:
    """Polygons in degrees, by scene."""

    learnt: Mapping[str, BaseGeometry]
    scored: Mapping[str, BaseGeometry]

    @classmethod
    def of(cls, fold: Fold, held_out: Fold, grids: Mapping[str, Grid], gap_px: int) -> "_Ground":
        learnt = {}
        for name, grid in grids.items():
            frame = shapely.box(0, 0, grid.width, grid.height)
            rest = frame - fold.kept_from(name, gap_px) - held_out.kept_from(name, gap_px)
            if rest.area > 0:
                learnt[name] = _on_earth(rest, grid)
        return cls(learnt, {name: _on_earth(shape, grids[name]) for name, shape in fold.owned.items()})


def _on_earth(shape: BaseGeometry, grid: Grid) -> BaseGeometry:
    fine = shapely.segmentize(shape, 256.0)
    return shapely.transform(fine, lambda at: np.stack(grid.lonlat(*at.T), -1))


def _part(name: str, ground: _Ground, labels: Labels) -> FoldPart:
    held, learnt = (shapely.union_all(list(g.values())) for g in (ground.scored, ground.learnt))
    boxes = labels.whole
    counts = [int(shapely.intersects_xy(shape, boxes.lon, boxes.lat).sum()) for shape in (held, learnt)]
    return FoldPart(name, len(ground.scored), _km2(held), _km2(learnt), *counts)


def _near(name: str, ground: _Ground, grids: Mapping[str, Grid], gap_px: int) -> Iterable[FoldLeak]:
    """Pairs of a learnt and a scored scene whose grounds overlap or come nearer than the gap."""
    one, two = list(ground.learnt), list(ground.scored)
    if not one or not two:
        return
    middle = np.mean([g.centroid.y for g in ground.scored.values()])
    scale = np.array([float(v) for v in metres_per_degree(middle)])
    learnt, scored = (
        np.array([shapely.transform(g, lambda at: at * scale) for g in side.values()], np.object_)
        for side in (ground.learnt, ground.scored)
    )
    gap_m = _EXACT * gap_px * min(min(grid.pixel_size_m()) for grid in grids.values())
    k, j = shapely.STRtree(scored).query(learnt, predicate="dwithin", distance=gap_m)
    for a, b in zip(k, j, strict=True):
        shared_km2 = float(shapely.intersection(learnt[a], scored[b]).area / 1e6)
        apart_m = float(shapely.distance(learnt[a], scored[b]))
        if shared_km2 > 1e-4:
            yield FoldLeak(name, one[a], two[b], f"share {shared_km2:.2f} km² of ground")
        elif apart_m < gap_m:
            yield FoldLeak(name, one[a], two[b], f"come within {apart_m:.0f} m, nearer than gap_px says")


def _copies(name: str, ground: _Ground, thumbs: Mapping[str, Floats | None]) -> Iterable[FoldLeak]:
    """Pairs of a learnt and a scored scene that look the same, whatever their places."""
    both = [scene for scene in thumbs if scene in ground.learnt or scene in ground.scored]
    learnt = [k for k, scene in enumerate(both) if scene in ground.learnt]
    scored = [k for k, scene in enumerate(both) if scene in ground.scored and scene not in ground.learnt]
    for a, b in same_pictures(learnt, scored, [thumbs[scene] for scene in both]):
        yield FoldLeak(name, both[a], both[b], "look the same")


def _outside(labels: Labels, grids: Mapping[str, Grid]) -> tuple[str, ...]:
    boxes = labels.kilns.boxes
    inside = np.zeros(len(boxes), np.bool_)
    for grid in grids.values():
        col, row = grid.pixel(boxes.lon, boxes.lat)
        inside |= (col >= 0) & (col < grid.width) & (row >= 0) & (row < grid.height)
    return tuple(str(name) for name in labels.kilns.label_id[~inside])


def _km2(shape: BaseGeometry) -> float:
    if shape.is_empty:
        return 0.0
    east_m, north_m = metres_per_degree(shape.centroid.y)
    return round(float(shape.area * east_m * north_m / 1e6), 1)


def leaks_in_words(leaks: Sequence[FoldLeak]) -> list[str]:
    """One sentence for each pair."""
    return [
        f"LEAK: in fold {leak.fold} {leak.learnt}, which is learnt from, and {leak.scored}, which is scored, "
        f"{leak.why}; hold both back together, or part by place: `kilnlight labels split --folds`."
        for leak in leaks
    ]
