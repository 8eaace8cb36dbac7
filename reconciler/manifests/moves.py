"""Former names of objects, and objects that are no longer managed: the rules across manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.manifests.explain import schema_problems
from reconciler.manifests.load import Document
from reconciler.model.kind import Kind
from reconciler.model.nearest import did_you_mean
from reconciler.model.objects import Address, Manifest, Problem, Removed, SourceRef

REMOVED = "Removed"
"""The kind of a document that lists objects which are no longer managed. It is not an object of a remote system."""

_MEANT_FOR_OBJECTS = ("connection", "protect", "moved_from", "forget")


def read_removed(documents: Iterable[Document], kinds: Mapping[str, Kind]) -> tuple[list[Removed], list[Problem]]:
    """Return what the `Removed` documents list, and the problems of each document."""
    removed: list[Removed] = []
    problems: list[Problem] = []
    named: dict[Address, SourceRef] = {}
    for document in documents:
        if document.kind != REMOVED or REMOVED in kinds:
            continue
        address, data = document.address, document.data
        found = schema_problems("envelope", data, document.positions, address=address)
        if isinstance(data.get("spec"), dict):
            found += schema_problems("removed", data["spec"], document.positions, base=("spec",), address=address)
        if not found:
            found += _own_problems(document, kinds, named)
        problems += found
        if not found:
            removed += [
                Removed(address=Address.parse(text), where=document.positions.locate(("spec", "forget", index)))
                for index, text in enumerate(data["spec"]["forget"])
            ]
    return removed, problems


def _own_problems(document: Document, kinds: Mapping[str, Kind], named: dict[Address, SourceRef]) -> Iterator[Problem]:
    address, locate = document.address, document.positions.locate
    for key in _MEANT_FOR_OBJECTS:
        if key in document.data["metadata"]:
            what = f"metadata.{key} is not allowed here; expected name, labels or annotations"
            yield Problem(code="schema", summary=what, where=locate(("metadata", key), key=True), address=address)
    if address is not None:
        where = locate(("metadata", "name"))
        first = named.setdefault(address, where)
        if first is not where:
            what = f"is declared twice; the first is at {first}"
            hint = "give one of them another metadata.name"
            yield Problem(code="duplicate-address", summary=what, where=where, address=address, hint=hint)
    for index, text in enumerate(document.data["spec"]["forget"]):
        name = Address.parse(text).kind
        if name not in kinds:
            known = ", ".join(sorted(kinds))
            what = f"{text}: unknown kind {name}; expected one of {known}{did_you_mean(name, kinds)}"
            where = locate(("spec", "forget", index))
            yield Problem(code="unknown-kind", summary=what, where=where, address=address)


def removed_problems(
    removed: Sequence[Removed], manifests: Iterable[Manifest], declared: Mapping[Address, Document]
) -> Iterator[Problem]:
    """Return the problems of objects that are removed and also declared or moved, or removed twice."""
    if not removed:
        return
    moved = {old: manifest.address for manifest in manifests for old in old_names(manifest)}
    firsts: dict[Address, SourceRef] = {}
    for item in removed:
        first = firsts.setdefault(item.address, item.where)
        hint = None
        if item.address in declared:
            what = f"is listed as removed, but declared at {declared[item.address].name_at}; expected one of the two"
            hint = "to keep the manifest, set metadata.forget: true in it"
        elif item.address in moved:
            what = f"is listed as removed, but {moved[item.address]} was moved from it; expected one of the two"
        elif first is not item.where:
            what = f"is listed as removed twice; the first is at {first}"
        else:
            continue
        yield Problem(code="removed-elsewhere", summary=what, where=item.where, address=item.address, hint=hint)


def old_names(manifest: Manifest) -> tuple[Address, ...]:
    """Return the addresses that an object had before."""
    return tuple(Address(manifest.address.kind, name) for name in manifest.moved_from)


def moved_at(manifest: Manifest, index: int = 0) -> SourceRef:
    """Return the place of one of an object's former names."""
    return manifest.positions.locate(("metadata", "moved_from", index))


def move_problems(manifests: Sequence[Manifest], declared: Mapping[Address, Document]) -> Iterator[Problem]:
    """Return the problems of moves: from a name that is in use, from one name twice, in a cycle."""
    if not any(manifest.moved_from for manifest in manifests):
        return
    moved = {manifest.address: old_names(manifest) for manifest in manifests}
    numbers = circles(moved)
    firsts: dict[Address, tuple[Address, SourceRef]] = {}
    for manifest in manifests:
        for index, old in enumerate(old_names(manifest)):
            where, own = moved_at(manifest, index), manifest.address
            taker, first = firsts.setdefault(old, (own, where))
            if old == own:
                what = f"moved_from is the object's own name {old.name}; expected one that it had before"
            elif old in numbers and numbers[old] == numbers[own]:
                what = f"moved_from forms a cycle that leads back to {own}; expected a name that no manifest declares"
            elif old in declared:
                what = (
                    f"is moved from {old}, which is still declared at {declared[old].name_at}; expected one of the two"
                )
            elif first is not where:
                what = f"is moved from {old}, and so is {taker} at {first}; expected one of the two"
            else:
                continue
            yield Problem(code="bad-move", summary=what, where=where, address=own)


def circles(moved: Mapping[Address, tuple[Address, ...]]) -> dict[Address, int]:
    """Return a number for each declared address; those that lead to each other, over any number of moves, share it.

    Each address is visited twice (Kosaraju): a chain may have thousands of moves.
    """
    ended: list[Address] = []
    seen: set[Address] = set()
    for start in moved:
        path = [(start, iter(moved[start]))] if start not in seen else []
        seen.add(start)
        while path:
            address, rest = path[-1]
            old = next((item for item in rest if item in moved and item not in seen), None)
            if old is None:
                ended.append(address)
                path.pop()
            else:
                seen.add(old)
                path.append((old, iter(moved[old])))
    takers: dict[Address, list[Address]] = {}
    for address, olds in moved.items():
        for old in olds:
            takers.setdefault(old, []).append(address)
    numbers: dict[Address, int] = {}
    for number, start in enumerate(reversed(ended)):
        waiting = [start]
        while waiting:
            address = waiting.pop()
            if address not in numbers:
                numbers[address] = number
                waiting += takers.get(address, ())
    return numbers


def gone_words(
    manifests: Iterable[Manifest], removed: Iterable[Removed], declared: Mapping[Address, Document]
) -> dict[Address, str]:
    """Return what happened to each address that is no longer valid for references. The text follows `which`."""
    gone = {item.address: f"is not declared; it is listed as removed at {item.where}" for item in removed}
    for manifest in manifests:
        for old in old_names(manifest) if manifest.moved_from else ():
            if old not in declared:
                gone[old] = f'is not declared; it was moved to "{manifest.address.name}"'
        if manifest.forget:
            gone[manifest.address] = (
                "is no longer managed (metadata.forget); expected a managed object, or its remote id"
            )
    return gone
