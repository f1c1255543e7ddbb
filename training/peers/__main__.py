"""training.peers: compare other detectors with the own net on the same folds.

python -m training.peers training/peers/TRIES.toml --out DIR --against RUN
"""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import InputError
from geodata.files import ensure_output_folder, write_text_atomic


def main(
    tries_file: Annotated[Path, typer.Argument(metavar="TRIES.toml", help="Settings to try.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Checkpoints, detections, results.")] = Path(
        "peers"
    ),
    full: Annotated[
        str | None, typer.Option(metavar="NAME", help="Run this try for longer, without a comparison.")
    ] = None,
    only_compare: Annotated[
        bool, typer.Option("--only-compare", help="Run none of them for longer.")
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of `kilnlight train`: report both, with a paired test."),
    ] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Time the steps of all tries, and end.")] = False,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="CPU threads.")] = 1,
) -> None:
    """Compare the tries on some folds, then run the best one for longer; goes on where it was stopped."""
    from training.peers.compare import Plan, compare, in_words, run_try
    from training.peers.ground import opened
    from training.peers.measure import measure as time_steps
    from training.peers.report import About, write_comparison
    from training.peers.tries import read_tries

    tries = read_tries(tries_file)
    with opened(tries.base / tries.run) as ground:
        if measure:
            time_steps(tries, ground, threads, say)
            return
        ensure_output_folder(out)
        if full is None:
            results = compare(tries, ground, out / "compare", threads, say)
            write_text_atomic(out / "compare.txt", "\n".join(map(in_words, results)) + "\n")
            full = results[0].name
        if only_compare:
            return
        plan = Plan(tries.full_folds or ground.numbers, tries.full_share, tries.views, threads)
        _, samples = run_try(tries.named(full), ground, out / "full" / full, plan, say)
        if against is not None:
            command = shlex.join(["python", "-m", "training.peers", *sys.argv[1:]])
            about = About(full, command, datetime.now(UTC).replace(microsecond=0))
            say(f"Wrote {write_comparison(out / 'report', ground, plan.folds, against, samples, about)}")


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        typer.run(main)
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(2)
