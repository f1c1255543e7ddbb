"""app.cli.train: `kilnlight train`; it imports training, but only when asked."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders, write_text_atomic


def train(
    run_file: Annotated[
        Path | None, typer.Argument(help="Run file (TOML); see --example.", metavar="RUN.toml")
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for checkpoints, logs and the bundle.")
    ] = Path("training-run"),
    example: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a commented run file here and end.")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Bundle to start the weights from.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train and score only this fold.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="CPU threads.")] = 2,
) -> None:
    """Train a detector with your own labels and write its model bundle.

    The same command goes on where it was stopped. Needs the extra `train` (torch).

    Example:
        kilnlight train --example RUN.toml
        kilnlight train RUN.toml --out my-run
        kilnlight detect scene.tif --model my-run/bundle --out found
    """
    from detection.bundle import load_bundle
    from geodata.labels.forms import left_out
    from training import config
    from training.data import read_labels

    if example is not None:
        if example.exists():
            raise InputError(f"{example} exists already; choose another name.")
        write_text_atomic(example, config.EXAMPLE)
        typer.echo(f"Wrote {example}; edit it, then: kilnlight train {example}")
        return
    if run_file is None:
        raise InputError("No run file was given; `kilnlight train --example RUN.toml` writes one.")
    settings = config.read_config(run_file)
    if settings.folds.file is None:
        _check_fold(fold, len(settings.folds.parts), run_file)
    if init is not None:
        load_bundle(init)
    # broken labels are told before torch is waited for
    for problem in read_labels(settings.data, run_file.parent).problems:
        typer.secho(left_out(problem), err=True, fg="yellow")
    run = _training()
    setting = run.Setting(threads, _commit(), datetime.now(UTC).replace(microsecond=0), init, fold)
    with without_empty_folders(out), _weights_explained(out), _steps_bar() as progress:
        ensure_output_folder(out)
        bundle = run.train(settings, run_file.parent, out, setting, progress)
    if bundle is None:
        typer.echo(f"Scored fold {fold}: {out / f'fold{fold}' / 'figures.json'}")
        return
    typer.echo(f"Wrote the bundle {bundle}; use it with: kilnlight detect SCENE --model {bundle} --out DIR")


def _check_fold(fold: int | None, folds: int, run_file: Path) -> None:
    if fold is not None and fold > folds:
        raise InputError(
            f"There is no fold {fold}: {run_file} has {folds}; name one of these or add it there."
        )


@contextmanager
def _weights_explained(out: Path) -> Iterator[None]:
    """Turn what safetensors raises on a full disk or a broken checkpoint into one sentence."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        raise InputError(
            f"Weights under {out} could not be written or read ({error}); make room, or remove the broken"
            " file, and run the same command again: it goes on where it was."
        ) from error


@contextmanager
def _steps_bar() -> Iterator[Callable[[str, int, int, float], None]]:
    """A bar for each net that is trained; gives the function to call after each step."""
    loss = TextColumn("loss {task.fields[loss]:.3f}")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        loss,
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, step: int, steps: int, loss: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=steps, loss=loss)
            bar.update(tasks[what], completed=step, loss=loss)

        yield progress


def _training() -> ModuleType:
    """What needs torch. Raises `InputError` where the extra is missing."""
    try:
        from training import run
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision", "safetensors", "onnx", "onnxscript"):
            raise
        raise InputError(
            f"Training needs {error.name}, which is not installed; install the extra `train` in the checkout:"
            f' "{sys.executable}" -m pip install -e ".[train]"'
        ) from None
    return run


def _commit() -> str:
    """The checkout's commit, for the card; 'unknown' outside a checkout."""
    here = Path(__file__).parent
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("train", no_args_is_help=True)(train)
