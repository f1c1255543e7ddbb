"""geodata.sources.sentinelhub.fetch: carries out a plan; each file is whole or not there."""

from collections.abc import Callable, Iterator
from pathlib import Path

from geodata.files import ensure_output_folder
from geodata.scene import Window
from geodata.sources.sentinelhub.connection import Connection
from geodata.sources.sentinelhub.plan import Plan, ScenePlan
from geodata.sources.sentinelhub.process import Pixels, download_piece
from geodata.sources.sentinelhub.write import write_scene

OnPiece = Callable[[ScenePlan, int], None]
"""Told the scene and how many of its pieces are there."""


def carry_out(connection: Connection, plan: Plan, on_piece: OnPiece = lambda scene, done: None) -> list[Path]:
    """Fetch and write what is missing; files that are complete already stay as they are.

    Returns the paths written.

    Raises:
        InputError: the folder cannot be written (before anything is spent), or the service fails for good.
            Files finished before stay; of the one under way nothing does.
    """
    written = []
    for scene in plan.missing:
        ensure_output_folder(scene.path.parent)
        write_scene(scene.path, scene.outline, _pieces(connection, scene, on_piece))
        written.append(scene.path)
    return written


def _pieces(connection: Connection, scene: ScenePlan, on_piece: OnPiece) -> Iterator[tuple[Window, Pixels]]:
    count = len(scene.pieces)
    for number, piece in enumerate(scene.pieces, start=1):
        what = f"{scene.path.name} is not written: its part {number} of {count} is missing"
        yield piece.window, download_piece(connection, piece, what)
        on_piece(scene, number)
