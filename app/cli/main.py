"""app.cli.main: the command `kilnlight`: collects the commands and turns errors into one line; knows no more.

The command modules import what is heavy inside their functions, so that `kilnlight --help` stays quick.
"""

import errno
import importlib
import inspect
import os
import sys
from importlib.metadata import version
from itertools import groupby
from typing import Any

import typer
from typer.core import TyperGroup

from geodata.errors import KilnlightError

COMMANDS = (
    "fetch",
    "detect",
    "evaluate",
    "import_",
    "app",
    "paint",
    "demo",
    "train",
    "labels",
    "audit",
    "mine",
    "queue",
    "models",
    "calibrate",
)
"""Modules of `app.cli`, in the order of the help; each has `register(app)`."""

BAD_INPUT = 2
_OF_THE_MACHINE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EISDIR,
    errno.EIO,
)
"""Errors of disks and permissions, which a person can mend and a traceback does not explain."""
INTERRUPTED = 130


class _Group(TyperGroup):
    """A group of commands whose errors a person can read."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command: what a person can mend becomes a line on stderr, Ctrl-C a quiet end."""
        try:
            return super().invoke(ctx)
        except KilnlightError as error:
            for line in str(error).splitlines():
                typer.secho(f"kilnlight: {line}", err=True, fg="red")
            raise typer.Exit(BAD_INPUT) from error
        except OSError as error:
            if error.errno not in _OF_THE_MACHINE:
                raise
            # the system's own words: pyarrow and others wrap them
            what = f"{f'{error.filename}: ' if error.filename else ''}{os.strerror(error.errno)}"
            typer.secho(
                f"kilnlight: {what}; make room or mend the permissions, then try again.", err=True, fg="red"
            )
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as stop:
            typer.echo("kilnlight: stopped; nothing half-written was left behind.", err=True)
            raise typer.Exit(INTERRUPTED) from stop


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"kilnlight {version('kilnlight')}")
        raise typer.Exit()


def _main(
    _version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Show the version and end."
    ),
) -> None:
    """Find possible brick kilns in Sentinel-2 imagery and bring them to the people who follow them up.

    A first way through: [bold]fetch[/] imagery (or take your own GeoTIFF), [bold]detect[/], [bold]import[/]
    the result into a project folder, and look at it with [bold]app[/].

    Example:
        kilnlight detect scene.tif --out run --candidates
        kilnlight import run
        kilnlight app
    """


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        cls=_Group,
        name="kilnlight",
        rich_markup_mode="rich",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback(help=_flowing(_main.__doc__))(_main)
    for name in COMMANDS:
        importlib.import_module(f"app.cli.{name}").register(app)
    _flow(app)
    return app


def _flow(app: typer.Typer) -> None:
    for command in app.registered_commands:
        command.help = _flowing(command.help or getattr(command.callback, "__doc__", None))
    for group in app.registered_groups:
        assert group.typer_instance
        group.typer_instance.info.help = _flowing(group.typer_instance.info.help)
        _flow(group.typer_instance)


def _flowing(text: str | None) -> str:
    """Help whose paragraphs break where the terminal does; lines that are commands stay, in bold."""
    return "\n\n".join(map(_paragraph, inspect.cleandoc(text or "").split("\n\n")))


def _paragraph(text: str) -> str:
    parts = []
    for is_command, group in groupby(map(str.strip, text.splitlines()), _is_command):
        lines = list(group)
        parts.append("\n".join(f"[bold]{line}[/]" for line in lines) if is_command else " ".join(lines))
    return "\n".join(parts)


def _is_command(line: str) -> bool:
    return line.startswith("kilnlight ")


def run() -> None:
    """Entry point of the command `kilnlight`."""
    try:
        build()()
    except KeyboardInterrupt:  # before a command has begun
        sys.exit(INTERRUPTED)
