"""app.cli.queue: the command `kilnlight queue`: the next round of tiles for volunteers."""

import random
from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import Bands, band_names
from app.cli.progress import windows_bar


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("queue", no_args_is_help=True)(queue)


def queue(
    tiles: Annotated[int, typer.Option(min=1, metavar="N", help="How many tiles.", show_default=False)],
    project: Annotated[Path, typer.Option(metavar="DIR", help="The project's folder.")] = Path(
        "kilnlight-project"
    ),
    random_share: Annotated[
        float, typer.Option(min=0.05, max=1, metavar="SHARE", help="At least this share is drawn at random.")
    ] = 0.1,
    scenes: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder with the scenes, for tiles that have no picture yet."),
    ] = None,
    bands: Bands = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The same seed draws the same tiles.")
    ] = None,
) -> None:
    """Put the next round of unlabelled tiles before volunteers, ahead of all others.

    Tiles in which the detector is in doubt, spread over the land, over how they look and over scores; and a
    random sample, without which nobody could say how many kilns are missed. Each tile keeps the chance with
    which it was drawn.

    Example:
        kilnlight queue --project kilnlight-project --tiles 200 --scenes scenes
    """
    from app.services.project import open_project
    from app.services.rounds import RoundRequest, queue_round

    with windows_bar("Pictures") as (progress, warn), open_project(project) as opened:
        request = RoundRequest(
            tiles,
            random_share,
            tuple(scenes or ()),
            band_names(bands),
            rng=random.SystemRandom() if seed is None else random.Random(seed),
            warn=warn,
            progress=progress,
        )
        done = queue_round(opened, request)
    at_random = sum(one.at_random for one in done.drawn)
    doubtful = sum(one.uncertainty > 0 for one in done.drawn)
    typer.echo(
        f"Round {done.number}: {len(done.drawn)} of {done.pool} unlabelled tiles; {doubtful} are doubtful, "
        f"{at_random} count as random."
    )
    if done.without_picture:
        typer.echo(f"{done.without_picture} have no picture yet: name the scenes' folder with --scenes.")
