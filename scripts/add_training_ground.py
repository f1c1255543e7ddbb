"""Write the training scenes' outlines into a bundle's card, for cards that training wrote without them.

    python scripts/add_training_ground.py RUN.toml BUNDLE

Every scene of the run file is listed as learnt. The card changes, and with it the model's id.
"""

import glob
import sys
from pathlib import Path

from detection.bundle import TrainingBlock, load_bundle, write_card
from detection.training_ground import blocks_of_scene
from geodata.errors import InputError
from geodata.sources.files import OpenOptions, open_with
from training.config import read_config
from training.data import resolve


def blocks_of_run(run_file: Path) -> tuple[TrainingBlock, ...]:
    """A block for each scene of a run file. Raises `InputError` where one cannot be opened."""
    data = read_config(run_file).data
    options = OpenOptions(bands=data.bands, band_names=data.band_names)
    blocks: list[TrainingBlock] = []
    for pattern in data.scenes:
        paths = sorted(glob.glob(str(resolve(pattern, run_file.parent))))
        if not paths:
            raise InputError(f"No scene fits {pattern}; check [data] scenes in the run file.")
        for path in paths:
            with open_with(Path(path), options) as scene:
                blocks += blocks_of_scene(scene.info.name, scene.info.grid)
    return tuple(blocks)


def add_training_ground(run_file: Path, folder: Path) -> tuple[str, str]:
    """Write the card anew; the model's id before and after.

    Raises:
        InputError: a broken bundle or run file, or a card with data of several runs.
    """
    bundle = load_bundle(folder)
    if len(bundle.card.training_data) != 1:
        raise InputError(f"The card of {folder} does not name one set of training data; edit it by hand.")
    data = bundle.card.training_data[0].model_copy(update={"blocks": blocks_of_run(run_file)})
    write_card(folder, bundle.card.model_copy(update={"training_data": (data,)}))
    return bundle.model_id, load_bundle(folder).model_id


def main() -> None:
    """Run with the arguments of the command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        before, after = add_training_ground(Path(sys.argv[1]), Path(sys.argv[2]))
    except InputError as error:
        sys.exit(f"add_training_ground: {error}")
    print(f"{sys.argv[2]}: model {before} is now {after}")


if __name__ == "__main__":
    main()
