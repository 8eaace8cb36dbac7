"""Which servers and files the URL of a state leads to: what its driver would be given, not what the URL looks like."""

from __future__ import annotations

import os
from itertools import zip_longest

from reconciler.errors import ReconcilerError
from reconciler.git_remote import GitRemote, is_git
from reconciler.state.server import parsed
from reconciler.state.url import SQLITE, Settings
from reconciler.target import origin_of
from reconciler.trust import Reached

_FILES = ("passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir")
_PORT = "5432"


def reached(url: str) -> Reached:
    """Return what a state uses. A Unix socket is this machine, and needs no host."""
    if is_git(url):
        return _reached_by_git(url)
    found = parsed(url)
    if found.scheme == SQLITE:
        return Reached()
    settings = found.settings()
    names = [name for key in ("host", "hostaddr") for name in _several(settings, key)]
    if not names:
        names = [name for name in os.environ.get("PGHOST", "").split(",") if name]
    ports = [port or _PORT for port in str(settings.get("port") or _PORT).split(",")]
    origins = [
        f"postgresql://{_bracketed(name)}:{port}"
        for name, port in zip_longest(names, ports[: len(names)], fillvalue=ports[-1])
        if not name.startswith(("/", "@"))
    ]
    unclear = [f"{key} {settings[key]}" for key in ("service", "servicefile") if key in settings]
    database = str(settings.get("dbname", ""))
    unclear += [database] if "=" in database or "://" in database else []  # libpq can read it as settings
    return Reached(
        origins=(*map(_plain, origins), *unclear),
        files=tuple(os.path.abspath(str(settings[key])) for key in _FILES if key in settings),  # noqa: PTH100
    )


def _reached_by_git(url: str) -> Reached:
    try:
        origin = GitRemote.parse(url).origin
    except ValueError as error:
        raise ReconcilerError(f"spec.state {error}") from None
    return Reached(origins=() if origin is None else (_plain(origin),))


def _several(settings: Settings, key: str) -> list[str]:
    """Return a setting of libpq that may be a list."""
    return [item for item in str(settings.get(key) or "").split(",") if item]


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _plain(url: str) -> str:
    """Return the one spelling of an origin; text that is none stays, and no bound allows it."""
    try:
        return origin_of(url)
    except ValueError:
        return url
