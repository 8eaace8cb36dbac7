"""The parts of every read: lists, single objects, and findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.errors import NotStarted, RemoteError
from reconciler.model.objects import Live, Reading
from reconciler.providers.answer import is_identifier, json_object, neutral
from reconciler.providers.bookingbug_admin import answers, wire
from reconciler.providers.bookingbug_admin.login import EXPIRED
from reconciler.providers.bookingbug_admin.paging import Rows, collect
from reconciler.providers.bookingbug_admin.settings import AdminSettings

if TYPE_CHECKING:
    from reconciler.providers.answer import Answer
    from reconciler.providers.bookingbug_admin.login import Authorised
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

GONE = frozenset({404, 410})

_NOTHING_READABLE = EXPIRED | {403}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list, read to its end."""

    rows: Rows | None = None
    """The objects by id; None where the list failed or was not asked for."""
    failure: str | None = None
    status: int | None = None
    """The status of a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """The result of asking for one object: exactly one of the three."""

    data: Mapping[str, Any] | None = None
    gone: int | None = None
    failure: str | None = None


@dataclass(slots=True, kw_only=True)
class Findings:
    """A `Reading` that is being made: every id goes into exactly one of the three."""

    live: dict[str, Live] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)

    def add(self, remote_id: str, data: Mapping[str, Any], decode: Callable[[Mapping[str, Any]], Live | None]) -> None:
        """Add a returned object: `decode` returns it, None if it no longer exists, or raises ValueError."""
        try:
            live = decode(data)
        except ValueError as error:
            self.unreadable[remote_id] = str(error)
            return
        if live is None:
            self.absent.add(remote_id)
        else:
            self.live[remote_id] = live

    def reading(self, listed: Iterable[str] | None, failure: str | None) -> Reading:
        """Return the finished value."""
        return Reading(
            live=self.live,
            absent=frozenset(self.absent),
            unreadable=self.unreadable,
            listed=None if listed is None else frozenset(listed),
            failure=failure,
        )


class Reader:
    """GETs of one connection's company, on the admin or the public side (seed 002)."""

    def __init__(self, connection: Connection, http: HttpClient, client: Authorised) -> None:
        self.connection = connection
        self.public = AdminSettings.of(connection).reads_only
        self._http = http
        self._client = client
        client.token()  # a refused login is reported once, not for each object

    def path(self, *parts: str) -> str:
        """Return a path on the side this connection reads from."""
        return (wire.public_path if self.public else wire.admin_path)(self.connection, *parts)

    def local_path(self, url: str) -> str | None:
        """Return the path of a link into this same system, else None."""
        return self._http.local_path(url)

    def collection(self, name: str, params: Mapping[str, str]) -> Listing:
        """Read a whole list; RemoteError only where nothing at all can be read."""
        path = self.path(name)

        def page(number: int) -> answers.Page:
            answer = self._get(path, {**params, "page": str(number)})
            if answer.status != 200:  # noqa: PLR2004 - a list has no other success
                raise self._http.refusal(answer, f"GET {path}")
            try:
                return answers.decode_page(answer.body, name)
            except ValueError as error:
                raise ValueError(_unusable(answer, error)) from None

        try:
            return Listing(rows=collect(page, self._http.gather, self.connection.max_concurrency * 4))
        except RemoteError as error:
            if error.status is None or error.status in _NOTHING_READABLE:
                raise
            return Listing(failure=error.message, status=error.status)
        except ValueError as error:
            return Listing(failure=f"GET {path}: {error}")

    def each(self, paths: Iterable[str]) -> dict[str, One]:
        """Ask for several objects at once; by path."""
        todo = sorted(set(paths))
        return dict(zip(todo, self._http.gather(self._one, todo), strict=True))

    def missing(
        self, name: str, ids: Iterable[str], listing: Listing, findings: Findings
    ) -> dict[str, Mapping[str, Any]]:
        """Ask one by one for ids that a list did not name; what is deleted or unreadable goes into `findings`."""
        asked: dict[str, str] = {}
        for remote_id in ids:
            if is_identifier(remote_id):
                asked[remote_id] = self.path(name, remote_id)
            else:
                findings.unreadable[remote_id] = f"{neutral(repr(remote_id), 40)} is not an id; expected digits"
        ones = self.each(asked.values())
        found: dict[str, Mapping[str, Any]] = {}
        for remote_id, path in asked.items():
            one = ones[path]
            if one.data is not None:
                found[remote_id] = one.data
            elif one.gone is None:
                findings.unreadable[remote_id] = one.failure or "no response"
            elif listing.failure is not None:
                findings.unreadable[remote_id] = (
                    f"GET {path}: {one.gone}, but the list that would confirm it could not be read"
                )
            else:
                findings.absent.add(remote_id)
        return found

    def _one(self, path: str) -> One:
        try:
            answer = self._get(path)
        except NotStarted:  # nothing is wrong with the object
            raise
        except RemoteError as error:
            return One(failure=error.message)
        if answer.status in GONE:
            return One(gone=answer.status)
        if answer.status != 200:  # noqa: PLR2004 - reading one object has no other success
            return One(failure=self._http.refusal(answer, f"GET {path}").message)
        try:
            data = json_object(answer.body)
            asked = path.rpartition("/")[2]
            if answers.remote_id(data) != asked:
                return One(failure=f"GET {path}: returned {answers.remote_id(data)} instead")
        except ValueError as error:
            return One(failure=f"GET {path}: {_unusable(answer, error)}")
        return One(data=data)

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        return self._client.ask(lambda headers: self._http.get(path, params, headers))


def _unusable(answer: Answer, error: ValueError) -> str:
    return f"invalid response: {'an HTML page' if answer.is_html else error}"
