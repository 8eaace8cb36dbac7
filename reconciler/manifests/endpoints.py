"""The rules for URLs that a schema cannot state: where a connection goes, and where the state is kept.

Each function returns None or a sentence; no sentence repeats a URL that may hold a password.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.git_remote import GitRemote, is_git
from reconciler.settings import is_loopback

_SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"pass(word|wd)?\s*=", re.IGNORECASE)
"""A password by name, in a query or in a database's own way of writing its settings; not `passfile=`."""
_POSTGRES = frozenset({"postgresql", "postgresql+psycopg"})


def base_url_fault(url: str, *, allow_http: bool) -> str | None:
    """Return what is wrong with a connection's `base_url`."""
    expected = "expected a URL such as https://uk.bookingbug.com"
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"is not an http or https URL; {expected}"
    if parts.username is not None or parts.password is not None:
        return f"contains credentials; {expected}, with the credentials under auth"
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return f"contains a query or fragment; {expected}"
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname):
        return "uses http, which sends credentials unencrypted; expected https, or allow_http: true"
    return None


def state_fault(url: str) -> str | None:
    """Return what is wrong with the project's `state`."""
    expected = "expected sqlite:///PATH, postgresql://USER@HOST/DATABASE or git+REMOTE#BRANCH"
    if is_git(url):
        return _git_fault(url)
    if _holds_password(url):
        return (
            "contains a password, which must not be in the project file; "
            "expected PGPASSWORD or a passfile (~/.pgpass or PGPASSFILE)"
        )
    if url.startswith(_SQLITE):
        path = url.removeprefix(_SQLITE).partition("?")[0]
        return None if path and path != ":memory:" and "\0" not in path else f"has no file path; {expected}"
    parts = _split(url)
    if parts is None or parts.scheme not in _POSTGRES:
        if url.startswith("postgres://"):
            return "is written postgres://; expected postgresql://USER@HOST/DATABASE"
        return f"is not the URL of an SQLite or PostgreSQL database, or of a Git remote; {expected}"
    return None


def _git_fault(url: str) -> str | None:
    try:
        GitRemote.parse(url)
    except ValueError as error:
        return str(error)
    return None


def _holds_password(url: str) -> bool:
    """Whether a state's URL names a password, however it is written: behind the user, by name, or escaped."""
    parts = _split(url)
    if parts is None:
        user, _, _ = url.partition("://")[2].rpartition("@")
        return ":" in unquote(user) or _PASSWORD.search(unquote(url)) is not None
    if parts.password is not None or ":" in unquote(parts.username or ""):
        return True
    return _PASSWORD.search(unquote(url)) is not None


def overlaid_fault(field: str, url: str) -> str | None:
    """Return a credential that a URL of an environment holds that was not chosen; None where it holds none.

    The rest of the URL is checked when its environment is chosen. A secret in a file is always an error.
    """
    if field == "state":
        return state_fault(url) if _holds_password(url) or (is_git(url) and set("@?") & set(url)) else None
    fault = base_url_fault(url, allow_http=True)
    return fault if fault is not None and ("@" in url or "?" in url or "#" in url) else None


def absolute_state(url: str, root: Path) -> str:
    """Return the state's URL with a relative SQLite path made absolute from the project's folder."""
    if not url.startswith(_SQLITE):
        return url
    path, mark, query = url.removeprefix(_SQLITE).partition("?")
    return f"{_SQLITE}{root / path}{mark}{query}"


def _split(url: str) -> SplitResult | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # a bad port is found only when asked for
    except ValueError:
        return None
    return parts
