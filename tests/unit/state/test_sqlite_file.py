"""A state that is a SQLite file: who may read it, and what is wrong with it."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state import backups, database, sqlite_file
from reconciler.state.holder import myself
from reconciler.state.store import Store

YOGA = Address("Session", "yoga")
SAVED = Record(address=YOGA, connection="sessions", target="uk.bookingbug.com", remote_id="12", fields={"name": "Yoga"})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deep" / "state.db"


@pytest.fixture
def open_store(file):
    stores = []

    def opened(path=file):
        store = Store(f"sqlite:///{path}", project="acme")
        stores.append(store)
        return store

    yield opened
    for store in stores:
        store.close()


def test_reading_a_state_that_does_not_exist_finds_nothing_and_creates_nothing(open_store, file):
    store = open_store()
    assert store.records() == {}
    assert store.open_intents() == ()
    assert not file.parent.exists()


def test_the_first_write_creates_a_private_file_in_a_folder_that_git_ignores(open_store, file):
    open_store().save(SAVED)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (file.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_file_that_is_no_database_is_an_error_in_words(open_store, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("this is not a database, whatever its name says\n" * 40)
    for use in (lambda store: store.records(), lambda store: store.save(SAVED)):
        with pytest.raises(ReconcilerError, match=r"notes\.txt: file is not a database"):
            use(open_store(file))


USES = {
    "a second store": lambda _, opened, __: opened().records(),
    "its own file as a backup": lambda store, _, file: store.restore(file),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_second_use_of_the_file_leaves_the_locks_of_the_first_one(open_store, file, use):
    """Another program that closes the file would otherwise take itself for the last one, and remove its log."""
    first = open_store()
    first.save(SAVED)
    use(first, open_store, file)
    other = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM sqlite_master').fetchall()"
    subprocess.run([sys.executable, "-c", other, file], check=True, timeout=60)
    first.remove(YOGA)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM reconciler_objects").fetchone() == (0,)


@pytest.mark.parametrize("how", ["delete", "move", "replace"])
def test_a_file_that_is_no_longer_at_its_place_is_not_written(open_store, file, how):
    """SQLite itself keeps writing to it, and nobody would ever find that."""
    store = open_store()
    store.save(SAVED)
    beside = file.with_name("copy")
    match how:
        case "delete":
            file.unlink()
        case "move":
            file.rename(beside)
        case "replace":
            shutil.copy(file, beside)
            beside.replace(file)
    for write in (lambda: store.remove(YOGA), lambda: store.claim(myself("r1"))):
        with pytest.raises(ReconcilerError, match="moved, deleted or replaced"):
            write()
    store.close()
    store.save(SAVED)
    assert list(store.records()) == [YOGA]


def test_a_folder_in_place_of_the_file_is_an_error_in_words(open_store, tmp_path):
    for use in (lambda store: store.records(), lambda store: store.save(SAVED)):
        with pytest.raises(ReconcilerError) as caught:
            use(open_store(tmp_path))
        assert str(tmp_path) in caught.value.message
        assert caught.value.hint == f"it is a folder; name a file in spec.state, such as sqlite:///{tmp_path}/state.db"


def test_a_file_that_this_user_may_not_read_says_so(open_store, file, monkeypatch):
    open_store().save(SAVED)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK or Path(path) != file)
    monkeypatch.setattr(database, "check_ours", not_allowed)
    with pytest.raises(ReconcilerError, match="Permission denied") as caught:
        open_store().records()
    assert "permission to read and write it" in caught.value.hint


def not_allowed(_):
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("spoiled", [slice(100, 400), slice(1000, None)], ids=["its tables", "its end"])
def test_nothing_is_left_beside_a_damaged_file(open_store, file, spoiled):
    store = open_store()
    store.save(SAVED)
    store.close()
    content = bytearray(file.read_bytes())
    content[spoiled] = b"\xff" * 300 if spoiled.stop else b""
    file.write_bytes(content)
    store = open_store()
    with pytest.raises(ReconcilerError, match="malformed"):
        store.records()
    store.close()
    assert [path.name for path in file.parent.glob("state.db-*")] == []


@pytest.mark.parametrize(
    ("free", "words"), [(0, "is full: free some space"), (10**9, "exists and that this user may write in it")]
)
def test_a_write_that_fails_says_whether_the_disk_is_full(open_store, tmp_path, monkeypatch, free, words):
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    monkeypatch.setattr(sqlite_file.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with pytest.raises(ReconcilerError) as caught:
        open_store(tmp_path / "blocked" / "state.db").save(SAVED)
    assert words in caught.value.hint


def test_a_place_that_cannot_be_created_is_an_error_in_words(open_store, tmp_path):
    (tmp_path / "blocked").write_text("a file where a folder is needed")
    store = open_store(tmp_path / "blocked" / "state.db")
    with pytest.raises(ReconcilerError, match=r"state .*blocked") as caught:
        store.claim(myself("r1"))
    assert "spec.state" in caught.value.hint


def test_a_file_that_was_created_but_never_filled_is_taken_for_a_new_state(open_store, file):
    file.parent.mkdir()
    file.touch()
    store = open_store()
    assert store.records() == {}
    store.save(SAVED)
    assert list(store.records()) == [YOGA]


@pytest.mark.parametrize("version", ["98", "99", "0", "one"])
def test_a_state_of_another_schema_version_is_refused_for_reading_and_writing(open_store, file, version):
    open_store().save(SAVED)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE reconciler_meta SET value = ?", (version,))
    connection.close()
    for use in (lambda store: store.records(), lambda store: store.save(SAVED), lambda store: store.open_intents()):
        with pytest.raises(ReconcilerError, match=f"schema version {version}") as caught:
            use(open_store())
        assert caught.value.hint


@pytest.mark.parametrize("url", ["", "not a url", "nosuchdatabase://host/db"])
def test_a_url_that_means_nothing_is_an_error_in_words(url):
    with pytest.raises(ReconcilerError):
        Store(url, project="acme")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_is_made_is_private_whatever_the_umask(open_store, file):
    before = os.umask(0)
    try:
        store = open_store()
        store.save(SAVED)
        assert store.backup("rm") is not None
        made = sorted(path for path in file.parent.rglob("*") if path.name != ".gitignore")
        names = {path.name for path in made}
    finally:
        os.umask(before)
    assert {"state.db", "state.db-wal", "state.db-shm", "backups"} <= names
    assert {path.name: oct(mode(path)) for path in made if path.is_file() and mode(path) != 0o600} == {}
    assert (mode(file.parent), mode(file.parent / "backups")) == (0o700, 0o700)


def test_a_state_in_the_present_folder_and_one_in_memory_work(open_store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("state.db", ":memory:"):
        store = open_store(path)
        store.save(SAVED)
        assert list(store.records()) == [YOGA]
    assert (tmp_path / "state.db").exists()
    assert not (tmp_path / ":memory:").exists()


def test_a_damaged_file_is_an_error_in_words_and_stays_as_it_is(open_store, file):
    open_store().save(SAVED)
    open_store().close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = bytearray(file.read_bytes())
    page = 4096
    whole[page:] = b"\xa5" * (len(whole) - page)
    for extra in file.parent.glob("state.db-*"):
        extra.unlink()
    file.write_bytes(whole)
    for use in (lambda store: store.records(), lambda store: store.claim(myself("r1"))):
        with pytest.raises(ReconcilerError, match=r"state\.db: database disk image is malformed") as caught:
            use(open_store())
        assert caught.value.hint.startswith("move the file away; it has no backups.")
    assert file.read_bytes() == whole


def test_a_damaged_file_names_its_newest_backup_which_can_be_restored(open_store, file):
    store = open_store()
    for remote_id in ("12", "13"):
        store.save(replace(SAVED, remote_id=remote_id))
        kept = store.backup("rm")
    (file.parent / "backups" / "other-20990101T000000.000000Z-rm.db").touch()
    store.close()
    file.write_bytes(b"this is no database" * 1000)
    with pytest.raises(ReconcilerError) as caught:
        open_store().records()
    assert caught.value.hint.endswith(f"`reconciler state restore {kept}`")
    file.rename(file.with_suffix(".damaged"))
    store = open_store()
    store.restore(kept)
    assert store.records()[YOGA].remote_id == "13"


def test_a_full_disk_is_an_error_in_words_and_loses_nothing(open_store):
    store = open_store()
    store.save(SAVED)
    store._database.write(lambda connection: connection.run("PRAGMA max_page_count = 1"))
    large = replace(SAVED, address=Address("Session", "large"), fields={"description": "x" * 1_000_000})
    with pytest.raises(ReconcilerError, match="database or disk is full"):
        store.save(large)
    assert list(open_store().records()) == [YOGA]


def test_old_backups_of_this_state_are_removed_and_others_stay(open_store, file, monkeypatch):
    monkeypatch.setattr(backups, "KEPT", 3)
    store = open_store()
    store.save(SAVED)
    folder = file.parent / "backups"
    made = [store.backup("mv") for _ in range(2)]
    (folder / "notes.db").write_text("mine")
    (folder / "state-of-mine.db").write_text("mine")
    made += [store.backup("rm") for _ in range(4)]
    assert {path.name for path in folder.iterdir()} == {
        ".gitignore",
        "notes.db",
        "state-of-mine.db",
        *(path.name for path in made[-3:]),
    }


def limited(file, script):
    """Run a script as somebody whom permissions bind: root is bound only without its capabilities."""
    bound = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    if bound and shutil.which("setpriv") is None:
        pytest.skip("root is bound by no permissions, and setpriv is not there to change that")
    return subprocess.run(
        [*bound, sys.executable, "-c", script, f"sqlite:///{file}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


WRITES = """
import sys
from reconciler.errors import ReconcilerError
from reconciler.state.holder import myself
from reconciler.state.store import Store
store = Store(sys.argv[1], project="acme")
print(sorted(map(str, store.records())))
try:
    store.claim(myself("r1"))
except ReconcilerError as error:
    print(error.message, "|", error.hint)
"""


def test_a_file_that_may_only_be_read_is_read_and_refuses_the_lease(open_store, file):
    open_store().save(SAVED)
    file.chmod(0o400)
    try:
        done = limited(file, WRITES)
    finally:
        file.chmod(0o600)
    read, refused = done.stdout.splitlines()
    assert read == "['Session/yoga']", done
    assert "attempt to write a readonly database" in refused
    assert "is writable" in refused
