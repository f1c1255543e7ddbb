"""geodata.store.imports: words what an import brings as events; each function is one event, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, select

from geodata.looks import Look
from geodata.store.events import NewEvent, find_key
from geodata.store.incoming import Grouping, IncomingRun, MarkedSite, Picture, QueuedTile
from geodata.store.schema import answers, runs, scenes
from geodata.store.store import Store
from geodata.store.supersede import newer_scenes

IMPORTER = "import"
"""Who stands in the log for what the program does by itself."""


def has_run(store: Store, run_id: str) -> bool:
    """Whether a run is in the store already."""
    with store.reading() as connection:
        return connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is not None


def import_run(store: Store, run: IncomingRun, grouping: Grouping, at: datetime) -> bool:
    """Take a run in; False where it is in already. On scenes run before the newer model's evidence counts."""
    with store.writing() as connection:
        if find_key(connection, f"run:{run.run_id}") is not None:
            return False
        payload = {"run_id": run.run_id, "site_of": grouping.site_of, "founders": grouping.founders}
        new = NewEvent(at, "run_imported", IMPORTER, payload, f"run:{run.run_id}")
        store.record(new, lambda run_id: run)
        return True


def changed_scenes(connection: Connection, run: IncomingRun) -> list[str]:
    """A sentence for each scene of a run that was imported before from a file with other bytes.

    A product's id stays the same in a clip of it, but other content under one id may also be a mistake.
    """
    known = {row.scene_id: row for row in connection.execute(select(scenes))}
    return [
        f"{scene.name} is not the file {known[scene.scene_id].name} that was imported before as the scene "
        f"{scene.scene_id}; where they show the same ground one of the runs counts, elsewhere both do."
        for scene in run.scenes
        if scene.scene_id in known and known[scene.scene_id].sha256 != scene.sha256
    ]


def outdated(connection: Connection, run: IncomingRun) -> list[str]:
    """A sentence where a newer model than a run's was run on its scenes before."""
    known = newer_scenes(connection, run)
    if not known:
        return []
    return [
        f"The run's model {run.model_id} of {run.model_created_at:%Y-%m-%d} is older than one that was run "
        f"on {len(known)} of its {len(run.scenes)} scenes before; where that one looked, what this run found "
        "only goes into the history."
    ]


def import_looks(store: Store, looks: Sequence[Look], source: str, at: datetime) -> int:
    """Take in the looks of a file that are not in the store yet; how many there were.

    A look is the same when volunteer, tile, time and answer are; `source` names the file in the log.
    """
    with store.writing() as connection:
        columns = (answers.c.volunteer_id, answers.c.tile_id, answers.c.seen_at, answers.c.answer)
        known = {tuple(row) for row in connection.execute(select(*columns))}
        new = []
        for look in looks:
            name = (look.volunteer_id, look.tile_id, look.seen_at, look.answer)
            if name not in known:
                known.add(name)
                new.append(look)
        if new:
            rows = [asdict(look) | {"seen_at": look.seen_at.isoformat()} for look in new]
            store.record(NewEvent(at, "looked", IMPORTER, {"source": source, "looks": rows}))
        return len(new)


def add_marked_sites(store: Store, sites: Sequence[MarkedSite], at: datetime) -> None:
    """Found sites where volunteers marked a kiln and no site was."""
    if sites:
        payload = {"sites": [asdict(site) for site in sites]}
        store.record(NewEvent(at, "sites_marked", IMPORTER, payload))


def queue_tiles(store: Store, tiles: Sequence[QueuedTile], at: datetime) -> None:
    """Put tiles into the volunteers' queue; a tile that is there keeps its token."""
    if tiles:
        store.record(NewEvent(at, "tiles_queued", IMPORTER, {"tiles": [asdict(tile) for tile in tiles]}))


def add_pictures(store: Store, pictures: Mapping[str, Picture], at: datetime) -> None:
    """Tell where the pictures of sites and queued tiles (by site id or token) lie."""
    if pictures:
        payload = {what: asdict(picture) for what, picture in pictures.items()}
        store.record(NewEvent(at, "pictures_cut", IMPORTER, {"pictures": payload}))
