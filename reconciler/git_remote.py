"""A state in Git as its URL names it: `git+REMOTE#BRANCH`."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from msgspec import Struct

PREFIX = "git+"

DEFAULT_BRANCH = "reconciler-state"

EXPECTED = (
    "expected git+https://HOST/REPOSITORY.git#BRANCH, git+ssh://USER@HOST/REPOSITORY.git#BRANCH, "
    "git+USER@HOST:REPOSITORY.git#BRANCH or git+file:///FOLDER#BRANCH"
)

_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}

_CLEAR = frozenset({"http", "git"})
"""Protocols without encryption, and without a proof of who the server is."""

_SCP = re.compile(
    r"(?!file:)(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^\\:][^\\]*)"
)
"""`git@github.com:acme/state.git`, which is SSH."""

_BRANCH = re.compile(r"(?!.*(\.\.|//|/\.|\.lock(/|$)))[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}(?<![./])")
"""Names that every forge accepts: a part of what `git check-ref-format` does."""


class GitRemote(Struct, frozen=True, kw_only=True):
    """Where a state in Git is kept."""

    url: str
    """The remote, as git takes it."""
    branch: str
    scheme: str
    """The protocol: https, ssh, file, http or git."""
    origin: str | None = None
    """Scheme, host and port of the server; None for a folder of this machine."""
    path: str | None = None
    """The folder of this machine; None for a server."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the URL of a state; ValueError says what is wrong with it, and repeats nothing of it."""
        if any(character.isspace() or not character.isprintable() for character in text):
            raise ValueError(f"contains a blank or a control character; {EXPECTED}")
        url, mark, branch = text.removeprefix(PREFIX).partition("#")
        branch = branch if mark else DEFAULT_BRANCH
        if not _BRANCH.fullmatch(branch):
            raise ValueError(
                "names a branch that Git or a forge refuses; expected letters, digits and - _ . / after the #"
            )
        if "://" not in url:
            scp = _SCP.fullmatch(url)
            if scp is None:
                raise ValueError(f"names no Git remote; {EXPECTED}")
            return cls(url=url, branch=branch, scheme="ssh", origin=f"ssh://{scp['host'].lower()}:22")
        return cls._of_url(url, branch)

    @classmethod
    def _of_url(cls, url: str, branch: str) -> Self:
        parts = _split(url)
        if parts is None or parts.scheme not in {*_PORTS, "file"}:
            raise ValueError(f"names no Git remote; {EXPECTED}")
        if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
            raise ValueError(
                "contains a credential, which must not be in the project file; git takes it from a credential "
                "helper, from GIT_ASKPASS or from the settings of the pipeline's checkout"
            )
        if parts.query or "?" in url:
            raise ValueError(f"contains a query; {EXPECTED}")
        if parts.scheme == "file":
            if parts.netloc or not parts.path.startswith("/") or len(parts.path) == 1:
                raise ValueError("names no folder; expected git+file:///FOLDER#BRANCH with an absolute path")
            return cls(url=url, branch=branch, scheme="file", path=unquote(parts.path))
        host = parts.hostname or ""
        if not host or host.startswith("-") or (parts.username or "").startswith("-") or len(parts.path) < len("/x"):
            raise ValueError(f"names no Git remote; {EXPECTED}")
        if parts.scheme in _CLEAR and not _is_loopback(host):
            raise ValueError(f"uses {parts.scheme}, which is not encrypted; expected git+https or git+ssh")
        shown = f"[{host}]" if ":" in host else host
        origin = f"{parts.scheme}://{shown}:{parts.port or _PORTS[parts.scheme]}"
        return cls(url=url, branch=branch, scheme=parts.scheme, origin=origin)


def is_git(url: str) -> bool:
    """Return whether the URL of a state names a Git remote."""
    return url.startswith(PREFIX)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # a bad port is found only when asked for
    except ValueError:
        return None
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
