"""Check a base install in an empty environment: size, no torch, and the commands from outside the checkout.

    python .ci/check_base_install.py VENV WORK_FOLDER

VENV has nothing but the wheel and its dependencies. Uses the standard library only.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

LIMIT_MB = 1100
START_S = 120


def size_mb(folder: Path) -> float:
    """Size on disk of a folder's files, in MB (10^6 bytes), links counted once."""
    seen = {(s.st_dev, s.st_ino): s.st_blocks * 512 for s in (p.lstat() for p in folder.rglob("*"))}
    return sum(seen.values()) / 1e6


def run(venv: Path, work: Path, *arguments: str) -> str:
    """Run a kilnlight command in `work`; its output. Ends the check where it fails."""
    done = subprocess.run(
        [str(venv / "bin" / "kilnlight"), *arguments], cwd=work, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(
            f"kilnlight {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
    return done.stdout


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_app(venv: Path, work: Path) -> None:
    """Start the app on a project and wait for its first page."""
    port = free_port()
    command = [str(venv / "bin" / "kilnlight"), "app", "--project", "project", "--port", str(port)]
    log = work / "app.log"
    with open(log, "wb") as file, subprocess.Popen(command, cwd=work, stdout=file, stderr=file) as server:
        try:
            end = time.monotonic() + START_S
            while time.monotonic() < end and server.poll() is None:
                with contextlib.suppress(OSError):
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                        assert answer.status == 200
                        return
                time.sleep(0.5)
            sys.exit(f"kilnlight app did not answer within {START_S} s:\n{log.read_text(errors='replace')}")
        finally:
            server.terminate()


def main() -> None:
    """Run all the checks."""
    venv, work = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    work.mkdir(parents=True)
    os.environ.pop("PYTHONPATH", None)
    size = size_mb(venv)
    print(f"base install: {size:.0f} MB on disk, limit {LIMIT_MB}")
    if size >= LIMIT_MB:
        sys.exit(f"The base install takes {size:.0f} MB; it must stay under {LIMIT_MB}.")
    python = str(venv / "bin" / "python")
    found = (
        "import importlib.util as u, sys; sys.exit(any(map(u.find_spec, ('torch', 'torchvision', 'pytest'))))"
    )
    if subprocess.run([python, "-c", found], cwd=work, check=False).returncode != 0:
        sys.exit("The base install brought torch or pytest.")
    run(venv, work, "paint", "--out", "painted", "--size", "512", "--kilns", "12")
    run(venv, work, "detect", "painted/made_up.tif", "--out", "run", "--candidates", "--format", "geojson")
    files = {p.name for p in (work / "run").iterdir()}
    missing = {"detections.parquet", "coverage.parquet", "candidates.parquet", "run.json"} - files
    if missing:
        sys.exit(f"detect did not write {sorted(missing)}.")
    n = len(json.loads((work / "run" / "detections.geojson").read_text())["features"])
    run(venv, work, "import", "run", "--marks", "painted/made_up_marks.csv", "--project", "project")
    check_app(venv, work)
    print(f"paint, detect ({n} possible kilns), import and app work outside the checkout")


if __name__ == "__main__":
    main()
