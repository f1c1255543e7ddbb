"""A store is opened, made and brought up to date, or refused with one sentence."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.services.project import open_project
from geodata.errors import InputError, KilnlightError
from geodata.store import migrate
from geodata.store.engine import for_writing, make_engine
from geodata.store.mounts import network_type
from geodata.store.schema import metadata
from geodata.store.store import Store

LOCAL = "/dev/vda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kilnlight.sqlite"


def test_pragmas_hold_on_every_connection(path: Path) -> None:
    store = Store.open(path, create=True)
    for _ in range(2):
        with store.reading() as one, store._engine.connect() as two:
            for connection in (one, two):
                values = {
                    name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
                }
                assert values["journal_mode"] == "wal"
                assert values["synchronous"] == 2, "FULL"
                assert values["foreign_keys"] == 1
                assert values["busy_timeout"] >= 5000


def test_writers_take_the_lock_at_once(path: Path) -> None:
    store = Store.open(path, create=True)
    other = sqlite3.connect(path, timeout=0)
    with store.writing():
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_missing_store_is_refused_and_not_made(path: Path) -> None:
    with pytest.raises(InputError, match="no store at"):
        Store.open(path)
    assert not path.exists()


def test_file_that_is_no_database(path: Path) -> None:
    path.write_text("hello, I am a letter and long enough to be taken for a header of a file" * 20)
    with pytest.raises(InputError, match="cannot be used as a store"):
        Store.open(path)


def test_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    Store.open(path, create=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(InputError, match="'9999', which is newer"):
        Store.open(path)
    assert sqlite3.connect(path).execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


@pytest.mark.parametrize("revision", migrate.known_revisions())
def test_every_older_schema_comes_up_to_the_newest(path: Path, revision: str) -> None:
    engine = make_engine(path)
    with for_writing(engine) as connection, connection.begin():
        migrate.upgrade(connection, path, revision)
        assert migrate.revision_of(connection) == revision
    engine.dispose()
    store = Store.open(path)
    with store.reading() as connection:
        assert migrate.revision_of(connection) == migrate.known_revisions()[-1]


def test_migrations_give_the_tables_that_the_program_knows(path: Path) -> None:
    store = Store.open(path, create=True)
    with store.reading() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    strange = [change for change in found if "site_boxes" not in str(change)]
    assert strange == [], "only the R*Tree is made by hand"


def test_migration_that_breaks_leaves_an_empty_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic.operations import Operations

    real = Operations.create_index

    def fails(*args: object, **kwargs: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Operations, "create_index", fails)
    with pytest.raises(KeyboardInterrupt):
        Store.open(path, create=True)
    assert sqlite3.connect(path).execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    monkeypatch.setattr(Operations, "create_index", real)
    Store.open(path, create=True).close()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("server:/x {} nfs4 rw 0 0", "nfs4"),
        ("//server/x {} cifs rw 0 0", "cifs"),
        ("host {} 9p rw 0 0", "9p"),
        ("me@host: {} fuse.sshfs rw 0 0", "fuse.sshfs"),
        ("//me@host/share on {} (smbfs, nodev, nosuid)", "smbfs"),
        ("/dev/sdb1 {} ext4 rw 0 0", None),
        ("tmpfs {} tmpfs rw 0 0", None),
    ],
)
def test_network_mounts_are_told_from_disks(tmp_path: Path, line: str, kind: str | None) -> None:
    mounts = LOCAL + line.format(str(tmp_path).replace(" ", "\\040")) + "\n"
    assert network_type(tmp_path / "project", mounts) == kind
    assert network_type(tmp_path.parent, mounts) is None, "the folder above lies on the disk"


def test_mount_with_a_blank_and_a_disk_over_a_share(tmp_path: Path) -> None:
    folder = tmp_path / "my share"
    mount = f"h:/ {str(folder).replace(' ', chr(92) + '040')} nfs rw 0 0\n"
    assert network_type(folder, LOCAL + mount) == "nfs"
    over = f"/dev/sdb1 {folder}/disk ext4 rw 0 0\n".replace("my share", "my\\040share")
    assert network_type(folder / "disk" / "p", LOCAL + mount + over) is None
    assert network_type(tmp_path / "my share2", LOCAL + mount) is None, "a name that only begins the same"


def test_store_on_a_network_mount_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match=r"network mount \(nfs\).*disk of this machine"):
        Store.open(path, create=True, mounts=f"server:/x {path.parent} nfs rw 0 0\n")
    assert not path.exists()


def test_project_folder_problems(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match="is a file"):
        open_project(file, create=True)
    with pytest.raises(InputError, match="is no kilnlight project"):
        open_project(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_folder_with_per_cent_and_blank_works(tmp_path: Path) -> None:
    with open_project(tmp_path / "50 % off?", create=True) as project:
        assert project.store.counts().sites == 0


def test_file_damaged_while_it_is_used_is_named_in_one_sentence(path: Path) -> None:
    """A disk fails, or another program writes into the file."""
    store = Store.open(path, create=True)
    store.close()
    page = 4096
    whole = path.read_bytes()
    path.write_bytes(whole[:page] + b"\xff" * (len(whole) - page))
    with pytest.raises(KilnlightError, match=r"kilnlight\.sqlite is damaged .*put back a copy"):
        store.counts()
