"""app.cli.models: the commands `kilnlight models ...`: which model a project uses, a new one, going back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.options import Bands, Threads, band_names, cores
from app.cli.progress import windows_bar
from geodata.errors import InputError

ProjectFolder = Annotated[Path, typer.Option(metavar="DIR", help="The project's folder.")]
DEFAULT = Path("kilnlight-project")
_SHOWN = (("f1", "F1 at 100 m", 3), ("false_per_1000_km2", "false alarms per 1,000 km²", 1))
"""Figure, label, digits after the point."""


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        no_args_is_help=True,
        help="""The models of a project: which is in use, a new one, back to the one before.

    Example:
        kilnlight models list --project kilnlight-project
    """,
    )
    group.command("list")(list_)
    group.command("publish", no_args_is_help=True)(publish)
    group.command("use", no_args_is_help=True)(use)
    app.add_typer(group, name="models")


def list_(project: ProjectFolder = DEFAULT) -> None:
    """List the models that a project keeps, with what their cards say and when they were chosen.

    Example:
        kilnlight models list --project kilnlight-project
    """
    from app.services.models import kept_models
    from app.services.project import open_project

    with open_project(project) as opened:
        kept = kept_models(opened)
    table = Table(title=f"Models of {project}", title_justify="left")
    for column in ("", "model", "id", "made", "threshold", "first figure of its card", "chosen"):
        # an id that is cut could not be typed
        table.add_column(column, overflow="fold", min_width=16 if column == "id" else None)
    for one in kept:
        card = one.bundle.card
        figure = next((f"{f.name} {f.value:.3f}" for f in card.figures), "–")
        chosen = "; ".join(f"{c.at:%Y-%m-%d} {c.why}" for c in one.choices) or (
            "comes along" if one.shipped else "–"
        )
        table.add_row(
            "in use" if one.in_use else "",
            card.name,
            one.bundle.model_id,
            f"{card.created_at:%Y-%m-%d}",
            f"{card.threshold:.3f}",
            figure,
            chosen,
        )
    Console().print(table, highlight=False, markup=False)


def publish(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="The new model's folder.", show_default=False)
    ],
    scenes: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SCENE", help="Labelled scenes that neither model has learnt from.", show_default=False
        ),
    ] = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="Known kilns in these scenes.")] = None,
    ignore: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Unverified places: CSV with lon and lat.")
    ] = None,
    project: ProjectFolder = DEFAULT,
    anyway: Annotated[
        str | None, typer.Option(metavar="REASON", help="Publish whatever the comparison says.")
    ] = None,
    bands: Bands = None,
    threads: Threads = None,
) -> None:
    """Make a new model the one that a project uses, if it is not worse than the one in use.

    Both run on the same held-out scenes; the new one may not lose more than .01 of F1 at 100 m. It is copied
    into the project, where the app shows its card; `detect --model PROJECT` runs it from then on.

    Example:
        kilnlight models publish my-run/bundle held_back.tif --labels kilns.geojson
        kilnlight detect scene.tif --model kilnlight-project --out run --candidates
    """
    from app.services.evaluating import EvaluateRequest
    from app.services.models import Ground
    from app.services.models import publish as publish_model
    from app.services.project import open_project
    from geodata.sources.files import OpenOptions

    if bool(scenes) != (labels is not None):
        raise InputError("Scenes to compare on and --labels go together; name both or neither.")
    with windows_bar("Comparing") as (progress, warn), open_project(project) as opened:
        ground = None
        if scenes and labels:
            options = OpenOptions(band_names=band_names(bands))
            request = EvaluateRequest(
                tuple(scenes), labels, ignore, options=options, threads=threads or cores()
            )
            ground = Ground(request, warn, progress)
        done = publish_model(opened, bundle, ground, anyway)
    for name, label, digits in _SHOWN if done.differences else ():
        one = (done.differences or {})[name]
        gap = one.difference
        typer.echo(
            f"{label}: {one.first:.{digits}f}, the model before {one.second:.{digits}f}; difference "
            f"{gap.value:+.{digits}f} (95 % interval {gap.low:+.{digits}f} to {gap.high:+.{digits}f})"
        )
    typer.echo(
        f"{project} uses {done.bundle.card.name} ({done.bundle.model_id}) now: "
        f"kilnlight detect SCENE --model {project} --out DIR"
    )


def use(
    model_id: Annotated[
        str, typer.Argument(metavar="ID", help="A model's id, or `shipped`.", show_default=False)
    ],
    because: Annotated[str, typer.Option(metavar="REASON", help="Why; it is kept.", show_default=False)],
    project: ProjectFolder = DEFAULT,
) -> None:
    """Go back to a model that the project keeps.

    What newer models found stays in the project; only runs from now on use the older one.

    Example:
        kilnlight models use shipped --because "too many false alarms in towns"
    """
    from app.services.models import use as use_model
    from app.services.project import open_project

    with open_project(project) as opened:
        bundle = use_model(opened, model_id, because)
    typer.echo(f"{project} uses {bundle.card.name} ({bundle.model_id}) now.")
