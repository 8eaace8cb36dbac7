"""Which remote system an id belongs to, as text: `https://acme.bookingbug.com company 37004`.

A target is a system (scheme, host, port and path of a `base_url`) and, where that is not enough, an account on it.
One system has one spelling here, however a `base_url` spells it, so that equal systems are equal texts. The two parts
are compared apart: the account may be known only once credentials are resolved.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

_FEW = 1024
"""There are as many targets as connections, and as many comparisons as managed objects."""

_PORTS = {"https": 443, "http": 80}
_UNRESERVED = re.compile(r"%[0-9A-Fa-f]{2}")
_IN_PATH = "/%:@!$&'()*+,;=~"
"""What a path may hold beside letters and digits (RFC 3986); its escapes are uniform already."""
_DIGITS = 12
_USER = re.compile(r" ?\buser [0-9a-f]+$")


class Target(Struct, frozen=True):
    """A target in its two parts."""

    system: str
    account: str = ""
    """The account on the system; empty where the system has only one, or where it is not known (yet)."""

    def __str__(self) -> str:
        return f"{self.system} {self.account}".rstrip()

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read a target that was written as text."""
        system, _, account = text.partition(" ")
        return cls(system, account)

    @property
    def is_exact(self) -> bool:
        """Whether it names the whole system. Older states name only its host."""
        return "://" in self.system

    @property
    def host(self) -> str:
        """The host of the system."""
        return _host(urlsplit(self.system).hostname or "" if self.is_exact else self.system)


@lru_cache(_FEW)
def system_of(base_url: str) -> str:
    """Return the one spelling of a connection's system: case, default port, escapes, dots and final slash are equal.

    The path keeps its case: two of them may be two systems.
    """
    parts = urlsplit(base_url)
    host, port = _host(parts.hostname or ""), parts.port
    shown = f"[{host}]" if ":" in host else host
    place = shown if port is None or port == _PORTS.get(parts.scheme) else f"{shown}:{port}"
    return f"{parts.scheme}://{place}{_path(parts.path)}"


@lru_cache(_FEW)
def target_of(base_url: str, *accounts: str | None) -> str:
    """Return the target of a connection, with the parts of its account that are known."""
    return str(Target(system_of(base_url), " ".join(part for part in accounts if part)))


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL or a system in their one spelling, without its path."""
    parts = urlsplit(url)
    return system_of(f"{parts.scheme}://{parts.netloc}")


def account_of(system: str, names: tuple[str, ...]) -> str:
    """Return the account that user names choose at a system: a digest, because a state and a plan show it."""
    return f"user {sha256(chr(0).join((system, *names)).encode()).hexdigest()[:_DIGITS]}"


def same_system(one: str, other: str) -> bool:
    """Whether two targets may be one as far as that is known without credentials: an older one names only its host."""
    first, second = Target.parse(one), Target.parse(other)
    if first.is_exact and second.is_exact:
        return first.system == second.system
    return first.host == second.host


@lru_cache(_FEW)
def same_target(one: str, other: str) -> bool:
    """Whether two targets are one: the systems are, and the accounts where both are known."""
    first, second = Target.parse(one).account, Target.parse(other).account
    return same_system(one, other) and (not first or not second or first == second)


class Targets:
    """Targets by name, among which the one that another target means is looked up: a project may have thousands."""

    def __init__(self, named: Mapping[str, str]) -> None:
        self._named = named
        self._near: dict[tuple[str, str | None], list[str]] = {}
        """The names by host, each with its account, and all of a host without one."""
        self._found: dict[str, tuple[str, ...]] = {}
        for name, text in sorted(named.items()):
            target = Target.parse(text)
            for account in (target.account, None):
                self._near.setdefault((target.host, account), []).append(name)

    def same(self, target: str) -> tuple[str, ...]:
        """Return the names of the targets that are this one, in order."""
        if target not in self._found:
            host, account = Target.parse(target).host, Target.parse(target).account
            near = [
                name for known in ((account, "") if account else (None,)) for name in self._near.get((host, known), ())
            ]
            self._found[target] = tuple(sorted(name for name in near if same_target(self._named[name], target)))
        return self._found[target]


def forms(target: str) -> tuple[str, ...]:
    """Return every text that a state may hold for a target: its own, and that of older states."""
    whole = Target.parse(target)
    return tuple(dict.fromkeys((target, str(Target(whole.host, _USER.sub("", whole.account))))))


def _host(name: str) -> str:
    """Return a host in lower case: an IP address in its short form, any other name in ASCII (IDNA)."""
    name = name.lower().removesuffix(".")
    with suppress(ValueError):
        return ip_address(name).compressed
    return name if name.isascii() else _ascii(name).removesuffix(".")


def _ascii(name: str) -> str:
    import idna  # noqa: PLC0415 - 50 ms that a host in ASCII need not pay

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name


def _path(path: str) -> str:
    """Return a path with uniform escapes and without `.`, `..` and a final slash (RFC 3986, 6.2.2)."""
    uniform = quote(_UNRESERVED.sub(lambda found: _unescaped(found[0]), path), safe=_IN_PATH)
    kept: list[str] = []
    for segment in uniform.split("/"):
        if segment == "..":
            kept = kept[:-1] or [""]
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept).rstrip("/")


def _unescaped(escape: str) -> str:
    """Return the character of an escape that needs none, else the escape in upper case."""
    character = unquote(escape, errors="replace")
    plain = character.isascii() and (character.isalnum() or character in "-._~")
    return character if plain else escape.upper()
