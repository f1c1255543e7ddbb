"""Writes are whole or not there."""

import hashlib
import os
from pathlib import Path

import pytest

from geodata.errors import InputError
from geodata.files import (
    atomic_path,
    ensure_output_folder,
    sha256_of,
    write_bytes_atomic,
    write_new_files,
    write_text_atomic,
)


def test_sha256_of_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_001)
    (tmp_path / "a.bin").write_bytes(content)
    assert sha256_of(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()


def test_a_finished_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "run.json"
    final.write_text("old")
    write_text_atomic(final, "nëw\n")
    assert final.read_bytes() == "nëw\n".encode()
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_broken_write_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    final = tmp_path / "run.json"
    final.write_text("old")
    with pytest.raises(error), atomic_path(final) as temporary:
        temporary.write_text("half")
        Path(f"{temporary}.aux.xml").write_text("side file")
        raise error
    assert final.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_the_temporary_name_keeps_folder_and_suffix(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "x.parquet") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".parquet"
        temporary.write_bytes(b"1")


def test_folders_are_made_on_the_way(tmp_path: Path) -> None:
    write_bytes_atomic(tmp_path / "a" / "b" / "c.bin", b"1")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"1"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match=r"out is a file, not a folder"):
        ensure_output_folder(tmp_path / "out")
    with pytest.raises(InputError, match="cannot be written"):
        ensure_output_folder(tmp_path / "out" / "deeper")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux' read-only /proc")
def test_a_folder_that_cannot_be_written_is_an_input_error() -> None:
    with pytest.raises(InputError, match="cannot be written"):
        ensure_output_folder(Path("/proc/self/kilnlight"))


def test_new_files_are_all_there_or_none(tmp_path: Path) -> None:
    write_new_files(tmp_path, {"a": b"1", "b": b"2"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}
    with pytest.raises(OSError):
        write_new_files(tmp_path, {"c": b"3", "no-folder/d": b"4"})
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
