"""A PostgreSQL state behind a pooler that gives each transaction another connection (the real PgBouncer)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from reconciler.errors import ReconcilerError
from reconciler.model.objects import Address, Record
from reconciler.state.holder import myself
from reconciler.state.lease import hold
from reconciler.state.store import Store
from reconciler.state.url import StateUrl

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SETTINGS = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 3
server_round_robin = 1
logfile = {folder}/log
"""


def password():
    """Return the password of the tests' server: the pooler needs it in clear text."""
    given = os.environ.get("PGPASSWORD")
    if given is None:
        given = Path(os.environ["PGPASSFILE"]).read_text(encoding="utf-8").strip().rpartition(":")[2]
    return given


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture
def pooled(postgres, monkeypatch):
    """Return a URL that leads through a pooler to an empty database."""
    if PROGRAM is None:
        pytest.skip("pgbouncer is not installed: .ci/postgres install")
    server, own, name = StateUrl.parse(os.environ["RECONCILER_TEST_POSTGRES"]), free_port(), f"test_{uuid.uuid4().hex}"
    secret = password()
    folder = Path(tempfile.mkdtemp(prefix="reconciler-pooler-"))  # pytest's own is closed to the other user
    (folder / "users").write_text(f'"{server.user}" "{secret}"\n', encoding="utf-8")
    written = SETTINGS.format(host=server.host, port=server.port or 5432, own=own, folder=folder)
    (folder / "settings").write_text(written, encoding="utf-8")
    command = [PROGRAM, "-q", str(folder / "settings")]
    if os.getuid() == 0:  # it refuses to run as root
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "nobody")
        command = ["setpriv", "--reuid=nobody", "--clear-groups", *command]
    monkeypatch.setenv("PGPASSWORD", secret)
    given = os.environ["RECONCILER_TEST_POSTGRES"]
    with (
        psycopg.connect(given, autocommit=True) as connection,
        subprocess.Popen(command, stdout=-1, stderr=-1) as process,
    ):
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield wait_for(process, own, f"postgresql://{server.user}@127.0.0.1:{own}/{name}")
        finally:
            process.terminate()
            process.wait(timeout=30)
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            shutil.rmtree(folder)


def wait_for(process, port, url):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return url
    raise AssertionError(process.communicate())


def record(name, value="1"):
    address = Address("Session", name)
    return Record(address=address, connection="sessions", target="here", remote_id=value, fields={"name": name})


def test_a_run_and_others_beside_it_work_through_a_pooler(pooled):
    """Statements are not prepared, and nothing else stays with a connection that the next transaction may not have."""
    with ExitStack() as stack:
        stores = [stack.enter_context(closing(Store(pooled, project=f"p{number}"))) for number in range(3)]
        errors = []

        def run(store, name):
            try:
                with hold(store, f"run-{name}", timeout=60):
                    for number in range(12):  # the driver would prepare what is executed several times
                        store.save(record("yoga", str(number)))
                        assert store.records()[Address("Session", "yoga")].remote_id == str(number)
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=run, args=(store, number)) for number, store in enumerate(stores)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []


def test_only_one_run_holds_the_lease_through_a_pooler(pooled):
    with closing(Store(pooled, project="acme")) as first, closing(Store(pooled, project="acme")) as second:
        with hold(first, "r1"):
            assert second.claim(myself("r2")).run_id == "r1"
        with hold(second, "r2"):
            second.save(record("yoga"))


def test_what_a_run_sets_does_not_stay_with_the_connections_that_others_get(pooled):
    with closing(Store(pooled, project="acme")) as store:
        for number in range(8):
            store.save(record("yoga", str(number)))
    query = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
    with psycopg.connect(pooled, prepare_threshold=None, autocommit=True) as connection:
        for _ in range(8):
            assert connection.execute(query).fetchone() == ("0", "0")


def test_what_a_pooler_refuses_is_an_error_that_names_it(pooled):
    with (
        closing(Store(f"{pooled}?options=-csearch_path=elsewhere", project="acme")) as store,
        pytest.raises(ReconcilerError, match="unsupported startup parameter") as caught,
    ):
        store.records()
    assert "ALTER ROLE" in caught.value.hint
