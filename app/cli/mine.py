"""app.cli.mine: the command `kilnlight mine`: what fools a model becomes labels for the next round."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Bands, Model, Threads, band_names, cores
from app.cli.progress import Warn, windows_bar
from geodata.errors import InputError

if TYPE_CHECKING:
    from detection.mining import MineResult


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mine", no_args_is_help=True)(mine)


def mine(
    labels: Annotated[
        list[Path],
        typer.Option(
            metavar="FILE", help="Known kilns; may be repeated, the earlier speaks.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Table for the finds.", show_default=False)],
    scenes: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SCENE", help="Labelled scenes, or folders of them.", show_default=False),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Instead of scenes: the folder of a run, for what each fold's net found on its own part.",
        ),
    ] = None,
    ignore: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Unverified places: CSV with lon and lat.")
    ] = None,
    model: Model = None,
    to_people: Annotated[
        Path | None,
        typer.Option(
            metavar="PROJECT", help="Queue possible kilns in this project, or list them in a .csv file."
        ),
    ] = None,
    at_least: Annotated[
        float | None,
        typer.Option(
            "--from",
            min=0,
            max=1,
            metavar="SCORE",
            help="Take finds from here.",
            show_default="threshold / 2",
        ),
    ] = None,
    possible_from: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            metavar="SCORE",
            help="From here a find may be a kiln.",
            show_default="the median score of hits",
        ),
    ] = None,
    bands: Bands = None,
    threads: Threads = None,
) -> None:
    """Find what fools a model where no kiln is labelled, for the next round of training.

    Finds are hard negatives, except the strongest: these look as much like a kiln as half of the labelled
    kilns do, and one or two kilns in a hundred have no label. They go to people (--to-people) and nothing is
    learnt from them meanwhile. FILE.csv is a file of labels: name it after your own in the next run file.

    Example:
        kilnlight mine --run my-run --labels kilns.geojson --out mined.csv
        kilnlight mine a.tif --labels kilns.geojson --out mined.csv --to-people project
    """
    from app.services.mining import Known, Limits, MineRequest, mine_run, mine_scenes
    from geodata.labels.mined import write_mined
    from geodata.sources.files import OpenOptions

    if out.suffix.lower() != ".csv":
        raise InputError(f"{out} does not end with .csv; name a file that does.")
    if bool(scenes) == (run is not None) or (run is not None and model is not None):
        raise InputError("Name scenes (and a --model), or a --run whose nets have looked already.")
    if to_people is not None and to_people.suffix.lower() != ".csv":
        _check_project(to_people)
    known, limits = Known(tuple(labels), ignore), Limits(at_least, possible_from)
    with windows_bar("Looking for what fools the model") as (progress, warn):
        if run is not None:
            result = mine_run(run, known, limits)
        else:
            options = OpenOptions(band_names=band_names(bands))
            request = MineRequest(tuple(scenes or ()), known, model, limits, options, threads or cores())
            result = mine_scenes(request, warn, progress)
        write_mined(out, result.mined)
        _show(result, out)
        if to_people is not None:
            _hand_over(result, to_people, warn)


def _check_project(folder: Path) -> None:
    """Before hours of looking: raise `InputError` where no project is."""
    from app.services.project import open_project

    open_project(folder).close()


def _show(result: "MineResult", out: Path) -> None:
    from geodata.labels.mined import HARD, POSSIBLE

    hard = int(result.mined.hard.sum())
    typer.echo(
        f"{out}: {hard} hard negatives ({result.per_1000_km2(HARD):.1f} per 1,000 km²), scores from "
        f"{result.at_least:.3f}"
    )
    typer.echo(
        f"{len(result.mined) - hard} possible kilns without a label "
        f"({result.per_1000_km2(POSSIBLE):.1f} per 1,000 km²), scores from {result.possible_from:.3f}; "
        f"{result.hits} labelled kilns found on {result.area_km2:,.0f} km²"
    )


def _hand_over(result: "MineResult", to: Path, warn: Warn) -> None:
    """Possible kilns into a project's queue, or into a table of places."""
    from app.services.project import open_project
    from app.services.rounds import RoundRequest, queue_places
    from geodata.labels.mined import write_mined
    from geodata.tiles import tile_ids

    possible = result.mined.take(~result.mined.hard)
    if to.suffix.lower() == ".csv":
        write_mined(to, possible)
        typer.echo(f"{to}: {len(possible)} places to look at")
        return
    with open_project(to) as project:
        tiles = tile_ids(possible.lon, possible.lat)
        queued, outside = queue_places(project, tiles, RoundRequest(max(len(tiles), 1), warn=warn))
    typer.echo(f"{to}: {queued} tiles are first in the queue")
    if outside:
        typer.echo(
            f"{outside} tiles lie where no run of the project looked: run detect --candidates on their "
            "scenes, import the run, and mine again."
        )
