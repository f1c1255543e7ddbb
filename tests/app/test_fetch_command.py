"""The command `kilnlight fetch`: the plan it shows, when it asks, and what it refuses."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import rasterio
import typer
from fakes.sentinel_hub import CATALOG, CLIENT_ID, CLIENT_SECRET, PROCESS, product, running_hub
from typer.testing import CliRunner

from app.cli.fetch import register
from geodata.errors import InputError

AOI = "77.20,28.60,77.22,28.62"
MONTH = ["--from", "2024-01-01", "--to", "2024-01-31"]


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with running_hub(monkeypatch, tmp_path) as service:
        service.products = [product(day=15, cloud_percent=5), product(day=20, cloud_percent=60)]
        yield service


def run(out, *options, aoi=AOI):
    cli = typer.Typer()
    cli.callback()(lambda: None)
    register(cli)
    arguments = ["fetch", "--aoi", aoi, *MONTH, "--out", str(out), *options]
    return CliRunner().invoke(cli, arguments)


def test_a_dry_run_shows_the_plan_and_its_cost_and_spends_nothing(hub, tmp_path):
    result = run(tmp_path / "out", "--dry-run")
    assert result.exit_code == 0
    assert "2024-01-15 05:31" in result.output and "2024-01-20" not in result.output
    assert "Estimated cost: 0.2" in result.output
    assert hub.asked(PROCESS) == [] and not (tmp_path / "out").exists()


def test_fetching_names_the_files_on_stdout(hub, tmp_path):
    result = run(tmp_path / "out", "--yes")
    assert result.exit_code == 0, result.output
    (path,) = (tmp_path / "out").iterdir()
    assert result.stdout.replace("\n", "") == str(path)
    assert "Spent: 0.1" in result.stderr
    again = run(tmp_path / "out", "--yes")
    assert again.exit_code == 0 and "nothing is fetched" in again.stderr and again.stdout == ""


def test_without_a_terminal_it_needs_yes(hub, tmp_path):
    result = run(tmp_path / "out")
    assert isinstance(result.exception, InputError) and "add --yes" in str(result.exception)
    assert hub.asked(PROCESS) == []


@contextmanager
def process(out, *options, stdin=subprocess.DEVNULL):
    """The installed command in a process of its own; it ends with the block."""
    code = "from app.cli.main import run; run()"
    arguments = ["fetch", "--aoi", AOI, *MONTH, "--out", str(out), *options]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # a background shell may have switched the signal off
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@pytest.mark.parametrize(("typed", "code"), [(b"y\n", 0), (b"n\n", 1)])
def test_on_a_terminal_it_asks_before_it_spends(hub, tmp_path, typed, code):
    pty = pytest.importorskip("pty", reason="pseudo-terminals are Unix's")
    keyboard, terminal = pty.openpty()
    with process(tmp_path / "out", stdin=terminal) as running:
        os.write(keyboard, typed)
        _, said = running.communicate(timeout=300)
    assert b"Spend about 0.2" in said
    assert (running.returncode, bool(hub.asked(PROCESS))) == (code, code == 0)


def test_ctrl_c_ends_a_wait_at_once_and_leaves_nothing(hub, tmp_path):
    hub.fail(PROCESS, "429", times=99, Retry_After="290000")
    with process(tmp_path / "out", "--yes") as running:
        deadline = time.monotonic() + 300
        while not hub.asked(PROCESS) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=200)  # well before the wait would end
    assert running.returncode == 130 and b"nothing half-written" in said
    assert not (tmp_path / "out").exists()


def test_an_error_is_one_line_on_stderr_and_code_2(hub, tmp_path):
    with process(tmp_path / "out", "--max-pu", "0.01") as running:
        out, said = running.communicate(timeout=300)
    assert running.returncode == 2 and out == b""
    assert said.decode().splitlines()[-1].startswith("kilnlight: This would cost about 0.2")
    assert b"Traceback" not in said


def test_more_units_than_allowed_are_refused_with_both_figures(hub, tmp_path):
    result = run(tmp_path / "out", "--yes", "--max-pu", "0.05")
    assert isinstance(result.exception, InputError)
    assert "0.2" in str(result.exception) and "--max-pu allows 0.05" in str(result.exception)
    assert hub.asked(PROCESS) == []


def test_an_area_from_a_file_and_bands_by_name(hub, tmp_path):
    west, south, east, north = (float(part) for part in AOI.split(","))
    ring = [[west, south], [east, south], [east, north], [west, south]]
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    result = run(tmp_path / "out", "--yes", "--bands", "B08,B04", aoi=str(path))
    assert result.exit_code == 0, result.output
    (written,) = (tmp_path / "out").iterdir()
    with rasterio.open(written) as dataset:
        assert dataset.descriptions == ("B08", "B04", "SCL")


def test_a_gap_in_the_area_is_told(hub, tmp_path):
    hub.products = [product(bounds=(76, 28, 77.21, 29))]
    result = run(tmp_path / "out", "--dry-run")
    assert "Only 50.0 % of the area is covered" in result.output


def test_l1c_says_that_nothing_masks_its_clouds(hub, tmp_path):
    hub.products = [product(level="L1C")]
    assert "no cloud mask" in run(tmp_path / "out", "--dry-run", "--product", "l1c").output
    hub.products = [product()]
    assert "no cloud mask" not in run(tmp_path / "out", "--dry-run").output


def test_the_whole_last_day_counts(hub, tmp_path):
    run(tmp_path / "out", "--dry-run")
    assert hub.asked(CATALOG)[0]["datetime"] == "2024-01-01T00:00:00Z/2024-01-31T23:59:59Z"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "last week"], "--from 'last week' is no date"),
        (["--to", "2023-01-01"], "exchange --from and --to"),
        (["--product", "l3a"], "no product 'l3a'"),
        (["--bands", "B99"], "no band B99"),
        (["--max-cloud", "1"], "at most 1 % cloud"),
        (["--aoi", "179,10,-179,11"], "antimeridian"),
        (["--aoi", "-10,5,-10,6"], "is empty"),
    ],
)
def test_bad_options_are_one_sentence(hub, tmp_path, options, says):
    result = run(tmp_path / "out", "--dry-run", *options)
    assert isinstance(result.exception, InputError) and says in str(result.exception)


def test_credentials_appear_in_no_output(hub, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    hub.fail(PROCESS, "401")
    good = run(tmp_path / "out", "--yes")
    hub.fail(PROCESS, "400", times=9)
    bad = run(tmp_path / "other", "--yes")
    assert good.exit_code == 0 and "answered 400 (refused Bearer ***" in str(bad.exception)
    said = good.output + bad.output + str(bad.exception) + caplog.text
    for secret in (CLIENT_SECRET, CLIENT_ID, "eyJ-test-token"):
        assert secret not in said
