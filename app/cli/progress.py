"""app.cli.progress: a bar on stderr with what is left, and warnings above it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[int, int], None]
"""Called with what is done and what there is in all."""
Warn = Callable[[str], None]


@contextmanager
def windows_bar(what: str) -> Iterator[tuple[Report, Warn]]:
    """Show a bar while the block runs; gives the functions to call for progress and for warnings."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        def warn(text: str) -> None:
            console.print(f"[yellow]warning:[/] {escape(text)}", soft_wrap=True, highlight=False)

        yield report, warn
