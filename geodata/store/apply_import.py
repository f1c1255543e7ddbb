"""geodata.store.apply_import: what imports and merges do to the derived tables (see `apply`)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, case, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from geodata.store import schema
from geodata.store.events import Event
from geodata.store.incoming import IncomingRun
from geodata.store.places import nearest_tile, tile_at
from geodata.store.records import Ring
from geodata.store.summary import refresh_sites, refresh_tiles, sites_of_scenes, tiles_of_scenes
from geodata.store.supersede import current_evidence, newer_scenes, settle

Row = dict[str, Any]
_UNREVIEWED: Row = {
    "score": None,
    "is_candidate": True,
    "probability": None,
    "log_odds": None,
    "calibrated": False,
    "votes_kiln": 0,
    "votes_none": 0,
    "votes_unsure": 0,
}


def run_imported(connection: Connection, event: Event, run: IncomingRun) -> None:
    """Take a run in; on scenes that were run before, the newer model's evidence counts (see `supersede`).

    A site that loses its evidence to this run gets an entry without scores in its history.
    """
    site_of: dict[str, str] = event.payload["site_of"]
    scene_ids = [scene.scene_id for scene in run.scenes]
    connection.execute(
        insert(schema.runs),
        {
            "run_id": run.run_id,
            "model_id": run.model_id,
            "model_created_at": run.model_created_at,
            "threshold": run.threshold,
            "imported_at": event.at,
            "event_id": event.event_id,
        },
    )
    _put_scenes(connection, run)
    before = current_evidence(connection, scene_ids)
    touched = set(sites_of_scenes(connection, scene_ids))
    touched_tiles = set(tiles_of_scenes(connection, scene_ids))
    _found_sites(connection, run, event.payload["founders"])
    shares = _shares(run)
    many(connection, schema.detections, _detection_rows(run, site_of, shares))
    many(connection, schema.coverage, _coverage_rows(run.run_id, shares))
    settle(connection, scene_ids)
    counts = current_evidence(connection, scene_ids)
    lost = {site for name, site in before.items() if name not in counts}
    missed: dict[str, Row] = {site: {"run_id": run.run_id, "scores": {}} for site in lost}
    _remember(connection, event, missed | _evidence_by_site(run, site_of))
    refresh_sites(connection, touched | set(site_of.values()))
    refresh_tiles(connection, touched_tiles | {tile.tile_id for tile in run.tiles})


def sites_marked(connection: Connection, event: Event) -> None:
    """Found the sites that volunteers marked where there was none."""
    rows = []
    for site in event.payload["sites"]:
        outline = tuple((float(lon), float(lat)) for lon, lat in site["outline"])
        side = site["side_m"]
        place = {"site_id": site["site_id"], "lon": site["lon"], "lat": site["lat"]}
        size = {"length_m": side, "width_m": side, "angle_deg": 0.0, "marked_only": True}
        made_up = _any_made_up(connection, tile_at(site["lon"], site["lat"]))
        kind = {"site_type": site["site_type"], "kiln_class": site["kiln_class"], "made_up": made_up}
        rows.append((place | size | kind, outline))
    _insert_sites(connection, rows)
    _remember(connection, event, {site["site_id"]: {} for site in event.payload["sites"]})


def tiles_queued(connection: Connection, event: Event) -> None:
    """Put tiles into the volunteers' queue; a tile keeps its token and may become more doubtful.

    It keeps its round too, with the chance it had there, until a later round chooses it.
    """
    statement = upsert(schema.queue)
    old, given = schema.queue.c, statement.excluded
    new = {
        "doubt": given.doubt,
        "sampled": old.sampled | given.sampled,
        "round": func.max(old["round"], given["round"]),
        "chance": case((given["round"] > old["round"], given.chance), else_=old.chance),
    }
    # logs from before there were rounds do not name them
    rows = [{"round": 0, "chance": None, **tile} for tile in event.payload["tiles"]]
    connection.execute(statement.on_conflict_do_update(index_elements=["tile_id"], set_=new), rows)


def pictures_cut(connection: Connection, event: Event) -> None:
    """Remember where the pictures of sites and queued tiles lie; a later one takes an earlier one's place."""
    statement = upsert(schema.pictures)
    new = {name: statement.excluded[name] for name in ("path", "corners", "scene_id")}
    rows = [{"what": what, **picture} for what, picture in event.payload["pictures"].items()]
    connection.execute(statement.on_conflict_do_update(index_elements=["what"], set_=new), rows)


