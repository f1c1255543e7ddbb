"""Several processes use one store, and one of them may be killed at any moment."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from make_project import make_project
from store_helpers import dump

from geodata.store.store import Store

_WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from geodata.store.store import Store

store, name = Store.open(Path(sys.argv[1])), sys.argv[2]
site = store.sites()[0].site_id
print("ready", flush=True)
for k in range(int(sys.argv[3])):
    store.add_review(site, "kiln", f"{name} {k}", name, datetime.now(UTC))
    print(k, flush=True)
"""
_HOLDER = """
import sys, time
from pathlib import Path
from geodata.store.store import Store

store = Store.open(Path(sys.argv[1]))
with store.writing() as connection:
    connection.exec_driver_sql("UPDATE sites SET score = 0.5")
    connection.exec_driver_sql("DELETE FROM tiles")
    print("half", flush=True)
    time.sleep(60)
"""


def _start(script: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_write_and_nothing_is_lost(tmp_path: Path) -> None:
    with make_project(tmp_path / "project", n=4, pictures=False) as project:
        path = str(project.store.path)
        writers = [_start(_WRITER, path, name, "15") for name in ("anna", "ben")]
        for writer in writers:
            writer.communicate(timeout=120)
            assert writer.returncode == 0
        assert project.store.counts().reviews == 30
        before = dump(project.store)
        project.rebuild()
        assert dump(project.store) == before


def test_two_processes_make_the_same_store_at_once(tmp_path: Path) -> None:
    script = "import sys; from pathlib import Path; from geodata.store.store import Store\n"
    script += "Store.open(Path(sys.argv[1]), create=True); print('made')"
    path = str(tmp_path / "new.sqlite")
    makers = [_start(script, path) for _ in range(3)]
    assert [maker.communicate(timeout=120)[0].strip() for maker in makers] == ["made"] * 3


def test_process_killed_in_the_middle_leaves_the_old_state(tmp_path: Path) -> None:
    with make_project(tmp_path / "project", n=4, pictures=False) as project:
        before = dump(project.store)
        holder = _start(_HOLDER, str(project.store.path))
        assert holder.stdout is not None and holder.stdout.readline().strip() == "half"
        assert dump(project.store) == before, "readers go on meanwhile"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert dump(project.store) == before
        with project.store.writing():
            pass
        check = sqlite3.connect(project.store.path).execute("PRAGMA integrity_check").fetchone()
        assert check == ("ok",)


def test_killed_writer_loses_nothing_that_it_reported(tmp_path: Path) -> None:
    with make_project(tmp_path / "project", n=4, pictures=False) as project:
        writer = _start(_WRITER, str(project.store.path), "anna", "100000")
        assert writer.stdout is not None
        for line in writer.stdout:
            if line.strip() == "20":
                break
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        assert project.store.counts().reviews >= 21
        before = dump(project.store)
        project.rebuild()
        assert dump(project.store) == before


def test_writer_waits_for_another_instead_of_failing(tmp_path: Path) -> None:
    with make_project(tmp_path / "project", n=4, pictures=False) as project:
        other = Store.open(project.store.path)
        start = time.monotonic()
        process = _start(_HOLDER.replace("time.sleep(60)", "time.sleep(1.0)"), str(project.store.path))
        assert process.stdout is not None and process.stdout.readline().strip() == "half"
        with other.writing():
            assert time.monotonic() - start > 0.9
        process.wait()
        other.close()
