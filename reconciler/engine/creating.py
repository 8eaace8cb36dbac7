"""Creates at one place: which of them may be in flight together, and one look for all whose answers hold no id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.engine.identity import unread_stranger
from reconciler.engine.readback import LOOKS
from reconciler.engine.recover import created
from reconciler.errors import Interrupted, OutcomeUnknown, RemoteError
from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Live, Reading, Scope
from reconciler.providers.base import Provider
from reconciler.together import Job, Together


@dataclass(slots=True, eq=False, kw_only=True)
class Create(Job):
    """A create that is in flight, and after its answer the search for its object."""

    fields: Fields
    keys: frozenset[IdentityKey]
    found: tuple[Live, ...] = ()
    """The new live objects that it could have made."""


@dataclass(slots=True, eq=False)
class Creates:
    """The creates of one run at one connection, of one kind; safe to use from several threads."""

    kind: Kind
    reader: Callable[[], Provider]
    stop: threading.Event
    listed: frozenset[str] = frozenset()
    """The ids that were live before the run: an object created now has another one."""
    claimed: set[str] = field(default_factory=set)
    """The id of each object that this run created."""
    returns_ids: bool = False
    """Whether answers are known to hold the new id."""
    _searches: bool = False
    """Whether answers are known to hold none."""
    _open: list[Create] = field(default_factory=list)
    _turns: threading.Condition = field(default_factory=threading.Condition)
    _looks: Together[Create] = field(init=False)

    def __post_init__(self) -> None:
        self._looks = Together(threading.RLock(), self._look)

    @contextmanager
    def turn(self, fields: Fields) -> Iterator[Create]:
        """Wait until no create is in flight with whose object the new one could be confused.

        The first create runs alone: its answer shows whether answers hold the new id. Where they do not, the new object
        is found among all others, and only creates that share no natural key run together.
        """
        create = Create(fields=fields, keys=frozenset(self.kind.identities(fields)))
        with self._turns:
            self._turns.wait_for(lambda: self._may_start(create))
            self._open.append(create)
        try:
            yield create
        finally:
            with self._turns:
                self._open.remove(create)
                self._turns.notify_all()

    def _may_start(self, create: Create) -> bool:
        if self.returns_ids or not self._open:
            return True
        return self._searches and all(
            create.keys and other.keys and create.keys.isdisjoint(other.keys) for other in self._open
        )

    def find(self, create: Create) -> Live:
        """Return the object of an answered create: exactly one new object has the values that were sent.

        One look serves all creates whose answers came before it began.
        """
        self._searches = True
        return self._looks.run(create).found[0]

    def _look(self, creates: list[Create]) -> None:
        """Look for new objects, again for a while where there is none of a create: lists may be behind."""
        left = creates
        for pause in (*LOOKS, None):
            taken = self.listed.union(self.claimed)
            try:
                scope = Scope(kind=self.kind.name, wanted=tuple(create.fields for create in left), already_read=taken)
                reading = self.reader().read(scope)
            except RemoteError as error:
                for create in left:
                    words = f", and the search for the object failed: {error.message}"
                    create.error = _in_doubt(words, interrupted=isinstance(error, Interrupted))
                break
            for create in left:
                create.found = created(self.kind, create.fields, reading, taken)
            blind = unread_stranger(reading, taken) is not None or reading.failure is not None
            last = blind or pause is None or all(create.found for create in left) or self.stop.wait(pause)
            ended = [create for create in left if create.found or last]
            self._judge(ended, reading, taken)
            left = [create for create in left if create not in ended]
            if last:
                break
        for create in creates:
            create.done = True

    def _judge(self, creates: list[Create], reading: Reading, taken: Collection[str]) -> None:
        """Leave a create in doubt unless exactly one new object could be its result, and of no other in flight."""
        stranger = unread_stranger(reading, taken)
        with self._turns:
            others = list(self._open)
        for create in creates:
            rivals = (created(self.kind, other.fields, reading, taken) for other in others if other is not create)
            if len(create.found) != 1 or stranger is not None:
                number = f"{len(create.found)} new live objects match it; expected exactly one"
                why = reading.why_unlisted(self.kind.span(create.fields)) or stranger or number
                create.error = _in_doubt(f": {why}")
            elif any(create.found[0] in found for found in rivals):
                create.error = _in_doubt(": the new live object that matches it could be that of another create")


def _in_doubt(words: str, *, interrupted: bool = False) -> OutcomeUnknown:
    return OutcomeUnknown(f"created, but the response contained no id{words}", interrupted=interrupted)
