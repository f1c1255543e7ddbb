"""app.cli.train: `kilnlight train`; it imports training, but only when asked."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.cli.training_bar import training_bar
from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders, write_text_atomic

if TYPE_CHECKING:
    from training.check import Checked


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
    check: Annotated[
        bool, typer.Option("--check", help="Open everything, count, estimate the time, and end.")
    ] = False,
    init: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Bundle to start the weights from.")
    ] = None,
    fold: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Train and score only this fold.")
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1, mps: where to learn.")
    ] = "auto",
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="CPU threads.")] = 2,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write TensorBoard's event files.")
    ] = False,
) -> None:
    """Train a detector with your own labels and write its model bundle.

    The same command goes on where it was stopped. Needs the extra `train` (torch).

    Example:
        kilnlight train --example RUN.toml
        kilnlight train RUN.toml --check
        kilnlight train RUN.toml --out my-run
        kilnlight detect scene.tif --model my-run/bundle --out found
    """
    from detection.bundle import load_bundle
    from geodata.labels.forms import left_out
    from training.config import read_config
    from training.data import read_labels

    if example is not None:
        _write_example(example)
        return
    if run_file is None:
        raise InputError("No run file was given; `kilnlight train --example RUN.toml` writes one.")
    settings = read_config(run_file)
    if settings.folds.file is None:
        _check_fold(fold, len(settings.folds.parts), run_file)
    if init is not None:
        load_bundle(init)
    # broken labels are told before torch is waited for
    for problem in read_labels(settings.data, run_file.parent).problems:
        typer.secho(left_out(problem), err=True, fg="yellow")
    run = _training()
    now = datetime.now(UTC).replace(microsecond=0)
    command = _command(run_file, init)
    setting = run.Setting(threads, _commit(), now, init, fold, device, tensorboard, command)
    if check:
        from training.check import check as check_run

        with training_bar() as progress:
            checked = check_run(settings, run_file.parent, out, setting, progress)
        _show(checked)
        return
    with without_empty_folders(out), _weights_explained(out), training_bar() as progress:
        ensure_output_folder(out)
        bundle = run.train(settings, run_file.parent, out, setting, progress)
    if bundle is None:
        typer.echo(f"Scored fold {fold}: {out / f'fold{fold}' / 'figures.json'}")
        return
    typer.echo(f"Wrote the bundle {bundle}; use it with: kilnlight detect SCENE --model {bundle} --out DIR")


def _command(run_file: Path, init: Path | None) -> str:
    """What makes the figures again, for report and card, which others see: no folder of this disk."""
    run, *began = (path.name if path.is_absolute() else str(path) for path in (run_file, init) if path)
    return shlex.join(["kilnlight", "train", run, *(["--init", *began] if began else []), "--out", "OUT"])


def _write_example(path: Path) -> None:
    from training.example import example

    if path.exists():
        raise InputError(f"{path} exists already; choose another name.")
    write_text_atomic(path, example())
    typer.echo(f"Wrote {path}; edit it, then: kilnlight train {path}")


def _show(checked: "Checked") -> None:
    """Scenes, parts and the time that they take, as tables."""
    console = Console()
    scenes = Table("scene", "kilns", "km²")
    for name, side in checked.scenes.items():
        scenes.add_row(name, f"{side.kilns:,}", f"{side.km2:,.1f}")
    parts = Table("part", "learns from", "km²", "is scored on", "km²", "steps", "done")
    for part in checked.parts:
        learnt, held = part.learnt, part.held_back
        scored = (f"{held.kilns:,} kilns", f"{held.km2:,.1f}") if held.km2 else ("-", "-")
        nets = [net for net in checked.nets if net.name.startswith(f"{part.name}/")]
        steps, done = sum(net.steps for net in nets), sum(net.done for net in nets)
        row = (f"{learnt.kilns:,} kilns", f"{learnt.km2:,.1f}", *scored, f"{steps:,}", f"{done:,}")
        parts.add_row(part.name, *row)
    console.print(scenes, parts)
    left = timedelta(seconds=round(checked.seconds_left))
    console.print(
        f"{checked.seconds_per_step:.2f} s a step on {checked.machine} in {checked.precision}"
        f" ({checked.why}): {left} to go, if the machine stays as busy as now.",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


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


def _training() -> ModuleType:
    """What needs torch. Raises `InputError` where the extra is missing."""
    try:
        from training import run
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "torchvision", "safetensors", "onnx", "onnxscript", "matplotlib"):
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
