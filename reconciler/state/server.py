"""A PostgreSQL server with a state: how it is reached, and what it must prove before it gets a password.

Off this machine a server must show a certificate that can be checked, and must prove that it knows the password (SCRAM)
instead of asking for it. The environment cannot weaken that; the URL of the state can.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from itertools import zip_longest
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.model.nearest import did_you_mean
from reconciler.state.url import SQLITE, StateUrl
from reconciler.version import DISTRIBUTION

ALLOW = "allow_plaintext"
"""The option of the URL that allows a connection without TLS, or with an unchecked certificate."""

_WATCHFUL: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "reconciler",
}
"""Settings of libpq that detect a lost server well before a lease can expire."""

_POOLED: dict[str, Any] = {"prepare_threshold": None}
"""A pooler can give each transaction another connection, which does not have the statements of the last one."""

_OPTIONS = frozenset(
    {
        *(ALLOW, "host", "hostaddr", "port", "service", "passfile", "options", "application_name", "client_encoding"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslcrldir", "sslsni", "sslnegotiation"),
        *("ssl_min_protocol_version", "ssl_max_protocol_version", "require_auth", "channel_binding", "requirepeer"),
        *("gssencmode", "gsslib", "gssdelegation", "krbsrvname", "target_session_attrs", "load_balance_hosts"),
        *("connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
        "tcp_user_timeout",
    }
)
"""The options of libpq that a URL may state: none with a secret, none that hides others, none of the driver."""

_REPEATED = frozenset({"host", "port"})

_CHECKED = ("verify-full", "verify-ca")

_KNOWS_METHODS = 160000
"""The version of libpq that can refuse how a server asks for a password."""

_TLS = (
    "off this machine the server needs TLS with a trusted certificate (its CA: ?sslrootcert=FILE); "
    f"?{ALLOW}=true in the URL of the state allows a connection without TLS"
)
_METHODS = "it must ask for a SCRAM password; another method is stated as ?require_auth=METHOD"

BEGIN = """
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT set_config('lock_timeout', '30s', true), set_config('idle_in_transaction_session_timeout', '60s', true),
  CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END
"""
"""Begins a transaction that writes, in one message.

Its settings are for one transaction, because a pooler then gives its connection to another program.

