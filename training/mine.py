"""training.mine: each fold's net over its own held-out parts: what it finds is not what it was taught."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import shapely

from detection.bundle import GRAPH, Card, load_bundle
from detection.evaluate.matching import Found, Look, Truth
from detection.mining import SceneFinds
from detection.runtime import OnnxRuntime
from detection.scan import Detector, scan, window_plan
from detection.windows import ScanWindow
from geodata.errors import InputError
from geodata.scene import Scene
from training.config import RunConfig
from training.data import Labels, border_px, open_scenes
from training.folds import Fold, folds_of

Progress = Callable[[int, int], None]
"""Called with the windows done and the windows in all."""


def out_of_fold(
    config: RunConfig, base: Path, out: Path, labels: Labels, truth: Truth, threads: int, progress: Progress
) -> tuple[Card, list[SceneFinds]]:
    """Run the nets of a finished run's folds, each on what it has not learnt from.

    Args:
        config: the checked run file.
        base: the folder that the run file's paths start from.
        out: the run's folder, with `fold1/`, `fold2/`, ... and `bundle/`.
        labels: of the run file; some have to lie in its scenes.
        truth: what of them counts as known.
        threads: CPU threads.
        progress: called after each window.

    Returns:
        The card of the run's bundle (its threshold is the pooled one), and what was found in each part.

    Raises:
        InputError: a run without folds, or one that is not finished.
    """
    card = _card(out)
    with ExitStack() as stack:
        scenes = open_scenes(config.data, base, labels, stack)
        grids = {name: scene.info.grid for name, scene in scenes.items()}
        borders = {name: border_px(name, config.data) for name in scenes}
        folds = folds_of(config.folds, grids, base, borders)
        if not folds:
            raise InputError(
                "The run file names no folds, so no net has land that it has not seen; mine other scenes: "
                "`kilnlight mine SCENE --labels FILE --model BUNDLE`."
            )
        parts = [
            (number, fold, name, _windows(scenes[name], fold, name, card))
            for number, fold in enumerate(folds, 1)
            for name in fold.owned
        ]
        total, done = sum(len(plan) for *_, plan in parts), 0
        nets: dict[int, Detector] = {}
        finds = []

        def advance() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        for number, fold, name, plan in parts:
            if number not in nets:
                nets[number] = _detector(out / f"fold{number}", card, threads)
            finds.append(_look(scenes[name], nets[number], plan, fold, truth, advance))
    return card, finds


def _card(out: Path) -> Card:
    try:
        return load_bundle(out / "bundle").card
    except InputError as error:
        raise InputError(
            f"{out} holds no finished run ({error}); let `kilnlight train` end, or name its --out folder."
        ) from None


def _detector(folder: Path, card: Card, threads: int) -> Detector:
    if not (folder / GRAPH).is_file():
        raise InputError(
            f"{folder} has no {GRAPH}: that fold was not trained and scored; run `kilnlight train` again, it "
            "goes on where it was."
        )
    return Detector(card, folder.name, OnnxRuntime(folder / GRAPH, threads))


def _windows(scene: Scene, fold: Fold, name: str, card: Card) -> list[ScanWindow]:
    """The windows whose core meets the fold's part."""
    part = fold.owned[name]
    cores = ((w, w.core) for w in window_plan(scene.info, card))
    return [
        w for w, c in cores if part.intersects(shapely.box(c.col, c.row, c.col + c.width, c.row + c.height))
    ]


def _look(
    scene: Scene,
    detector: Detector,
    plan: list[ScanWindow],
    fold: Fold,
    truth: Truth,
    advance: Callable[[], None],
) -> SceneFinds:
    name, grid = scene.info.name, scene.info.grid
    result = scan(scene, detector, plan, advance)
    mine = fold.owns(name, grid, result.boxes.lon, result.boxes.lat)
    found = Found(result.boxes.lon[mine], result.boxes.lat[mine], result.scores[mine])
    return SceneFinds(name, Look(found, truth, result.observed.km2 * fold.share(name, grid)))
