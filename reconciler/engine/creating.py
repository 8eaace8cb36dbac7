"""Creates at one place: which of them may be in flight together, and one look for all whose answers hold no id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec import Struct

from reconciler.engine.groups import Found
from reconciler.engine.identity import created, unread_stranger
from reconciler.engine.readback import LOOKS
from reconciler.errors import Interrupted, OutcomeUnknown, RemoteError
from reconciler.model.kind import IdentityKey, Kind
from reconciler.model.objects import Fields, Live, Reading, Scope
from reconciler.providers.base import Provider
from reconciler.together import Job, Together


class Create(Job, eq=False, kw_only=True):
    """A create that is in flight, and after its answer the search for its object."""

    fields: Fields
    keys: frozenset[IdentityKey]
    found: Found[Live]
    """The new live objects that it could have made."""


class _Seen(Struct, frozen=True):
    """What is known once a list was read."""

    flying: tuple[Create, ...]
    doubtful: tuple[Create, ...]
    taken: frozenset[str]
    """The ids of objects that none of the creates that are looked for made."""
    stranger: str | None
    """Which new object could not be read."""

    @property
    def rivals(self) -> tuple[Create, ...]:
        return self.flying + self.doubtful


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
    _doubtful: list[Create] = field(default_factory=list)
    """Those that are over, and may have made an object whose id is not known."""
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
        create = Create(fields=fields, keys=frozenset(self.kind.identities(fields)), found=Found())
        with self._turns:
            self._turns.wait_for(lambda: self._may_start(create))
            self._open.append(create)
        certain = False
        try:
            yield create
            certain = create.error is None
        except (RemoteError, Interrupted) as problem:
            certain = create.error is None and not isinstance(problem, OutcomeUnknown)
            raise
        finally:
            with self._turns:
                self._open.remove(create)
                if not certain:
                    self._doubtful.append(create)
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
        return self._looks.run(create).found.first(1)[0]

    def claim(self, remote_id: str) -> None:
        """Note which object a create made; OutcomeUnknown if another create made it, of which no look knew yet."""
        if remote_id in self.claimed:
            raise OutcomeUnknown(f"created, but the search found object {remote_id}, which another create made")
        self.claimed.add(remote_id)

    def _look(self, creates: list[Create]) -> None:
        """Look for new objects, again for a while where there is none of a create: lists may be behind.

        A new object that cannot be read ends it, unless a create that is in flight could claim that one.
        """
        left = creates
        for pause in (*LOOKS, None):
            known = self.listed.union(self.claimed)
            try:
                scope = Scope(kind=self.kind.name, wanted=tuple(create.fields for create in left), already_read=known)
                reading = self.reader().read(scope)
            except RemoteError as error:
                for create in left:
                    words = f", and the search for the object failed: {error.message}"
                    create.error = _in_doubt(words, interrupted=isinstance(error, Interrupted))
                break
            seen = self._seen(reading)
            for create in left:
                create.found = created(self.kind, create.fields, reading, seen.taken)
            others = any(create not in creates for create in seen.flying)
            blind = reading.failure is not None or (seen.stranger is not None and not others)
            ended = [create for create in left if create.found and seen.stranger is None]
            last = blind or pause is None or ended == left or self.stop.wait(pause)
            ended = left if last else ended
            if ended:
                self._judge(ended, reading, seen)
            left = [create for create in left if create not in ended]
            if last:
                break
        for create in creates:
            create.done = True

    def _seen(self, reading: Reading) -> _Seen:
        """Return what is known once a list was read.

        The creates come first: one that is over by then has claimed its object, or is in doubt.
        """
        with self._turns:
            flying, doubtful = tuple(self._open), tuple(self._doubtful)
        taken = self.listed.union(self.claimed)
        return _Seen(flying, doubtful, taken, unread_stranger(reading, taken))

    def _judge(self, creates: list[Create], reading: Reading, seen: _Seen) -> None:
        """Leave a create in doubt unless exactly one new object could be its result, and of no other create."""
        keys = {
            key for create in creates for live in create.found.first(1) for key in self.kind.identities(live.fields)
        }
        rivals = [
            (other, created(self.kind, other.fields, reading, seen.taken))
            for other in seen.rivals
            if not keys.isdisjoint(other.keys)
        ]
        for create in creates:
            if len(create.found) != 1 or seen.stranger is not None:
                number = f"{len(create.found)} new live objects match it; expected exactly one"
                why = reading.why_unlisted(self.kind.span(create.fields)) or seen.stranger or number
                create.error = _in_doubt(f": {why}")
            elif any(found.has(create.found.first(1)[0].remote_id) for other, found in rivals if other is not create):
                create.error = _in_doubt(": the new live object that matches it could be that of another create")


def _in_doubt(words: str, *, interrupted: bool = False) -> OutcomeUnknown:
    return OutcomeUnknown(f"created, but the response contained no id{words}", interrupted=interrupted)
