"""Which model a project uses: published when it is no worse, gone back to, and shown."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_model_page import shown, texts
from typer.testing import CliRunner

from app.cli.main import build
from app.services.model import folder_in_use, model_folder
from app.services.models import kept_models, publish, use
from app.services.project import Project
from app.services.site_book import SiteBook
from app.web.context import AppContext
from detection.bundle import GRAPH, WEIGHTS, Bundle, load_bundle, shipped_bundle_path, write_card
from detection.training_ground import blocks_of_scene
from geodata.errors import InputError
from geodata.painter import paint_scene, write_painted
from geodata.painter.write import PaintedFiles
from geodata.sources.files import OpenOptions, open_with
from geodata.store.models import model_choices


@dataclass(frozen=True)
class Said:
    code: int
    text: str


def kilnlight(*arguments: object) -> Said:
    done = CliRunner().invoke(build(), [str(a) for a in arguments], env={"COLUMNS": "300"})
    return Said(done.exit_code, " ".join(done.output.split()))


def variant(folder: Path, name: str, threshold: float, seen: Path | None = None) -> Bundle:
    """The shipped weights under another card, which may list a scene as training ground."""
    shipped = load_bundle(shipped_bundle_path())
    folder.mkdir(parents=True)
    for file in (GRAPH, WEIGHTS):
        shutil.copyfile(shipped.folder / file, folder / file)
    data = shipped.card.training_data
    if seen is not None:
        with open_with(seen, OpenOptions()) as scene:
            blocks = tuple(blocks_of_scene(seen.name, scene.info.grid))
        data = (data[0].model_copy(update={"blocks": blocks}),)
    changes = {"name": name, "threshold": threshold, "training_data": data}
    write_card(folder, shipped.card.model_copy(update=changes))
    return load_bundle(folder)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> PaintedFiles:
    return write_painted(paint_scene(5, 256, 256, n_kilns=8), tmp_path_factory.mktemp("ground"))


def test_a_worse_model_is_refused_and_one_that_is_no_worse_is_used(
    project: Project, ground: PaintedFiles, tmp_path: Path
) -> None:
    project.close()
    shipped = load_bundle(shipped_bundle_path()).card
    blind = variant(tmp_path / "blind", "blind", 1.0)
    twin = variant(tmp_path / "twin", "twin", shipped.threshold)
    where = ("--project", project.folder)
    held_out = (ground.scene, "--labels", ground.kilns, *where, "--threads", 1)

    taught = variant(tmp_path / "taught", "taught", 0.3, ground.scene)
    said = kilnlight("models", "publish", taught.folder, *held_out)
    assert said.code == 2 and "taught has learnt from ground in made_up.tif" in said.text
    said = kilnlight("models", "publish", blind.folder, *held_out)
    assert said.code == 2 and "reaches F1 0.000 where kilnnet-delhi, in use, reaches" in said.text
    assert not (project.folder / "models").exists()

    said = kilnlight("models", "publish", twin.folder, *held_out)
    assert said.code == 0 and "difference +0.000 (95 % interval +0.000 to +0.000)" in said.text
    assert load_bundle(model_folder(project.folder)).model_id == twin.model_id
    listed = kilnlight("models", "list", *where).text
    assert listed.index("twin") < listed.index("kilnnet-delhi")
    assert "not worse on held-out ground" in listed

    # detect takes a project for the model that it uses
    out = tmp_path / "run"
    assert kilnlight("detect", ground.scene, "--model", project.folder, "--out", out).code == 0
    assert json.loads((out / "run.json").read_text())["model_id"] == twin.model_id

    said = kilnlight("models", "publish", blind.folder, *where, "--anyway", "a try")
    assert said.code == 0 and load_bundle(model_folder(project.folder)).card.name == "blind"
    said = kilnlight("models", "use", twin.model_id, "--because", "the try failed", *where)
    assert said.code == 0
    said = kilnlight("models", "use", "shipped", "--because", "to compare", *where)
    assert said.code == 0 and model_folder(project.folder) == shipped_bundle_path()


def test_the_log_tells_what_was_measured_and_outlasts_a_rebuild(project: Project, tmp_path: Path) -> None:
    one = variant(tmp_path / "one", "one", 0.3)
    publish(project, one.folder, None, "for a test")
    project.rebuild()
    with project.store.reading() as connection:
        (choice,) = model_choices(connection)
    assert (choice.model_id, choice.why, choice.comparison) == (one.model_id, "for a test", None)
    assert [kept.bundle.card.name for kept in kept_models(project)] == ["one", "kilnnet-delhi"]


def test_the_page_shows_the_card_of_the_model_in_use(
    copy_project: Callable[[], Project], tmp_path: Path
) -> None:
    project = copy_project()
    publish(
        project, variant(tmp_path / "ours", "our own kilns", 0.31).folder, None, "better in Uttar Pradesh"
    )
    page = shown(AppContext(project, SiteBook(project.store)))
    assert not page.exception
    assert "our own kilns" in texts(page) and "better in Uttar Pradesh" in texts(page)


def test_what_cannot_be_published_or_used_is_refused(project: Project, tmp_path: Path) -> None:
    one = variant(tmp_path / "one", "one", 0.3)
    with pytest.raises(InputError, match="name them and --labels, or give --anyway"):
        publish(project, one.folder, None)
    with pytest.raises(InputError, match="is in use already"):
        publish(project, shipped_bundle_path(), None, "why not")
    for strange in ("0123456789abcdef", "../one", ""):
        with pytest.raises(InputError, match="has no model"):
            use(project, strange, "why not")
    publish(project, one.folder, None, "why not")
    shutil.rmtree(project.folder / "models" / one.model_id)
    with pytest.raises(InputError, match="has no model"):
        folder_in_use(project)
    use(project, "shipped", "ours is gone")
    assert folder_in_use(project) == shipped_bundle_path()
    said = kilnlight("models", "publish", one.folder, "scene.tif", "--project", project.folder)
    assert said.code == 2 and "go together" in said.text
