"""training.peers: compare other detectors with the own net on the same folds.

python -m training.peers training/peers/TRIES.toml --out DIR
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import InputError
from geodata.files import ensure_output_folder, write_text_atomic


def main(
    tries_file: Annotated[Path, typer.Argument(metavar="TRIES.toml", help="Settings to try.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Checkpoints, detections and results.")] = Path(
        "peers"
    ),
    full: Annotated[
        str | None, typer.Option(metavar="NAME", help="Run this try whole, without a comparison.")
    ] = None,
    only_compare: Annotated[
        bool, typer.Option("--only-compare", help="Do not run the best one whole.")
    ] = False,
    measure: Annotated[bool, typer.Option("--measure", help="Time the steps of all tries, and end.")] = False,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="CPU threads.")] = 1,
) -> None:
    """Compare the tries on some folds, then run the best one on all of them; goes on where it was stopped."""
    from training.peers import compare
    from training.peers.ground import opened
    from training.peers.tries import read_tries

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    tries = read_tries(tries_file)
    with opened(tries.base / tries.run) as ground:
        if measure:
            compare.measure(tries, ground, threads, say)
            return
        ensure_output_folder(out)
        best = full
        if best is None:
            results = compare.compare(tries, ground, out / "compare", threads, say)
            table = "\n".join(compare.in_words(result) for result in results) + "\n"
            write_text_atomic(out / "compare.txt", table)
            best = results[0].name
        if not only_compare:
            compare.run_best(tries, tries.named(best), ground, out / "full", threads, say)


if __name__ == "__main__":
    try:
        typer.run(main)
    except InputError as error:
        sys.exit(f"Error: {error}")
