"""Samples for the tests of the report: kilns on a lattice of scenes, and detections of known worth."""

from dataclasses import replace

import numpy as np
from affine import Affine
from pyproj import CRS

from detection.evaluate.sample import Detections, Kilns, Region, Sample, join_boxes
from geodata.grid import Grid, metres_per_degree
from geodata.labels.kilns import NO_PLACES
from geodata.obb import Boxes

DEGREES = 8.983e-5
"""A pixel of ten metres."""
SIDE = 1000
LAT = 28.6
EAST, NORTH = (float(v) for v in metres_per_degree(LAT))


def grid(number: int, lon: float = 77.0) -> Grid:
    return Grid(CRS.from_epsg(4326), Affine(DEGREES, 0, lon + 0.1 * number, 0, -DEGREES, LAT), SIDE, SIDE)


def kilns(scenes: int, of_each: int = 12, lon: float = 77.0) -> Kilns:
    """Kilns a kilometre and more apart."""
    rng = np.random.default_rng(3)
    col, row = np.meshgrid(np.linspace(100, 900, 4), np.linspace(100, 900, -(-of_each // 4)))
    places = [grid(k, lon).lonlat(col.ravel()[:of_each], row.ravel()[:of_each]) for k in range(scenes)]
    n = scenes * of_each
    return Kilns(
        Boxes(
            np.concatenate([p[0] for p in places]),
            np.concatenate([p[1] for p in places]),
            rng.uniform(105, 135, n),
            rng.uniform(52, 66, n),
            rng.uniform(0, 180, n),
        ),
        tuple(f"dk{k:04d}" for k in range(n)),
        np.zeros(n, bool),
        np.repeat(np.arange(scenes), of_each),
    )


def sample(
    seed: int = 0,
    *,
    scenes: int = 3,
    recall: float = 0.9,
    noise_m: float = 6.0,
    alarms: int = 60,
    lon: float = 77.0,
    folds: bool = False,
) -> Sample:
    """Boxes on most kilns, and false ones of mostly low scores in open land."""
    rng = np.random.default_rng(seed)
    there = kilns(scenes, lon=lon)
    n = len(there)
    found = np.flatnonzero(rng.random(n) < recall)
    boxes = there.boxes.take(found)
    shift = rng.normal(0, noise_m, (2, len(found)))
    boxes = replace(boxes, lon=boxes.lon + shift[0] / EAST, lat=boxes.lat + shift[1] / NORTH)
    where = rng.integers(0, scenes, alarms)
    col, row = rng.uniform(0, SIDE, (2, alarms))
    false = Boxes(
        lon + 0.1 * where + col * DEGREES,
        LAT - row * DEGREES,
        np.full(alarms, 100.0),
        np.full(alarms, 50.0),
        np.full(alarms, 30.0),
    )
    regions = tuple(
        Region(f"s{k}.tif", f"s{k}.tif", grid(k, lon), 78.0, look=k, fold=k + 1 if folds else 0)
        for k in range(scenes)
    )
    return Sample(
        regions,
        Detections(
            join_boxes([boxes, false]),
            np.concatenate([rng.uniform(0.4, 1, len(found)), rng.beta(1, 5, alarms)]),
            np.concatenate([there.region[found], where]),
        ),
        there,
        (78.0,) * scenes,
        NO_PLACES,
    )


def perfect(scenes: int = 2) -> Sample:
    """Each kiln found exactly, and nothing else."""
    return sample(scenes=scenes, recall=1.1, noise_m=0.0, alarms=0)
