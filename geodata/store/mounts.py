"""geodata.store.mounts: tells whether a folder lies on a network mount; knows nothing of databases.

SQLite's write-ahead log needs shared memory, which network file systems do not give.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

NETWORK_TYPES = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs 9p 9p2000 afs afpfs webdav davfs fuse.davfs2 fuse.sshfs sshfs "
    "fuse.rclone fuse.s3fs fuse.gcsfuse fuse.glusterfs glusterfs ceph fuse.ceph lustre ncpfs".split()
)


def network_type(folder: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system that holds a folder, or None for a local one.

    Args:
        folder: it need not exist yet.
        mounts: lines like those of /proc/mounts; None asks this machine. Where it cannot tell, the
            folder counts as local.
    """
    if sys.platform == "win32" and mounts is None:
        return "a network share" if str(folder.absolute()).startswith("\\\\") else None
    table = _mounts_of_this_machine() if mounts is None else mounts
    real = os.path.realpath(folder)
    best, found = -1, None
    for point, kind in _parsed(table):
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # of two mounts at one point the later one lies on top
        if inside and len(point) >= best:
            best, found = len(point), kind
    return found if found is not None and found.lower() in NETWORK_TYPES else None


def _parsed(table: str) -> Iterator[tuple[str, str]]:
    for line in table.splitlines():
        parts = line.split()
        if len(parts) >= 3 and parts[1] != "on":
            yield _unescaped(parts[1]), parts[2]
        elif " on " in line and " (" in line:
            # macOS: "//me@host/share on /Volumes/share (smbfs, nodev)"
            point, options = line.split(" on ", 1)[1].rsplit(" (", 1)
            yield point, options.split(",")[0].rstrip(")")


def _unescaped(point: str) -> str:
    """/proc/mounts writes blanks, tabs and backslashes as octal numbers."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point


def _mounts_of_this_machine() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        pass
    try:
        return subprocess.run(["mount"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
