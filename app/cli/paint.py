"""app.cli.paint: the command `paint`: a made-up scene, its truth and simulated volunteers as files."""

from pathlib import Path
from typing import Annotated

import typer

from geodata.errors import InputError
from geodata.files import ensure_output_folder, without_empty_folders


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("paint")(paint)


def paint(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files; made where it is missing.")],
    seed: Annotated[
        int, typer.Option(metavar="N", help="The same seed gives the same scene; others lie elsewhere.")
    ] = 1,
    size: Annotated[
        int, typer.Option(metavar="N", help="Width and height in pixels of 10 m, 64 to 8192.")
    ] = 1024,
    kilns: Annotated[int, typer.Option(metavar="N", help="How many kilns at most, 0 to 2000.")] = 40,
    utm: Annotated[bool, typer.Option("--utm/--degrees", help="On a UTM grid or in degrees.")] = True,
) -> None:
    """Paint a made-up scene that lies in open sea, to try things without imagery.

    Its colours and textures come from statistics of real scenes. Beside made_up.tif it writes the true
    kilns (made_up_kilns.geojson) and the marks of simulated volunteers (made_up_marks.csv). It shows the
    plumbing, not the accuracy.

    Example:
        kilnlight paint --out painted --seed 7
    """
    from geodata.painter import paint_scene, write_painted

    if not 64 <= size <= 8192:
        raise InputError(f"A scene of {size} pixels cannot be painted; give --size between 64 and 8192.")
    if not 0 <= kilns <= 2000:
        raise InputError(f"{kilns} kilns cannot be painted; give --kilns between 0 and 2000.")
    if seed < 0:
        raise InputError(f"The seed {seed} is negative; give 0 or more.")
    with without_empty_folders(out):
        ensure_output_folder(out)
        scene = paint_scene(seed, size, size, kilns, crs="utm" if utm else "4326", place=seed)
        files = write_painted(scene, out, seed=seed)
    typer.echo(f"{files.scene}: {size} x {size} px, {len(scene.kilns)} kilns, made up")
    typer.echo(f"{files.kilns}: the truth")
    typer.echo(f"{files.marks}: simulated volunteers")
