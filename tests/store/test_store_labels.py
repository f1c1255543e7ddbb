"""Labels from a project: verdicts and merged probabilities, and nothing else that the store knows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from make_project import DAY, make_project
from sqlalchemy import event

from app.services.conclude import conclude_people
from app.services.project import Project
from geodata.labels.kilns import KilnLabels
from geodata.labels.read import read_kilns
from geodata.labels.vectors import write_labels
from geodata.store.records import Site, SiteFilter

LATER = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    with make_project(tmp_path / "project", pictures=False) as made:
        yield made


def sites_of(project: Project) -> list[Site]:
    return project.store.sites(SiteFilter(above_threshold_only=False))


def label(labels: KilnLabels, site: Site) -> tuple[float, np.datetime64]:
    (k,) = np.flatnonzero(labels.label_id == site.site_id)
    return float(labels.probability[k]), labels.valid_from[k]


def test_verdicts_and_merged_chances_become_probabilities(project: Project, tmp_path: Path) -> None:
    sites = sites_of(project)
    gone = next(s for s in sites if s.not_seen_on is not None)
    there = [s for s in sites if s.not_seen_on is None]
    verdicts = {gone: "gone", there[0]: "kiln", there[1]: "not_kiln", there[2]: "unsure", there[3]: "gone"}
    for site, verdict in verdicts.items():
        project.store.add_review(site.site_id, verdict, "", "me", LATER)
    # a verdict that was taken back does not count
    project.store.add_review(there[4].site_id, "kiln", "", "me", LATER)
    project.store.undo_review(there[4].site_id, "me", LATER + timedelta(hours=1))
    conclude_people(project.store)

    for path in (project.folder, tmp_path / "labels.geojson", tmp_path / "labels.gpkg", tmp_path / "l.csv"):
        if path != project.folder:
            write_labels(path, read_kilns(project.folder))
        labels = read_kilns(path)
        assert len(labels) == len(sites)
        assert label(labels, there[0])[0] == 1 and label(labels, there[1])[0] == 0
        assert np.isnan(label(labels, there[2])[0])
        # no chance may be given where the model is not calibrated: then nobody knows
        chance = np.nan if there[4].probability is None else there[4].probability
        assert label(labels, there[4])[0] == pytest.approx(chance, nan_ok=True)
        # gone: since the scene that shows it no more; where none does, since the review
        assert gone.not_seen_on == DAY + timedelta(days=370)
        assert label(labels, gone) == (0, np.datetime64(gone.not_seen_on.replace(tzinfo=None)))
        assert label(labels, there[3]) == (0, np.datetime64(LATER.replace(tzinfo=None)))
        undated = [s for s in sites if s not in (gone, there[3])]
        assert all(np.isnat(label(labels, site)[1]) for site in undated)


def test_what_is_known_of_people_is_never_asked_for(project: Project) -> None:
    site = sites_of(project)[0]
    project.store.add_review(site.site_id, "gone", "", "me", LATER)
    said: list[str] = []

    @event.listens_for(project.store._engine.__class__, "before_cursor_execute")
    def listen(connection, cursor, statement, *more) -> None:  # type: ignore[no-untyped-def]
        said.append(statement.lower())

    try:
        read_kilns(project.folder)
    finally:
        event.remove(project.store._engine.__class__, "before_cursor_execute", listen)
    assert any("from sites" in statement for statement in said)
    assert not any("concern" in statement for statement in said)
