"""app.services.bundle_copy: a model's graph and weights under another card, as a new bundle."""

import secrets
import shutil
from pathlib import Path

from detection.bundle import GRAPH, WEIGHTS, Bundle, Card, load_bundle, write_card
from geodata.files import atomic_path, ensure_output_folder, flush_folder


def write_bundle(bundle: Bundle, card: Card, out: Path) -> str:
    """Write a bundle of the same graph and weights with another card, whole or not at all; its model id.

    Raises:
        InputError: the folder cannot be written.
    """
    ensure_output_folder(out.parent)
    temporary = out.parent / f".{out.name}.{secrets.token_hex(4)}.part"
    try:
        temporary.mkdir()
        for name in (GRAPH, WEIGHTS):
            with atomic_path(temporary / name) as part:
                shutil.copyfile(bundle.folder / name, part)
        write_card(temporary, card)
        if out.is_dir():
            out.rmdir()
        temporary.rename(out)
        flush_folder(out.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return load_bundle(out).model_id
