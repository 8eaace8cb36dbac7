"""The URL of a state: its parts, and what the driver of a server is given for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import parse_qsl, quote, unquote

from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import ReconcilerError

SQLITE, POSTGRESQL = "sqlite", "postgresql"

_SCHEMES = {SQLITE: SQLITE, POSTGRESQL: POSTGRESQL, "postgresql+psycopg": POSTGRESQL}

_FORM = re.compile(
    r"(?P<scheme>[\w+]+)://"
    r"(?:(?P<user>[^:/]*)(?::(?P<password>[^@]*))?@)?"
    r"(?:(?:\[(?P<host6>[^/?]+)\]|(?P<host>[^/:?]+))?(?::(?P<port>\d*))?)?"
    r"(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?",
    re.ASCII | re.DOTALL,
)

_PLACE = re.compile(r"([A-Za-z0-9.\-]*)(?::(\d*))?", re.ASCII)

_EACH = re.compile(r"([^:,]*)(?::(\d*))?", re.ASCII)

_NO_NAME = re.compile(r"[\s/?#@\\\[\]]")
"""What no name or address of a host contains. Another reader of the URL could find another host there."""

Settings = Mapping[str, str | int]
"""What libpq is given, by its own names."""


class StateUrl(Struct, frozen=True, kw_only=True):
    """The parts of a URL, without its quoting."""

    scheme: str
    """`sqlite` or `postgresql`."""
    user: str | None = None
    password: str | None = None
    host: str | None = None
    port: int | None = None
    database: str | None = None
    """The path of a file, or the name of a server's database."""
    options: Mapping[str, tuple[str, ...]]
    """What follows the question mark: all values of each name."""

    def __repr__(self) -> str:
        """Return the label, which does not show the password."""
        return f"{type(self).__name__}({self.label()!r})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URL; ReconcilerError, which never repeats it, where it is none."""
        found = _FORM.fullmatch(text)
        scheme = None if found is None else _SCHEMES.get(found["scheme"])
        if found is None or scheme is None:
            message = "spec.state is not the URL of a database"
            raise ReconcilerError(message, hint="expected a URL such as sqlite:///.reconciler/state.db")
        options: dict[str, tuple[str, ...]] = {}
        for name, value in parse_qsl(found["options"] or ""):
            options[name] = (*options.get(name, ()), value)
        user, password, database = (
            None if part is None else unquote(part) for part in found.group("user", "password", "database")
        )
        return cls(
            scheme=scheme,
            user=user,
            password=password,
            host=found["host"] or found["host6"],
            port=int(found["port"]) if found["port"] else None,
            database=database,
            options=options,
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """Every part that is text."""
        parts = (self.user, self.password, self.host, self.database)
        return (
            *(part for part in parts if part),
            *(text for name, items in self.options.items() for text in (name, *items)),
        )

    def without(self, option: str) -> Self:
        """Return the URL without one option."""
        return replace(self, options={name: value for name, value in self.options.items() if name != option})

    def label(self) -> str:
        """Return the URL for people: without options, and without the password."""
        user = "" if self.user is None else quote(self.user, safe="")
        secret = "" if self.password is None else ":***"
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host or ""
        at = "" if self.user is None and self.password is None else "@"
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{user}{secret}{at}{host}{port}" + (
            "" if self.database is None else f"/{quote(self.database, safe=' +/')}"
        )

    def settings(self) -> Settings:
        """Return what libpq is given; ReconcilerError where hosts and ports contradict each other, or are none."""
        parts = {"host": self.host, "port": self.port, "user": self.user, "password": self.password}
        found: dict[str, str | int] = {name: part for name, part in parts.items() if part}
        if self.database:
            found["dbname"] = self.database
        found |= {name: ",".join(values) for name, values in self.options.items()}
        found |= self._places()
        for host in ",".join(str(found.get(name, "")) for name in ("host", "hostaddr")).split(","):
            if not host.startswith(("/", "@")) and _NO_NAME.search(host):
                raise _contradictory("a host is not a name")
        return found

    def _places(self) -> Settings:
        """Return the hosts and ports of the options: `host=a,b&port=1,2`, `host=a:1&host=b:2` or `host=a:1`.

        Several hosts never use the port of the part before them.
        """
        hosts, ports = self.options.get("host", ()), self.options.get("port", ())
        if len(hosts) > 1 or (hosts and not ports and _PLACE.fullmatch(hosts[0])):
            places = [_EACH.fullmatch(host) for host in hosts]
            if ports or not all(places):
                raise _contradictory("hosts that are stated one by one are NAME or NAME:PORT, without the option port")
            hosts, ports = zip(*((place[1], place[2] or "") for place in places if place), strict=True)
            ports = ports if any(ports) else ()
        else:
            hosts = tuple(hosts[0].split(",")) if hosts else ()
            ports = tuple(ports[0].split(",")) if len(ports) == 1 else ports
        if not all(port.isdecimal() for port in ports if port):
            raise _contradictory("a port is not a number")
        if ports and max(len(ports), len(hosts)) > 1 and len(ports) != len(hosts):
            raise _contradictory("it has another number of ports than of hosts")
        if len(hosts) > 1 and not ports:
            ports = ("",) * len(hosts)
        return {name: ",".join(items) for name, items in (("host", hosts), ("port", ports)) if items}


def _contradictory(what: str) -> ReconcilerError:
    return ReconcilerError(f"spec.state cannot be used: {what}", hint="check the options host and port")