A statement after one that waited sees what was committed meanwhile, also where the server's default is stricter.
A program that hangs does not block the others. A commit is on the disk: a lost intent is a call that no run looks for.
"""


class Access(Struct, frozen=True, kw_only=True):
    """How a server is reached."""

    settings: Mapping[str, Any]
    """The settings of libpq, and of psycopg."""
    is_local: bool
    """Whether it is on this machine."""

    def __repr__(self) -> str:
        """Return the names of the settings: one of them may be the password."""
        return f"{type(self).__name__}({', '.join(sorted(self.settings))})"

    @classmethod
    def of(cls, url: StateUrl, environ: Mapping[str, str]) -> Access:
        """Decide it; ReconcilerError where the URL asks for what is not safe."""
        given = url.without(ALLOW).settings()
        allowed = _flag(url)
        settings = {**_WATCHFUL, **_POOLED, **given}
        if is_local(given, environ):
            return cls(settings=settings, is_local=True)
        if "require_auth" not in given:
            certificate = "sslcert" in given or "PGSSLCERT" in environ  # then a server may ask for no password
            settings["require_auth"] = "scram-sha-256,none" if certificate else "scram-sha-256"
        mode = str(given.get("sslmode", "verify-full"))
        if not allowed:
            if mode not in _CHECKED:
                message = f"spec.state: sslmode={mode} does not check who the server is; expected verify-full"
                raise ReconcilerError(message, hint=_TLS)
            settings["sslmode"] = mode
            settings |= _authorities(given, environ) if mode == "verify-full" else {}
        return cls(settings=settings, is_local=False)

    def advice(self, cause: Any, *, reached: bool) -> str:
        """Return what to do after an error of the driver, by how far the connection came."""
        made, sent = getattr(cause, "pgconn", None), getattr(cause, "sqlstate", None) is not None
        if reached or sent:
            hint = "check that the server is reachable and that spec.state names the right one"
        elif made is not None and (made.needs_password or made.used_password):
            hint = "check spec.state and the password (PGPASSWORD or a passfile)"
        else:
            hint = "check spec.state, and that the server is reachable"
            hint += f"; {_TLS}; {_METHODS}" if made is not None and not self.is_local else ""
        if "options" in self.settings and not reached:
            hint += "; a pooler may refuse options: set them for the role instead (ALTER ROLE … SET …)"
        return hint

    def check(self, driver: Any) -> None:
        """Raise ReconcilerError for a libpq that cannot refuse to send a password in clear text."""
        if "require_auth" in self.settings and driver.pq.version() < _KNOWS_METHODS:
            message = f"libpq {driver.pq.version() // 10000} cannot refuse to send a password in clear text"
            raise ReconcilerError(message, hint=f"pip install '{DISTRIBUTION}[postgres]', or libpq 16 or newer")


def parsed(text: str) -> StateUrl:
    """Read the URL of a state; ReconcilerError if it is none that can be used."""
    url = StateUrl.parse(text)
    if not all(part.isprintable() for part in url.texts):  # libpq would stop reading there
        raise ReconcilerError("spec.state contains a control character", hint="remove it")
    if url.scheme == SQLITE and url.options:
        hint = "remove everything from the question mark on"
        raise ReconcilerError(f"spec.state: a file has no options, such as {next(iter(url.options))}", hint=hint)
    if url.scheme != SQLITE:
        _check_options(url)
    return url


def _check_options(url: StateUrl) -> None:
    """Raise ReconcilerError for an option of a URL that cannot be used."""
    for name, values in url.options.items():
        if name not in _OPTIONS:
            hint = f"expected one of {', '.join(sorted(_OPTIONS))}"
            raise ReconcilerError(f"spec.state: unknown option {name}{did_you_mean(name, _OPTIONS)}", hint=hint)
        if len(values) > 1 and name not in _REPEATED:
            raise ReconcilerError(f"spec.state: the option {name} is stated more than once", hint="state it once")


def is_local(given: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Return whether every server that libpq may connect to is on this machine: a Unix socket, or loopback.

    A name that only resolves to loopback is not: an answer to a query of the network decides about it.
    """
    database = str(given.get("dbname", ""))
    if "=" in database or "://" in database or "service" in given or "PGSERVICE" in environ:
        return False  # settings that are not seen here
    hosts = _several(given, "host", environ.get("PGHOST", ""))
    addresses = _several(given, "hostaddr", environ.get("PGHOSTADDR", ""))
    return all(_local(address or host) for host, address in zip_longest(hosts, addresses, fillvalue=""))


def _several(given: Mapping[str, Any], key: str, otherwise: str) -> list[str]:
    return str(given.get(key) or otherwise).split(",")


def _local(host: str) -> bool:
    """Return whether a host is this machine. Without one, libpq uses a Unix socket, or localhost on Windows."""
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _flag(url: StateUrl) -> bool:
    stated = ",".join(url.options.get(ALLOW, ("false",)))
    if stated not in {"true", "false"}:
        raise ReconcilerError(f"spec.state: {ALLOW} must be true or false", hint=_TLS)
    return stated == "true"


def _authorities(given: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the certificates to trust where none are chosen: those of the system.

    The libpq of a wheel does not know where they are.
    """
    stated = given.get("sslrootcert", environ.get("PGSSLROOTCERT"))
    if stated not in {None, "system"} or (stated is None and Path("~/.postgresql/root.crt").expanduser().exists()):
        return {}
    return {"sslrootcert": ssl.get_default_verify_paths().cafile or "system"}
