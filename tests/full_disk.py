"""A disk that takes no more, by the system's own limit on a file's size."""

from contextlib import contextmanager

import pytest


@contextmanager
def files_of_at_most(size):
    """The system itself refuses to write more, as a full disk does."""
    resource = pytest.importorskip("resource", reason="limits on file sizes are Unix's")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
