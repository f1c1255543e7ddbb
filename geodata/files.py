"""geodata.files: hashes and writes that are whole or not there; knows nothing of what is in the files."""

import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from geodata.errors import InputError

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """SHA-256 of a file as 64 hex digits. Raises `OSError` where it cannot be read."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """Give a temporary name beside `final` that takes its place when the block ends well.

    The file and its folder are flushed to disk before and after the rename. On any exception, Ctrl-C
    included, the temporary file (and side files that begin with its name) goes and `final` stays as it was.

    Raises:
        InputError: the folder cannot be written.
    """
    final = Path(final)
    ensure_output_folder(final.parent)
    # the suffix stays, since writers of rasters and tables choose their format by it
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}.part{final.suffix}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, final)
        flush_folder(final.parent)
    finally:
        _remove_all(temporary)


def write_bytes_atomic(final: Path, content: bytes) -> None:
    """Write a whole file at once, or leave what was there. Raises `InputError` as `atomic_path`."""
    with atomic_path(final) as temporary:
        temporary.write_bytes(content)


def write_text_atomic(final: Path, content: str) -> None:
    """Write UTF-8 text as it is (no newline translation), or leave what was there."""
    write_bytes_atomic(final, content.encode("utf-8"))


def write_new_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files that are not there yet, all of them or none, flushed to disk together.

    Cheaper than many atomic writes, for names that nobody knows before this returns.
    """
    paths = {folder / name: content for name, content in contents.items()}
    try:
        for path, content in paths.items():
            path.write_bytes(content)
        for path in paths:
            _flush(path)
        flush_folder(folder)
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise


def ensure_output_folder(path: Path) -> None:
    """Make a folder, with its parents, and try that a file can be written in it.

    Raises:
        InputError: it is a file, or it cannot be made or written.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise InputError(f"{path} is a file, not a folder; name another folder for the output.")
    probe = path / f".write-test.{secrets.token_hex(4)}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"The folder {path} cannot be written ({reason}); name another one or change its permissions."
        ) from error


@contextmanager
def without_empty_folders(path: Path) -> Iterator[None]:
    """Where the block fails, the folders on the way to `path` that it made and left empty go again."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make what was renamed or made in a folder outlast a power cut."""
    # Windows cannot open folders; there the rename itself is all that can be had
    with suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_all(temporary: Path) -> None:
    with suppress(FileNotFoundError):
        temporary.unlink()
    for side_file in temporary.parent.glob(f"{temporary.name}.*"):
        side_file.unlink(missing_ok=True)
