"""What lies in the repository: no pickles, small bundles, no path of a machine, short files."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICKLES = {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib", ".npy"}
HOME = re.compile(rb"(?<![\w.$}])/(?:home|Users|root|work|mnt)/[A-Za-z0-9_.-]+/")
TEXT = {".py", ".md", ".toml", ".json", ".js", ".css", ".html", ".yaml", ".cff", ".po", ".csv", ""}


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    files = [ROOT / name for name in done.stdout.decode().split("\0") if name]
    # an unpacked archive has no git; there everything but hidden folders counts
    files = files or [
        p for p in ROOT.rglob("*") if not any(q.startswith(".") for q in p.relative_to(ROOT).parts)
    ]
    return [p for p in files if p.is_file()]


def test_no_pickle() -> None:
    assert [p for p in tracked() if p.suffix in PICKLES] == []


def test_no_code_that_reads_pickles() -> None:
    """Weights travel as safetensors and ONNX; torch.load only ever reads tensors."""
    wrong = []
    for path in tracked():
        if path.suffix != ".py" or path.is_relative_to(ROOT / "tests"):
            continue
        text = path.read_text(encoding="utf-8")
        imports = re.search(r"^\s*(?:import|from)\s+(?:pickle|joblib|dill)\b", text, re.MULTILINE)
        loads = [m for m in re.finditer(r"torch\.load\([^)]*\)", text) if "weights_only=True" not in m[0]]
        if imports or loads:
            wrong.append(path)
    assert wrong == []


def test_bundles_stay_small() -> None:
    size = sum(p.stat().st_size for p in tracked() if p.is_relative_to(ROOT / "detection" / "bundles"))
    assert size <= 20_000_000


def test_no_path_of_a_developers_machine() -> None:
    found = [p for p in tracked() if p.suffix in TEXT and HOME.search(p.read_bytes())]
    assert found == []


def test_no_file_is_long_and_no_function_is_long() -> None:
    long_files, long_functions = [], []
    for path in tracked():
        if path.suffix != ".py" or path.is_relative_to(ROOT / "tests"):
            continue
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 400:
            long_files.append(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1 if ast.get_docstring(node) and len(node.body) > 1 else 0]
                lines = (node.end_lineno or 0) - first.lineno + 1
                if lines > 40 and "migrations" not in path.parts:
                    long_functions.append((path.relative_to(ROOT), node.name, lines))
    assert (long_files, long_functions) == ([], [])


@pytest.mark.parametrize("name", ["LICENSE", "CITATION.cff", "CHANGELOG.md", "CONTRIBUTING.md", "README.md"])
def test_the_papers_are_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 300
