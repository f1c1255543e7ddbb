"""The nets that lie in the repository are those of the run file beside them, and of the shipped bundle."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.train, pytest.mark.real_data]

from detection.bundle import WEIGHTS, shipped_bundle_path  # noqa: E402
from training.config import read_config  # noqa: E402
from training.export import load_weights  # noqa: E402
from training.learn import Setting, learn, opened  # noqa: E402
from training.notes import begin_notes  # noqa: E402
from training.progress import Progress  # noqa: E402

RUN = Path(__file__).parents[2] / "training" / "runs" / "kilnnet-delhi" / "RUN.toml"


class Quiet(Progress):
    """Says nothing."""


def test_nothing_is_learnt_where_the_published_nets_lie(delhi: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(RUN.parent / "nets", out)
    begin_notes(out, "fp32", torch.device("cpu"), 1)
    setting = Setting(threads=1, commit="", now=datetime.now(UTC))
    with opened(read_config(RUN), RUN.parent, out, setting, Quiet()) as run:
        for number, fold in enumerate(run.split.folds, 1):
            assert (out / f"fold{number}").exists()
            (weights,) = learn(run, fold, out / f"fold{number}")
            assert all(torch.isfinite(values).all() for values in weights.values())
        (weights,) = learn(run, None, out / "final")
    (shipped,) = load_weights(shipped_bundle_path() / WEIGHTS)
    assert all(torch.equal(values, shipped[name]) for name, values in weights.items())
    assert not list(out.rglob("log.csv"))