def _put_scenes(connection: Connection, run: IncomingRun) -> None:
    kept = newer_scenes(connection, run)
    for scene in run.scenes:
        if scene.scene_id not in kept:
            row = asdict(scene)
            statement = upsert(schema.scenes).values(**row)
            connection.execute(statement.on_conflict_do_update(index_elements=["scene_id"], set_=row))


def _found_sites(connection: Connection, run: IncomingRun, founders: Mapping[str, str]) -> None:
    made_up = {scene.scene_id: scene.made_up for scene in run.scenes}
    by_id = {detection.detection_id: detection for detection in run.detections}
    rows = []
    for site_id, detection_id in founders.items():
        d = by_id[detection_id]
        row = {
            "site_id": site_id,
            **asdict(d.box),
            "site_type": d.site_type,
            "kiln_class": d.kiln_class,
            "marked_only": False,
            "made_up": made_up[d.scene_id],
        }
        rows.append((row, d.outline))
    _insert_sites(connection, rows)


def _insert_sites(connection: Connection, rows: Sequence[tuple[Row, Ring]]) -> None:
    """Insert sites with all that hangs on each: outline, box for the R*Tree, concern."""
    if not rows:
        return
    last = connection.execute(select(func.coalesce(func.max(schema.sites.c.n), 0))).scalar_one()
    sites, outlines, concerns, boxes = [], [], [], []
    for n, (row, outline) in enumerate(rows, start=last + 1):
        name = {"site_id": row["site_id"]}
        sites.append({"n": n, "tile_id": tile_at(row["lon"], row["lat"])} | row | _UNREVIEWED)
        outlines.append(name | {"outline": outline})
        concerns.append(name | {"concern": "none_recorded"})
        lons, lats = zip(*outline, strict=True)
        boxes.append((n, min(lons), max(lons), min(lats), max(lats)))
    many(connection, schema.sites, sites)
    many(connection, schema.site_outlines, outlines)
    many(connection, schema.concern, concerns)
    connection.exec_driver_sql(
        "INSERT INTO site_boxes (n, west, east, south, north) VALUES (?, ?, ?, ?, ?)", boxes
    )


def _any_made_up(connection: Connection, tile_id: str) -> bool:
    query = select(schema.scenes.c.scene_id).join(schema.coverage).where(schema.coverage.c.tile_id == tile_id)
    return connection.execute(query.where(schema.scenes.c.made_up)).first() is not None


def _shares(run: IncomingRun) -> dict[str, dict[str, float]]:
    """By scene the share observed of each tile; several files of a scene may meet inside a tile."""
    shares: dict[str, dict[str, float]] = {scene.scene_id: {} for scene in run.scenes}
    for tile in run.tiles:
        of_scene = shares[tile.scene_id]
        of_scene[tile.tile_id] = min(1.0, of_scene.get(tile.tile_id, 0.0) + tile.observed_share)
    return shares


def _coverage_rows(run_id: str, shares: Mapping[str, Mapping[str, float]]) -> list[Row]:
    return [
        {"tile_id": tile, "scene_id": scene, "run_id": run_id, "observed_share": share, "superseded": False}
        for scene, of_scene in shares.items()
        for tile, share in of_scene.items()
    ]


def _detection_rows(
    run: IncomingRun, site_of: Mapping[str, str], shares: Mapping[str, Mapping[str, float]]
) -> list[Row]:
    return [
        {
            "run_id": run.run_id,
            "detection_id": d.detection_id,
            "scene_id": d.scene_id,
            "site_id": site_of[d.detection_id],
            "model_id": d.model_id,
            "score": d.score,
            "probability": d.probability,
            "is_candidate": d.is_candidate,
            "tile_id": nearest_tile(tile_at(d.box.lon, d.box.lat), shares[d.scene_id]),
            "superseded": False,
            "outline": d.outline,
        }
        for d in run.detections
    ]


def _evidence_by_site(run: IncomingRun, site_of: Mapping[str, str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for d in run.detections:
        entry = found.setdefault(site_of[d.detection_id], {"run_id": run.run_id, "scores": {}})
        entry["scores"][d.scene_id] = d.score
    return found


def _remember(connection: Connection, event: Event, details: Mapping[str, Row]) -> None:
    many(
        connection,
        schema.history,
        [{"site_id": site, "event_id": event.event_id, "detail": detail} for site, detail in details.items()],
    )


def many(connection: Connection, table: Any, rows: list[Row]) -> None:
    """Insert rows, of which there may be none."""
    if rows:
        connection.execute(insert(table), rows)
