"""app.cli.calibrate: the command `kilnlight calibrate`: draws a random sample, or fits on its reviews."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.cli.options import Bands, band_names

if TYPE_CHECKING:
    from app.services.calibrating import Recalibrated
    from app.services.review_sample import Progress


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("calibrate")(calibrate)


def calibrate(
    project: Annotated[Path, typer.Option(metavar="DIR", help="The project's folder.")] = Path(
        "kilnlight-project"
    ),
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Model bundle, or a project: the model that it uses.",
            show_default="the one in use",
        ),
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(metavar="N", help="Draw a random sample of N detections to review.", show_default=False),
    ] = None,
    scenes: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Folder that holds the scenes, for pictures; may be repeated."),
    ] = None,
    bands: Bands = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for the new model bundle.", show_default=False),
    ] = None,
) -> None:
    """Turn scores into probabilities for your own land, from at least 200 reviews of a random sample.

    First --sample draws places at random, half of them at or above the model's threshold. Review them on the
    page Random sample of the app, in its order. Then --out writes a new bundle: the same model with a
    calibration for the area, the months and the products of the scenes. Verdicts on places that people chose
    themselves do not count. Without --sample and --out it tells how far the reviews are.

    Example:
        kilnlight calibrate --sample 250 --scenes imagery
        kilnlight app
        kilnlight calibrate --out models/here
        kilnlight detect imagery --model models/here --candidates --out runs/here
    """
    from app.services.calibrating import recalibrate
    from app.services.model import folder_in_use, model_folder
    from app.services.project import open_project
    from app.services.review_sample import SampleRequest, draw_sample, sample_progress
    from detection.bundle import load_bundle
    from geodata.errors import InputError

    if sample is not None and out is not None:
        raise InputError("--sample and --out are two steps with the reviews between them; give one of them.")
    errors = Console(stderr=True)
    with open_project(project) as opened:
        bundle = load_bundle(model_folder(model) if model else folder_in_use(opened))
        if out is not None:
            _tell(recalibrate(opened, bundle, out), out)
            return
        if sample is not None:
            request = SampleRequest(
                sample,
                tuple(scenes or ()),
                band_names(bands),
                lambda sentence: errors.print(f"Warning: {sentence}", style="yellow", markup=False),
            )
            state: Progress | None = draw_sample(opened, bundle, request)
        else:
            state = sample_progress(opened, bundle.model_id)
    _tell_progress(state, project)


def _tell_progress(state: "Progress | None", project: Path) -> None:
    if state is None:
        typer.echo("No random sample was drawn; draw one with `kilnlight calibrate --sample 250`.")
        return
    typer.echo(
        f"Random sample to review: {state.done} of {state.places} places done, {state.counted} count for a "
        "calibration (200 are needed)."
    )
    if state.next_site is not None:
        typer.echo(f"Go on with `kilnlight app --project {project}`, page Random sample.")


def _tell(done: "Recalibrated", out: Path) -> None:
    from rich.table import Table

    fit = done.calibrations[0]
    console = Console()

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False, markup=False)

    say(
        f"{fit.n} reviews, {done.kilns} kilns; nobody could tell of {done.untold} more. "
        f"Slope {fit.slope:.2f} ± {done.slope_error:.2f}, "
        f"intercept {fit.intercept:.2f} ± {done.intercept_error:.2f}."
    )
    table = Table("Calibration error (ECE)", "n", "before", "after", "perfect, 9 of 10 times")
    for row in done.reliability:
        table.add_row(
            row.group,
            str(row.after.n),
            f"{row.before.ece:.3f} ({row.before.low:.3f} to {row.before.high:.3f})",
            f"{row.after.ece:.3f} ({row.after.low:.3f} to {row.after.high:.3f})",
            f"under {row.after.perfect:.3f}",
        )
    console.print(table)
    say(
        f"Before: {done.before}. After: each chance by a fit on other blocks of land ({done.blocks} blocks). "
        "95 % intervals by a bootstrap over blocks."
    )
    for one in done.calibrations:
        assert one.domain
        lons, lats = zip(*one.domain.area, strict=True)
        say(
            f"Holds within {min(lats):.2f} to {max(lats):.2f} north, {min(lons):.2f} to {max(lons):.2f} "
            f"east; months {', '.join(map(str, one.domain.months))}; {', '.join(one.domain.products)}."
        )
    say(f"{out}: model {done.model_id}")
