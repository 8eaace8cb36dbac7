"""Where each value of one object comes from, what depends on it, and who last wrote it. Only reads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from msgspec import Struct, field

from reconciler.engine.diff import field_of
from reconciler.engine.ignore import covered
from reconciler.engine.ledger import Memory, remembered
from reconciler.engine.moves import find_moves
from reconciler.engine.titles import Titles
from reconciler.errors import InvalidInput, ReconcilerError, UsageError
from reconciler.manifests.explain import label
from reconciler.manifests.load import Document
from reconciler.manifests.origins import Sources
from reconciler.manifests.positions import Path
from reconciler.manifests.template import render
from reconciler.model.canonical import now, plain
from reconciler.model.change import Change
from reconciler.model.field import Default
from reconciler.model.kind import Kind
from reconciler.model.nearest import meant, nearest, nearest_address
from reconciler.model.objects import Address, Desired, Fields, Record
from reconciler.model.plan import Selection
from reconciler.model.provenance import Concern, Explanation, Origin, Prospect, Provenance, Standing
from reconciler.operations.drift import last_applied
from reconciler.operations.plan import plan
from reconciler.operations.project import Declared
from reconciler.operations.session import ProjectSession
from reconciler.operations.unmanaged import unmanaged_objects
from reconciler.schema import load_schema
from reconciler.target import same_target

_OFFLINE = "to leave out what is live: --offline"
_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")

_DIGITS = 10
"""A longer number is not the place of an item."""


def why(session: ProjectSession, declared: Declared, what: str, *, offline: bool = False) -> Explanation:
    """Explain one object, or one field of it: `Session/yoga`, `Session/yoga.price`, `Resource/hall.address.postcode`.

    UsageError where there is no such object or field. Unless `offline`, the object is read, and the next plan made.
    """
    kind, slash, rest = what.partition("/") if "/" in what else ("", "", what)
    name, _, path = rest.partition(".")
    address = f"{kind}{slash}{name}"
    memory = remembered(session.store)
    moves, _ = find_moves(declared.desired, memory.known)
    found = _address(address, declared, memory, moves)
    if isinstance(found, UsageError):
        with suppress(ReconcilerError):  # a name that is wrong is a mistake also where nothing can be read
            other = None if offline else _unmanaged(session, declared, address)
            if other is not None:
                return other
        raise found
    memory = memory.moved({address: old for address, old in moves.items() if address == found})
    change = None if offline else _change(session, declared, found)
    subject = _Subject(
        session=session, declared=declared, memory=memory, address=found, moved_from=moves.get(found), change=change
    )
    return subject.explanation(_steps(path))


def _steps(path: str) -> list[str | int]:
    """Read `slots[0].time`; UsageError says that something else is no field."""
    found = list(_STEP.finditer(f".{path}" if path else ""))
    if path and "".join(match[0] for match in found) != f".{path}":
        raise UsageError(f"{path!r} is not a field", hint="a field looks like price, address.postcode or slots[0].time")
    return [
        name or (int(inner) if inner.isdecimal() and len(inner) < _DIGITS else inner)
        for name, inner in (match.groups() for match in found)
    ]


def _address(text: str, declared: Declared, memory: Memory, moves: Mapping[Address, Address]) -> Address | UsageError:
    """Return the object that a text names, also by the address that it had before; an error where there is none."""
    known = {*declared.desired, *declared.removed, *memory.known, *(item.address for item in memory.doubts)}
    exact = {str(address): address for address in known} | {str(old): new for new, old in moves.items()}
    if text in exact:
        return exact[text]
    hint = meant(nearest_address(text, exact), "an address looks like Session/spring-yoga")
    return UsageError(f"{text or repr(text)} is neither declared nor managed", hint=hint)


def _unmanaged(session: ProjectSession, declared: Declared, text: str) -> Explanation | None:
    """Return what is live under the address that an export gives it; None where nothing is."""
    try:
        address = Address.parse(text)
    except ValueError:
        return None
    if address.kind not in session.kinds:
        return None
    listing = unmanaged_objects(session, declared, Selection(targets=(text,)), now(), record=False)
    item = next(iter(listing.objects), None)
    if item is None:
        return None
    return Explanation(
        address=address,
        standing="unmanaged",
        shown_id=item.shown_id,
        title=item.title,
        zone=item.zone,
        environment=session.project.environment,
        commands=item.adopt,
    )


def _change(session: ProjectSession, declared: Declared, address: Address) -> Change | None:
    """Return what the next plan does to an object, with what is live."""
    try:
        made = plan(session, declared, Selection(targets=(str(address),))).plan
    except InvalidInput as error:
        raise InvalidInput(error.message, error.problems, hint=error.hint or _OFFLINE) from None
    return next((change for change in made.changes if change.address == address), None)


class _Subject(Struct, frozen=True, kw_only=True, dict=True):
    """One object, and all that is known of it."""

    session: ProjectSession
    declared: Declared
    memory: Memory
    address: Address
    moved_from: Address | None = None
    change: Change | None = None
    today: str = field(default_factory=lambda: now()[:10])

    @property
    def kind(self) -> Kind:
        return self.session.kinds[self.address.kind]

    @property
    def desired(self) -> Desired | None:
        return self.declared.desired.get(self.address)

    @property
    def record(self) -> Record | None:
        return self.memory.records.get(self.address)

    @property
    def live(self) -> Fields | None:
        return self.change.live.fields if self.change is not None and self.change.live is not None else None

    @cached_property
    def sources(self) -> Sources:
        return Sources.of(self.session.project)

    @cached_property
    def document(self) -> Document | None:
        return self.sources.manifest(self.desired.source) if self.desired is not None else None

    @cached_property
    def names(self) -> Mapping[str, object]:
        project = self.session.project
        return {"values": project.values, "environment": project.environment, "project": project.name}

    @cached_property
    def spec(self) -> Mapping[str, Any]:
        """What the manifest states, with templates rendered."""
        if self.document is None:
            return {}
        stated: Mapping[str, Any] = render(self.document, self.names)[0].data.get("spec", {})
        return stated

    @property
    def stated(self) -> Fields:
        """What the manifest declares, canonical."""
        return self.desired.fields if self.desired is not None else {}

    @property
    def applied(self) -> Fields:
        return self.record.fields if self.record is not None else {}

    @cached_property
    def defaults(self) -> Mapping[str, Default]:
        """What the API sets, as far as it documents it and nothing is stated."""
        return {item.path: item for item in self.kind.defaults(self.stated or self.applied)}

    @cached_property
    def owners(self) -> Mapping[tuple[str, str], Address]:
        """What it may refer to: the managed objects of the same system, by kind and id."""
        if self.record is not None:
            target = self.record.target
        else:
            target = self.session.project.connections[self.desired.connection].target if self.desired else ""
        return {
            (address.kind, item.remote_id): address
            for address, item in self.memory.records.items()
            if same_target(item.target, target)
        }

    def canonical(self, name: str) -> str:
        """Return the field that holds what a field of the manifest states."""
        return next((each.field for each in self.kind.references if each.spec_field == name), name)

    def explanation(self, steps: list[str | int]) -> Explanation:
        record, desired = self.record, self.desired
        titles = Titles(self.session.kinds, self.declared.desired, self.memory.records)
        sides = (self.live or {}, self.applied, self.stated)
        change = self.change
        remote_id = record.remote_id if record is not None else change.remote_id if change is not None else None
        holder = desired or record
        return Explanation(
            address=self.address,
            standing=self._standing(),
            connection=None if holder is None else holder.connection,
            shown_id=self.kind.public_id(remote_id),
            source=desired.source if desired is not None else self.declared.removed.get(self.address),
            title=titles.of(self.address, *sides),
            zone=titles.zone(self.address),
            environment=self.session.project.environment,
            fields=tuple(self._asked(steps) if steps else map(self._field, self._names())),
            depends_on=() if holder is None else tuple(sorted(set(holder.depends_on), key=str)),
            dependents=self._dependents(),
            concerns=tuple(self._concerns()),
            applied=last_applied(record, self.session.store.past_runs()) if record is not None else None,
            next=None if change is None else Prospect(action=change.action, reason=change.reason),
        )

    def _standing(self) -> Standing:
        desired = self.desired
        if self.address in self.declared.removed or (desired is not None and desired.forget):
            return "released"
        if desired is not None:
            return "managed" if self.record is not None else "new"
        return "undeclared" if self.record is not None else "unfinished"

    def _dependents(self) -> tuple[Address, ...]:
        holders: list[Desired | Record] = [*self.declared.desired.values(), *self.memory.records.values()]
        return tuple(sorted({item.address for item in holders if self.address in item.depends_on}, key=str))

    def _names(self) -> list[str]:
        """Return the fields that are stated or known, in the order of the schema, as a manifest names them."""
        hidden = {self.canonical(name) for name in self.spec if self.canonical(name) != name}
        known = {*self.spec, *({*self.applied, *(self.live or {}), *self.defaults} - hidden)}
        order = [*load_schema(self.kind.schema).get("properties", {})]
        return [*(name for name in order if name in known), *sorted(known.difference(order))]

    def _field(self, name: str) -> Provenance:
        inner = self.canonical(name)
        sides = {
            side: self._shown(inner, fields[inner])
            for side, fields in (("declared", self.stated), ("applied", self.applied), ("live", self.live or {}))
            if inner in fields
        }
        if name in self.spec and "declared" not in sides:  # a field for this program only
            sides = {"declared": self.spec[name], **sides}
        default = self.defaults.get(inner)
        if default is not None and default.rule is None:
            sides["default"] = plain(default.value)
        return self._traced(("spec", name), sides, rule=None if default is None else default.rule)

    def _shown(self, name: str, value: Any) -> Any:
        """Return a value as JSON; an id of a managed object as its address."""
        kinds = [each.kind for each in self.kind.references if each.field == name]
        owner = next((self.owners[kind, value] for kind in kinds if (kind, value) in self.owners), None)
        return plain(value) if owner is None else str(owner)

    def _traced(self, path: Path, sides: Mapping[str, Any], rule: str | None = None) -> Provenance:
        document = self.document
        stated = document is not None and "declared" in sides
        templates = self.sources.templates(document, path, self.names) if document is not None and stated else ()
        origin = _origin(sides, rule, stated=stated, templated=bool(templates))
        inner = self.canonical(str(path[1]))
        shown = label((inner, *path[2:]))
        change = self.change
        edited = change.fields if change is not None and not change.creates else ()
        pending = {field_of(each.path) for each in edited}
        in_force = [
            each for each in self.session.project.drift.ignore if each.until is None or each.until >= self.today
        ]
        return Provenance(
            path=label(path[1:]),
            value=sides.get(_SIDES[origin]),
            origin=origin,
            where=document.positions.locate(path) if document is not None and stated else None,
            templates=templates,
            sides=sides,
            rule=rule,
            verifiable=None if self.live is None or inner in self.kind.local else inner in self.live,
            pending=inner in pending,
            ignored=covered(self.address, shown, in_force),
        )

    def _asked(self, steps: list[str | int]) -> Iterator[Provenance]:
        """Yield a field, and each value in it that the manifest states; or one value inside a field."""
        name = str(steps[0])
        self._check(name, {*self._names(), *load_schema(self.kind.schema).get("properties", {})}, name)
        whole = self._field(name)
        if len(steps) == 1:
            yield whole
            for place, value in _leaves(self.spec.get(name), ("spec", name)):
                yield self._traced(place, {"declared": plain(value)})
            return
        path: Path = ("spec", name)
        stated: Any = self.spec.get(name)
        sides = dict(whole.sides)
        for step in steps[1:]:
            key = _key(stated if stated is not None else next(iter(sides.values()), None), step)
            self._check(key, _keys(stated, *sides.values()), label((*path[1:], step)))
            path = (*path, key)
            stated = _child(stated, key)
            sides = {side: _child(value, key) for side, value in sides.items() if isinstance(key, str)}
            sides = {side: value for side, value in sides.items() if value is not None}
        yield self._traced(path, {**sides, **({} if stated is None else {"declared": plain(stated)})})

    def _check(self, name: str | int, known: Collection[str | int], asked: str) -> None:
        if name not in known:
            shown = [str(each) for each in known]
            hint = meant(nearest(name, shown), f"there are: {', '.join(sorted(shown))}" if shown else "it has no parts")
            raise UsageError(f"{self.address} has no field {asked}", hint=hint)

    def _concerns(self) -> Iterator[Concern]:
        removed, document, record = self.declared.removed.get(self.address), self.document, self.record
        if removed is not None:
            yield Concern(setting="removed", where=removed)
        if self.moved_from is not None:
            yield Concern(setting="moved-from", value=str(self.moved_from), where=self._metadata("moved_from"))
        if self.desired is not None and self.desired.forget:
            yield Concern(setting="forget", where=self._metadata("forget"))
        if self.desired is not None and self.desired.protect:
            yield Concern(setting="protect", where=self._metadata("protect"))
        elif record is not None and record.protect:
            yield Concern(setting="protect")
        if self.desired is not None and document is not None:
            for name, value in sorted(self.desired.annotations.items()):
                yield Concern(setting="annotation", name=name, value=value, where=self._metadata("annotations", name))
        for entry in self.session.project.drift.ignore:
            if self.address.matches(entry.address):
                until = f" (until {entry.until})" if entry.until else ""
                yield Concern(setting="drift-ignore", name=entry.field, value=entry.reason + until, where=entry.where)

    def _metadata(self, *path: str) -> Any:
        return None if self.document is None else self.document.positions.locate(("metadata", *path))


_SIDES: Mapping[Origin, str] = {
    "manifest": "declared",
    "template": "declared",
    "live": "live",
    "api-default": "default",
    "applied": "applied",
    "none": "",
}
"""The side that has the value of each origin."""


def _origin(sides: Mapping[str, Any], rule: str | None, *, stated: bool, templated: bool) -> Origin:
    """Return what decides on a value: one that is live as the API documents its default is that default."""
    if stated:
        return "template" if templated else "manifest"
    if "live" in sides and sides["live"] != sides.get("default", ...):
        return "live"
    if "default" in sides or rule is not None:
        return "api-default"
    return "applied" if "applied" in sides else "none"


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield each value inside a value that has parts."""
    members = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        if isinstance(item, (Mapping, list)) and item:
            yield from _leaves(item, (*path, key))
        else:
            yield (*path, key), item


def _key(value: Any, step: str | int) -> str | int:
    """Return the key of a member; of a list also by its own values, as a plan names it: `slots[2027-03-08 11:00]`."""
    if not isinstance(value, list) or isinstance(step, int):
        return str(step) if isinstance(value, Mapping) else step
    words = set(step.split())
    fits = (
        index
        for index, item in enumerate(value)
        if words and isinstance(item, Mapping) and words <= {*map(str, item.values())}
    )
    return next(fits, step)


def _keys(*values: Any) -> set[str | int]:
    found: set[str | int] = set()
    for value in values:
        found |= {*value} if isinstance(value, Mapping) else {*range(len(value))} if isinstance(value, list) else set()
    return found


def _child(value: Any, key: str | int) -> Any:
    if isinstance(value, Mapping) and isinstance(key, str):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
