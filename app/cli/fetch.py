"""app.cli.fetch: the command `kilnlight fetch`: shows a plan, asks, shows progress; no logic of its own."""

import sys
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.cli.options import moment
from geodata.errors import InputError
from geodata.files import without_empty_folders

if TYPE_CHECKING:
    from geodata.sources.source import Offer, Source


_MAX_PU = 100.0
"""About 44 x 44 km of one acquisition with three bands and SCL."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("fetch", no_args_is_help=True)(fetch)


def fetch(
    aoi: Annotated[
        str,
        typer.Option(metavar="AREA", help="W,S,E,N in degrees, or a GeoJSON or GPKG file with polygons."),
    ],
    start: Annotated[str, typer.Option("--from", metavar="DAY", help="First day, such as 2024-01-01 (UTC).")],
    end: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day, included (UTC).")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")],
    product: Annotated[
        str, typer.Option(metavar="NAME", help="l2a, or l1c, in which nothing masks the clouds.")
    ] = "l2a",
    bands: Annotated[
        str, typer.Option(metavar="NAMES", help="Bands to write; l2a adds SCL, the scene classes.")
    ] = "B04,B03,B02",
    max_cloud: Annotated[
        float, typer.Option(min=0, max=100, metavar="PERCENT", help="Most cloud of an acquisition.")
    ] = 30.0,
    max_pu: Annotated[
        float, typer.Option(min=0, metavar="PU", help="Most processing units to spend in all.")
    ] = _MAX_PU,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Profile in the service client's config.toml.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Spend without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and its cost, then end.")] = False,
) -> None:
    """Fetch Sentinel-2 imagery of an area, one file per acquisition.

    Takes the fewest and least cloudy acquisitions that cover the area. Shows what they cost in processing
    units (PU) and asks before it spends any. Needs an account with a Sentinel Hub service: see
    docs/fetching-imagery.md.

    Example:
        kilnlight fetch --aoi 77.1,28.6,77.4,28.8 --from 2024-01-01 --to 2024-02-29 --out imagery
    """
    from geodata.sources.sentinelhub.area import read_area
    from geodata.sources.sentinelhub.connection import Connection
    from geodata.sources.sentinelhub.credentials import read_config
    from geodata.sources.sentinelhub.products import bands_of, product_named
    from geodata.sources.sentinelhub.source import SentinelHubSource
    from geodata.sources.source import Query, check_budget

    wanted, names = product_named(product), tuple(bands.split(","))
    query = Query(read_area(aoi), moment("--from", start, "2024-01-31"), _end_of_day(end), max_cloud)
    console = Console(stderr=True)
    connection = Connection(read_config(profile=profile))
    source = SentinelHubSource(connection, out, wanted, bands_of(wanted, names))
    with console.status("Searching the Catalog"):
        offer = source.search(query)
    _show(console, offer)
    check_budget(offer.units, max_pu)
    if dry_run or not offer.missing:
        return
    _ask(offer.units, yes)
    with without_empty_folders(out):
        _fetch(console, source, offer)


def _show(console: Console, offer: "Offer") -> None:
    from rich.table import Table

    table = Table("acquired (UTC)", "cloud %", "area %", "requests", "PU")
    table.add_column("file", overflow="fold")
    for scene in offer.scenes:
        table.add_row(
            f"{scene.acquired_at:%Y-%m-%d %H:%M}",
            f"{scene.cloud_percent:.0f}",
            f"{100 * scene.covered_share:.1f}",
            "-" if scene.complete else str(scene.parts),
            "0" if scene.complete else f"{scene.units:.2f}",
            scene.path.name,
        )
    console.print(table)
    if any(not scene.masks_clouds for scene in offer.scenes):
        console.print(
            "[yellow]L1C has no cloud mask: kilnlight detect will take cloud for seen ground, so that a tile "
            "under cloud can count as clean. Prefer l2a, or clear acquisitions (--max-cloud).[/]"
        )
    console.print(f"Estimated cost: {offer.units:.2f} processing units.")
    if not offer.missing:
        console.print("Every file is there already; nothing is fetched.")
    if offer.covered_share < 0.999:
        console.print(f"[yellow]Only {100 * offer.covered_share:.1f} % of the area is covered.[/]")
    for name in offer.left_out:
        console.print(f"[yellow]Left out: {name}, which another satellite's pass overlaps in time.[/]")


def _ask(units: float, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(
            f"This would spend about {units:.2f} processing units and there is no terminal to ask on; "
            "add --yes to go on, or --dry-run to see the plan only."
        )
    typer.confirm(f"Spend about {units:.2f} processing units?", abort=True, err=True)


def _fetch(console: Console, source: "Source", offer: "Offer") -> None:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        total = sum(scene.parts for scene in offer.missing)
        task = progress.add_task("Fetching", total=total)
        written = [source.fetch(scene, lambda: progress.advance(task)) for scene in offer.missing]
    for path in written:
        typer.echo(path)
    if source.units_spent:
        console.print(f"Spent: {source.units_spent:.2f} processing units, as the service says.")


def _end_of_day(text: str) -> datetime:
    """`--to`; a day without a time ends with its last second."""
    end = moment("--to", text, "2024-01-31")
    if "T" not in text and end.time() == time(0):
        end += timedelta(days=1, seconds=-1)
    return end
