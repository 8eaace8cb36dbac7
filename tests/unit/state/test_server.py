"""What a PostgreSQL server off this machine must prove before it gets a password, and what it gets if it does not."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import threading
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
import trustme

from reconciler.errors import ReconcilerError
from reconciler.state.server import Access, is_local
from reconciler.state.store import Store
from reconciler.state.url import StateUrl

PASSWORD = "the-password-of-the-state"
STRICT = {"sslmode": "verify-full", "require_auth": "scram-sha-256"}
CLEAR, MD5 = struct.pack("!i", 3), struct.pack("!i", 5) + b"salt"


@pytest.fixture
def password(monkeypatch):
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def settings(query="", environ=None, place="db.example"):
    url = StateUrl.parse(f"postgresql+psycopg://u@{place}/d{query}")
    found = dict(Access.of(url, environ or {}).settings)
    return {key: found[key] for key in ("sslmode", "require_auth", "sslrootcert") if key in found}


@pytest.mark.parametrize(
    ("given", "environ", "local"),
    [
        ({}, {}, True),
        ({"host": "localhost"}, {}, True),
        ({"host": "LOCALHOST"}, {}, True),
        ({"host": "127.0.0.1"}, {}, True),
        ({"host": "127.8.8.8"}, {}, True),
        ({"host": "::1"}, {}, True),
        ({"host": "/run/postgresql"}, {}, True),
        ({"host": "@abstract"}, {}, True),
        ({"host": "/run/postgresql,127.0.0.1"}, {}, True),
        ({}, {"PGHOST": "/run/postgresql"}, True),
        ({"host": "localhost"}, {"PGHOST": "db.example"}, True),
        ({"host": "db.example", "hostaddr": "127.0.0.1"}, {}, True),
        ({"host": "db.example"}, {}, False),
        ({"host": "10.0.0.1"}, {}, False),
        ({"host": "0.0.0.0"}, {}, False),
        ({"host": "127.1"}, {}, False),
        ({"host": "localhost."}, {}, False),
        ({"host": "db.localhost"}, {}, False),
        ({"host": "localhost.evil.example"}, {}, False),
        ({"host": "::ffff:10.0.0.1"}, {}, False),
        ({"host": "localhost,db.example"}, {}, False),
        ({"host": "db.example,localhost"}, {}, False),
        ({"host": "localhost", "hostaddr": "10.0.0.1"}, {}, False),
        ({"host": "localhost"}, {"PGHOSTADDR": "10.0.0.1"}, False),
        ({}, {"PGHOST": "db.example"}, False),
        ({}, {"PGHOSTADDR": "10.0.0.1"}, False),
        ({"host": "localhost", "service": "elsewhere"}, {}, False),
        ({"host": "localhost"}, {"PGSERVICE": "elsewhere"}, False),
        ({"host": "localhost", "dbname": "host=db.example"}, {}, False),
        ({"host": "localhost", "dbname": "postgresql://db.example"}, {}, False),
    ],
)
def test_which_servers_are_this_machine(given, environ, local):
    assert is_local(given, environ) is local


def test_off_this_machine_a_server_proves_who_it_is_and_that_it_knows_the_password():
    assert settings().items() >= STRICT.items()
    assert settings("?sslmode=verify-full").items() >= STRICT.items()
    assert settings(place="localhost") == settings("?host=/run/postgresql") == {}


def test_the_environment_cannot_weaken_it():
    weak = {"PGSSLMODE": "disable", "PGREQUIREAUTH": "password", "PGSSLROOTCERT": "/x"}
    assert settings(environ=weak).items() >= STRICT.items()


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "nonsense"])
def test_a_mode_that_checks_no_certificate_is_refused_unless_plain_text_is_allowed(mode):
    with pytest.raises(ReconcilerError, match=f"sslmode={mode}") as caught:
        settings(f"?sslmode={mode}")
    assert "allow_plaintext=true" in caught.value.hint
    assert settings(f"?sslmode={mode}&allow_plaintext=true") == {"sslmode": mode, "require_auth": "scram-sha-256"}


def test_the_url_may_say_otherwise():
    assert settings("?allow_plaintext=true") == {"require_auth": "scram-sha-256"}
    assert settings("?require_auth=password").items() >= {"sslmode": "verify-full", "require_auth": "password"}.items()
    assert settings("?require_auth=md5&allow_plaintext=true") == {"require_auth": "md5"}
    less = {"sslmode": "verify-ca", "sslrootcert": "/ca", "require_auth": "scram-sha-256"}
    assert settings("?sslmode=verify-ca&sslrootcert=/ca") == less
    assert "allow_plaintext" not in Access.of(StateUrl.parse("postgresql://h/d?allow_plaintext=true"), {}).settings


@pytest.mark.parametrize("value", ["0", "1", "yes", "True"])
def test_only_true_allows_plain_text(value):
    with pytest.raises(ReconcilerError, match="allow_plaintext must be true or false"):
        settings(f"?allow_plaintext={value}")


def test_a_client_certificate_may_replace_the_password():
    assert settings("?sslcert=/c&sslkey=/k")["require_auth"] == "scram-sha-256,none"
    assert settings(environ={"PGSSLCERT": "/c"})["require_auth"] == "scram-sha-256,none"


def test_the_certificates_of_the_system_are_trusted_where_none_are_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    usual = ssl.get_default_verify_paths().cafile or "system"
    assert settings()["sslrootcert"] == settings("?sslrootcert=system")["sslrootcert"] == usual
    assert settings("?sslrootcert=/ca")["sslrootcert"] == "/ca"
    assert "sslrootcert" not in settings(environ={"PGSSLROOTCERT": "/ca"})
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").touch()
    assert "sslrootcert" not in settings()


def test_a_libpq_that_cannot_refuse_clear_text_is_refused_off_this_machine():
    old = SimpleNamespace(pq=SimpleNamespace(version=lambda: 150006))
    Access.of(StateUrl.parse("postgresql+psycopg://localhost/d"), {}).check(old)
    with pytest.raises(ReconcilerError, match="libpq 15 cannot refuse"):
        Access.of(StateUrl.parse("postgresql+psycopg://db.example/d"), {}).check(old)


@pytest.mark.parametrize(
    "rest",
    [
        "d?conninfo=hostaddr%3D10.0.0.1",
        "d?sslkeylogfile=/tmp/keys",
        "d?prepare_threshold=abc",
        "d?autocommit=1",
        "d?row_factory=x",
        "d?user=somebody",
        "d?dbname=other",
        "d?replication=database",
        "d?sslmod=disable",
        "d?sslmode=disable&sslmode=verify-full",
        "d?require_auth=none&require_auth=password",
        "d?allow_plaintext=true&allow_plaintext=true",
        "d?connect_timeout=abc",
        "d?keepalives=abc",
        "d?port=abc",
        "d?sslmode=nonsense",
        "d?require_auth=nonsense",
        "d?hostaddr=nonsense",
        "d?service=nonsense",
        "d?load_balance_hosts=nonsense",
        "%00",
        "d%00?sslmode=disable",
        "d?application_name=a%00b",
        "d?options=%0a",
    ],
)
@pytest.mark.usefixtures("password")
def test_an_option_that_means_nothing_or_too_much_is_an_error_in_words(rest):
    """What ends or extends the settings of libpq could otherwise undo those that protect the password."""
    with greedy(CLEAR) as server:
        for place in (f"localhost:{server.port}", f"{OTHER_NAME}:{server.port}"):
            error = refused(f"postgresql://u@{place}/{rest}")
            assert error.hint
        assert server.heard == b""


@pytest.mark.parametrize(
    "rest", ["?timeout=abc", "?timeout=5", "?check_same_thread=maybe", "?uri=true", "?mode=ro", "%00", "?a=%00"]
)
def test_a_file_has_no_options(tmp_path, rest):
    with pytest.raises(ReconcilerError, match=r"spec\.state") as caught:
        Store(f"sqlite:///{tmp_path}/state.db{rest}", project="acme")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


class Greedy:
    """A server that asks for a password in a way of its choice, and keeps everything that it is sent."""

    def __init__(self, asks, certificate=None):
        self.asks, self.heard = asks, b""
        self.context = None
        if certificate is not None:
            self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(self.context)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        client.settimeout(10)
        try:
            with client:
                if struct.unpack("!ii", client.recv(8))[1] != 80877103:  # SSLRequest
                    self._ask(client)
                elif self.context is None:
                    client.sendall(b"N")
                    self._ask(client)
                else:
                    client.sendall(b"S")
                    with self.context.wrap_socket(client, server_side=True) as hidden:
                        self._ask(hidden)
        except (OSError, struct.error):
            pass

    def _ask(self, client):
        client.recv(4096)
        client.sendall(b"R" + struct.pack("!i", 4 + len(self.asks)) + self.asks)
        self.heard += client.recv(4096)

    def close(self):
        self.listener.close()


@contextmanager
def greedy(asks, certificate=None):
    with closing(Greedy(asks, certificate)) as server:
        yield server


def refused(url):
    """Read a state as a plan does, and return why that failed."""
    with pytest.raises(ReconcilerError) as caught, closing(Store(url, project="acme")) as store:
        store.records()
    assert PASSWORD not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


OTHER_NAME = "127.1"
"""Loopback by a spelling that only the system understands, so that it is a server off this machine."""


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("asks", [CLEAR, MD5], ids=["clear", "md5"])
@pytest.mark.parametrize("allow", ["", "?allow_plaintext=true", "?allow_plaintext=true&sslmode=disable"])
def test_a_server_without_tls_gets_no_password(asks, allow, monkeypatch):
    monkeypatch.setenv("PGSSLMODE", "prefer")
    with greedy(asks) as server:
        error = refused(f"postgresql://u@{OTHER_NAME}:{server.port}/d{allow}")
        assert server.heard == b""
    assert ("scram-sha-256" if allow else "SSL") in error.message
    assert "allow_plaintext=true" in error.hint


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize(
    ("place", "rest", "words", "about"),
    [
        ("localhost", "", "closed the connection", set()),
        ("localhost", "?sslmode=require", "SSL", set()),
        (OTHER_NAME, "", "SSL", {"sslrootcert", "SCRAM"}),
        (OTHER_NAME, "?sslmode=require", "expected verify-full", {"sslrootcert"}),
        ("nosuchhost.invalid", "", "host", set()),
    ],
)
def test_the_hint_names_the_password_only_after_a_server_asked_for_it(place, rest, words, about):
    with greedy(CLEAR) as server:
        error = refused(f"postgresql://u@{place}:{server.port}/d{rest}")
        assert ("PGPASSWORD" in error.hint) is (server.heard != b"")
    assert words in error.message
    assert {word for word in ("sslrootcert", "SCRAM") if word in error.hint} == about


@pytest.mark.usefixtures("password")
def test_a_server_gets_a_password_in_clear_text_where_the_url_says_so():
    """So the server of these tests does hear what it is sent."""
    with greedy(CLEAR) as server:
        refused(f"postgresql://u@{OTHER_NAME}:{server.port}/d?allow_plaintext=true&require_auth=password")
        assert PASSWORD.encode() in server.heard


@pytest.mark.usefixtures("password")
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("name", ["127.1", "another.example"])
def test_a_certificate_of_another_authority_or_name_gets_no_password(tmp_path, trusted, name):
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(ca)
    with greedy(CLEAR, authority.issue_cert(name)) as server:
        error = refused(f"postgresql://u@{OTHER_NAME}:{server.port}/d?sslrootcert={ca}")
        assert server.heard == b""
    assert "certificate" in error.message or "scram-sha-256" in error.message
    assert "sslrootcert" in error.hint
