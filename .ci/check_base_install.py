"""Check a base install in an empty environment: size, no torch, and the commands from outside the checkout.

    python .ci/check_base_install.py VENV WORK_FOLDER

VENV has nothing but the wheel and its dependencies. What was installed and what the app serves is compared
with the files that git tracks in this checkout. Uses the standard library only.
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
ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("geodata", "detection", "training", "app")
STATIC = "app/static/"
LABEL_FILES = ("label.css", "label.js", "label.marks.js", "label.outbox.js")


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


def tracked(*folders: str) -> list[str]:
    """Names of the files that git tracks in some folders of this checkout, relative to its root."""
    done = subprocess.run(["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in done.stdout.decode().split("\0") if name]
    if not names:
        sys.exit(f"git tracks no file in {', '.join(folders)} of {ROOT}; run this in a clone.")
    return names


def check_files(installed: Path) -> int:
    """Every tracked file of the packages but nets lies byte for byte in `installed`; how many these are."""
    # a run's nets are for those who make its figures again, in a checkout: pyproject.toml leaves them out
    names = [name for name in tracked(*PACKAGES) if not name.endswith("/net.safetensors")]
    other = [
        name
        for name in names
        if not (installed / name).is_file() or (installed / name).read_bytes() != (ROOT / name).read_bytes()
    ]
    if other:
        sys.exit(f"The install lacks, or has differently: {', '.join(other)}.")
    return len(names)


def site_packages(venv: Path) -> Path:
    """Where a package of ours was installed."""
    code = "import importlib.util as u; print(u.find_spec('app').origin)"
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-I", "-c", code], capture_output=True, text=True, check=True
    )
    return Path(done.stdout.strip()).parents[1]


def get(address: str) -> bytes:
    """What an address answers; an `OSError` where it answers anything but 200."""
    with urllib.request.urlopen(address, timeout=60) as answer:
        return bytes(answer.read())


def check_answers(address: str) -> int:
    """The app serves its own files and knows the project; how many answers were looked at."""
    files = {f"/assets/{name.removeprefix(STATIC)}": name for name in tracked(STATIC)}
    files |= {f"/label/{name}": STATIC + name for name in LABEL_FILES}
    wrong = []
    for path, name in files.items():
        try:
            if get(address + path) != (ROOT / name).read_bytes():
                wrong.append(f"{path} differs from {name}")
        except OSError as error:
            wrong.append(f"{path}: {error}")
    if b"label.js" not in get(f"{address}/label"):
        wrong.append("/label is not the labelling page")
    for path in ("/export/sites.geojson", "/api/coverage"):
        if not json.loads(get(address + path))["features"]:
            wrong.append(f"{path} is empty")
    if wrong:
        sys.exit("The app does not answer as it should:\n" + "\n".join(wrong))
    return len(files) + 3


def check_app(venv: Path, work: Path) -> int:
    """Start the app on a project, wait for its first page and ask for the others; how many."""
    port = free_port()
    command = [str(venv / "bin" / "kilnlight"), "app", "--project", "project", "--port", str(port)]
    log = work / "app.log"
    with open(log, "wb") as file, subprocess.Popen(command, cwd=work, stdout=file, stderr=file) as server:
        try:
            end = time.monotonic() + START_S
            while time.monotonic() < end and server.poll() is None:
                with contextlib.suppress(OSError):
                    get(f"http://127.0.0.1:{port}/")
                    break
                time.sleep(0.5)
            else:
                sys.exit(
                    f"kilnlight app did not answer within {START_S} s:\n{log.read_text(errors='replace')}"
                )
            return check_answers(f"http://127.0.0.1:{port}")
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
    print(f"{check_files(site_packages(venv))} tracked files are installed as they are")
    run(venv, work, "paint", "--out", "painted", "--size", "512", "--kilns", "12")
    run(venv, work, "detect", "painted/made_up.tif", "--out", "run", "--candidates", "--format", "geojson")
    files = {p.name for p in (work / "run").iterdir()}
    missing = {"detections.parquet", "coverage.parquet", "candidates.parquet", "run.json"} - files
    if missing:
        sys.exit(f"detect did not write {sorted(missing)}.")
    n = len(json.loads((work / "run" / "detections.geojson").read_text())["features"])
    run(venv, work, "import", "run", "--marks", "painted/made_up_marks.csv", "--project", "project")
    answers = check_app(venv, work)
    print(f"paint, detect ({n} possible kilns), import and app ({answers} answers) work outside the checkout")


if __name__ == "__main__":
    main()
