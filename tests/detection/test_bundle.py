"""A bundle is read only where its card is whole and its files are the ones that the card names."""

import json
import shutil
from pathlib import Path

import pytest

from detection.bundle import CARD, WEIGHTS, load_bundle, shipped_bundle_path, write_card
from geodata.errors import InputError


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    """The shipped bundle's card beside a few bytes as graph and weights."""
    for name in ("model.onnx", WEIGHTS):
        (tmp_path / name).write_bytes(name.encode())
    write_card(tmp_path, load_bundle(shipped_bundle_path()).card)
    return tmp_path


def change(folder: Path, **values: object) -> None:
    card = json.loads((folder / CARD).read_text())
    (folder / CARD).write_text(json.dumps(card | values))


def test_the_id_follows_the_card_and_so_every_file(folder: Path) -> None:
    before = load_bundle(folder)
    assert before.card.files.keys() == {"model.onnx", WEIGHTS}
    (folder / WEIGHTS).write_bytes(b"other")
    write_card(folder, before.card)
    assert load_bundle(folder).model_id != before.model_id


def test_a_folder_without_a_card(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no card\.json; give the folder"):
        load_bundle(tmp_path)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"threshold": 1.5}, "threshold"),
        ({"candidate_floor": 0.2}, "candidate_floor"),
        ({"input_multiple": 0}, "input_multiple"),
        ({"pixel_size_m": 0}, "pixel_size_m"),
        ({"domain": {"area": [], "months": [13], "products": []}}, r"domain\.months"),
        ({"surprise": 1}, "surprise"),
        ({"schema_version": 2}, "schema_version"),
    ],
)
def test_a_card_that_cannot_be_meant(folder: Path, values: dict[str, object], why: str) -> None:
    change(folder, **values)
    with pytest.raises(InputError, match=rf"model card of this version.*{why}"):
        load_bundle(folder)


def test_files_that_are_changed_lost_unhashed_or_elsewhere(folder: Path) -> None:
    hashes = json.loads((folder / CARD).read_text())["files"]
    (folder / WEIGHTS).write_bytes(b"other")
    with pytest.raises(InputError, match="does not match its card"):
        load_bundle(folder)
    (folder / WEIGHTS).unlink()
    with pytest.raises(InputError, match=f"lacks {WEIGHTS}"):
        load_bundle(folder)
    (folder / WEIGHTS).write_bytes(WEIGHTS.encode())
    change(folder, files=hashes | {"../other/model.onnx": hashes["model.onnx"]})
    with pytest.raises(InputError, match="lacks"):
        load_bundle(folder)
    change(folder, files={"model.onnx": hashes["model.onnx"]})
    with pytest.raises(InputError, match=f"gives no hash for {WEIGHTS}"):
        load_bundle(folder)


def test_a_card_that_is_no_json(folder: Path) -> None:
    shutil.copy(folder / WEIGHTS, folder / CARD)
    with pytest.raises(InputError, match="the file"):
        load_bundle(folder)
