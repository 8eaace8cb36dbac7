"""The parts of every read: lists, single objects, and findings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reconciler.errors import NotStarted, RemoteError
from reconciler.model.objects import Live, Reading
from reconciler.providers.answer import is_identifier, neutral, unusable
from reconciler.providers.bookingbug_admin import answers, wire
from reconciler.providers.bookingbug_admin.login import EXPIRED
from reconciler.providers.bookingbug_admin.paging import Rows, collect
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.receipts import GONE
from reconciler.settings import LIST_PAGES, MEGABYTE

if TYPE_CHECKING:
    from reconciler.providers.answer import Answer
    from reconciler.providers.bookingbug_admin.login import Authorised
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

_NOTHING_READABLE = EXPIRED | {403}


class Listing(Struct, frozen=True, kw_only=True):
    """A list, read to its end."""

    rows: Rows | None = None
    """The objects by id; None where the list failed or was not asked for."""
    failure: str | None = None
    status: int | None = None
    """The status of a refusal."""
    gaps: Mapping[tuple[str, str], str] = {}
    """The spans of time in the scope whose part of the list failed, with the reason."""


class One(Struct, frozen=True, kw_only=True):
    """The result of asking for one object: exactly one of the three."""

    data: Mapping[str, Any] | None = None
    gone: int | None = None
    failure: str | None = None


class Findings(Struct, kw_only=True):
    """A `Reading` that is being made: every id goes into exactly one of the three."""

    live: dict[str, Live] = {}
    absent: set[str] = set()
    unreadable: dict[str, str] = {}
    unjudged: dict[str, str] = {}
    """What could not be read of objects that look like managed ones; no other object has to wait for them."""

    def judge(
        self, remote_id: str, data: Mapping[str, Any], decode: Callable[[Mapping[str, Any]], Live | None]
    ) -> None:
        """Add an object that looks like a managed one."""
        self.add(remote_id, data, decode)
        if remote_id in self.unreadable:
            self.unjudged[remote_id] = self.unreadable.pop(remote_id)

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

    def reading(
        self,
        listed: Iterable[str] | None,
        failure: str | None,
        gaps: Mapping[tuple[str, str], str] | None = None,
    ) -> Reading:
        """Return the finished value."""
        return Reading(
            live=self.live,
            absent=frozenset(self.absent),
            unreadable=self.unreadable,
            listed=None if listed is None else frozenset(listed),
            failure=failure,
            gaps=gaps or {},
            unjudged=self.unjudged,
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

    def collection(self, name: str, params: Mapping[str, str], *, once: bool = False) -> Listing:
        """Read a whole list, `once` where nothing is searched for; RemoteError where nothing at all can be read."""
        path, size = self.path(name), _Size(self.connection)

        def page(number: int) -> answers.Page:
            size.begin(number)
            answer = self._get(path, {**params, "page": str(number)}, lists=True)
            size.add(len(answer.body))
            if answer.status != 200:  # noqa: PLR2004 - a list has no other success
                raise self._http.refusal(answer, f"GET {path}")
            try:
                return answers.decode_page(answer.content, name)
            except ValueError as error:
                raise ValueError(f"page {number}: {unusable(answer, error)}") from None

        try:
            width = self.connection.max_concurrency * 4
            return Listing(rows=collect(page, self._http.gather, width, once=once))
        except RemoteError as error:
            if error.status is None or error.status in _NOTHING_READABLE:
                raise
            return Listing(failure=error.said, status=error.status)
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
            return One(failure=error.said)
        if answer.status in GONE:
            return One(gone=answer.status)
        if answer.status != 200:  # noqa: PLR2004 - reading one object has no other success
            return One(failure=self._http.refusal(answer, f"GET {path}").said)
        try:
            data = answers.decode_one(answer.content, path.rpartition("/")[2])
        except ValueError as error:
            return One(failure=f"GET {path}: {unusable(answer, error)}")
        return One(data=data)

    def _get(self, path: str, params: Mapping[str, str] | None = None, *, lists: bool = False) -> Answer:
        return self._client.ask(lambda headers: self._http.get(path, params, headers, lists=lists))


class _Size:
    """The size of all pages of a list, counted before the next page is asked for."""

    def __init__(self, connection: Connection) -> None:
        self._most = connection.max_list_mb * LIST_PAGES
        self._where = f"connection `{connection.name}` ({connection.where})"
        self._read = 0
        self._lock = threading.Lock()

    def begin(self, number: int) -> None:
        """Start a page; a list that is read again starts with the first one. ValueError: it is too large."""
        with self._lock:
            self._read = 0 if number == 1 else self._read
        self.add(0)

    def add(self, size: int) -> None:
        """Count a page; ValueError where the list is too large."""
        with self._lock:
            self._read += size
            read = self._read
        if read > self._most * MEGABYTE:
            message = (
                f"more than {self._most:g} MB in all pages; expected less, or a higher max_list_mb of {self._where}"
            )
            raise ValueError(message)
