"""app.cli.mine: the command `kilnlight mine`; it imports training only for the folds of a run, when asked."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Bands, Model, Threads, band_names, cores
from app.cli.progress import Report, Warn, windows_bar
from geodata.errors import InputError

if TYPE_CHECKING:
    from detection.mining import MineResult

RUN_FILE = ".toml"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("mine", no_args_is_help=True)(mine)


def mine(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="SCENE", help="Labelled scenes, or one run file (RUN.toml).", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.csv", help="Table for the finds.", show_default=False)],
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Known kilns in these scenes.", show_default="the run file's"),
    ] = None,
    ignore: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Unverified places: CSV with lon and lat.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of RUN.toml's run: each fold's net on its own part."),
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
        kilnlight mine RUN.toml --run my-run --out mined.csv --to-people project
        kilnlight mine a.tif --labels kilns.geojson --out mined.csv
    """
    from geodata.labels.mined import write_mined

    if out.suffix.lower() != ".csv":
        raise InputError(f"{out} does not end with .csv; name a file that does.")
    if to_people is not None and to_people.suffix.lower() != ".csv":
        _check_project(to_people)
    with windows_bar("Looking for what fools the model") as (progress, warn):
        if run is not None:
            _only_a_run(inputs, labels, ignore, model)
            result = _by_folds(inputs[0], run, (at_least, possible_from), threads or cores(), progress)
        else:
            from app.services.mining import MineRequest, mine_scenes
            from geodata.sources.files import OpenOptions

            if labels is None or any(path.suffix == RUN_FILE for path in inputs):
                raise InputError(
                    "Scenes need --labels FILE, and a run file needs --run DIR, the folder of its run."
                )
            request = MineRequest(
                tuple(inputs),
                labels,
                ignore,
                model,
                at_least,
                possible_from,
                OpenOptions(band_names=band_names(bands)),
                threads or cores(),
            )
            result = mine_scenes(request, warn, progress)
        write_mined(out, result.mined)
        _show(result, out)
        if to_people is not None:
            _hand_over(result, to_people, warn)


def _check_project(folder: Path) -> None:
    """Before hours of looking: raise `InputError` where no project is."""
    from app.services.project import open_project

    open_project(folder).close()


def _only_a_run(inputs: list[Path], labels: Path | None, ignore: Path | None, model: Path | None) -> None:
    if len(inputs) != 1 or inputs[0].suffix != RUN_FILE or labels or ignore or model:
        raise InputError(
            "With --run name one run file (RUN.toml) and neither --labels, --ignore nor --model: scenes, "
            "labels and nets are those of the run."
        )


def _by_folds(
    run_file: Path, run: Path, scores: tuple[float | None, float | None], threads: int, progress: Report
) -> "MineResult":
    from app.services.mining import options_for, truth_of
    from detection.mining import mine as sort_finds
    from training.config import read_config
    from training.data import read_labels
    from training.mine import out_of_fold

    config = read_config(run_file)
    labels = read_labels(config.data, run_file.parent)
    truth = truth_of(labels.kilns, labels.places)
    card, finds = out_of_fold(config, run_file.parent, run, labels, truth, threads, progress)
    return sort_finds(finds, options_for(card.threshold, labels.kilns, *scores))


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
