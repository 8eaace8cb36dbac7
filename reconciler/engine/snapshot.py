"""Reading the live systems: every object that a plan needs, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from msgspec import Struct

from reconciler.errors import RemoteError
from reconciler.model.objects import Reading, Scope
from reconciler.providers.base import Provider

Place = tuple[str, str]
"""A connection's name and a kind's name: where objects of one kind live."""


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was read."""

    readings: Mapping[Place, Reading] = {}
    failures: Mapping[str, RemoteError] = {}
    """By connection, why nothing could be read there."""

    def reading(self, connection: str, kind: str) -> Reading:
        """Return what was read at a place; nothing is known of one that was not read."""
        found = self.readings.get((connection, kind))
        return Reading(failure="it was not read") if found is None else found

    def why_unlisted(self, connection: str, kind: str, span: tuple[str, str] | None) -> str | None:
        """Say why the list (of a span of time) is not known; None where it is."""
        failure = self.failures.get(connection)
        return failure.said if failure is not None else self.reading(connection, kind).why_unlisted(span)

    def why_unreadable(self, connection: str, kind: str, remote_id: str) -> str | None:
        """Say why an object is not known; None where it is."""
        failure = self.failures.get(connection)
        if failure is not None:
            return failure.said
        reading = self.reading(connection, kind)
        if remote_id in reading.live or remote_id in reading.absent or remote_id in reading.expired:
            return None
        return reading.unreadable.get(remote_id, "the API returned nothing about it")


def take(scopes: Mapping[Place, Scope], open_provider: Callable[[str], Provider]) -> Snapshot:
    """Read every scope, connections concurrently; a connection that fails is a finding, not an exception."""
    names = sorted({connection for connection, _ in scopes})
    readings: dict[Place, Reading] = {}
    failures: dict[str, RemoteError] = {}

    def read_connection(name: str) -> None:
        try:
            provider = open_provider(name)
            for place in sorted(place for place in scopes if place[0] == name):
                readings[place] = _read(provider, scopes[place])
        except RemoteError as error:
            failures[name] = error

    if names:
        pool = ThreadPoolExecutor(max_workers=len(names), thread_name_prefix="snapshot")
        try:
            list(pool.map(read_connection, names))
        finally:  # an interrupted read waits for no connection: whoever opened them closes them
            pool.shutdown(wait=False, cancel_futures=True)
    return Snapshot(readings=readings, failures=failures)


def _read(provider: Provider, scope: Scope) -> Reading:
    """Read a scope; where objects no longer exist, also read what may have been created in their place.

    What looked like a managed object and could not be read may be in their place: it is asked for again.
    """
    reading = provider.read(scope)
    gone = tuple(scope.ids[remote_id] for remote_id in sorted(reading.absent))
    if not gone:
        return reading
    again = provider.read(
        Scope(
            kind=scope.kind,
            wanted=gone,
            similar=scope.similar,
            familiar=scope.familiar,
            already_read=frozenset(reading.live.keys() | reading.unreadable.keys()),
        )
    )
    return replace(
        reading,
        live={**again.live, **reading.live},
        unreadable={**again.unreadable, **reading.unreadable},
        listed=again.listed,
        failure=again.failure,
        gaps={**again.gaps, **reading.gaps},
        unjudged=again.unjudged,
    )
