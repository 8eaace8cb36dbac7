"""A Markdown page within a limit of bytes: what must not be cut, a list that gets shorter, and details that may end.

Hosts count characters or bytes. UTF-8 has at least as many bytes as characters, so a limit of bytes holds for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from reconciler.model.words import count, plural
from reconciler.render import groups
from reconciler.render.escaping import code, html_code
from reconciler.render.groups import Group, Line

LIMIT = 65_536
"""Bytes of a page: GitHub refuses a comment of more characters."""

SMALLEST = 4_096
"""Bytes of a page at least: the headline and what stops an apply need them."""

_WHOLE = "The documents of the same command have everything: add `--output FILE.html` or `--output FILE.json`."

_FOLDED = 5
"""Objects of one group from which on they are folded."""

_BLOCK = 600
"""Characters of one sentence in a page that has no room for whole ones."""


class Section(Struct, frozen=True, kw_only=True):
    """Objects under one heading."""

    heading: str
    lines: tuple[Line, ...]
    show: Callable[[Line], str]
    """Returns an object as the text of a list item."""


class Page(Struct, frozen=True, kw_only=True):
    """What a page says, the most important first."""

    head: Sequence[str]
    """Blocks that are never cut: the headline, what it is about, what stops an apply, what is at risk."""
    named: Sequence[Section] = ()
    """Objects of which each is named: deletions and failures."""
    listed: Sequence[Section] = ()
    """Objects of which each is named as long as there is room; then their groups are counted."""
    ends: Sequence[str] = ()
    """Blocks after the lists: notes and problems."""
    details: Mapping[str, Sequence[Callable[[], str]]] = {}
    """By kind, what returns one block for each object; those that fit are shown, and no others are made."""

    def text(self, limit: int) -> str:
        """Return the page in at most `limit` bytes."""
        room = max(limit, SMALLEST) - 2
        for named, listed in _LEVELS:
            blocks = [*self.head, *_sections(self.named, named), *_sections(self.listed, listed), *self.ends]
            if listed is not _all_named or named is not _in_full:
                blocks.insert(len(self.head), _shortened(self.listed, named, listed))
            start = _joined(blocks)
            if len(start.encode()) <= room:
                return _joined([start, *_details(self.details, room - len(start.encode()))]) + "\n"
        return self._cut(room)

    def _cut(self, room: int) -> str:
        """Return a page that has no room for what must be named: it says first how much is missing."""
        lines = [line for section in self.named for line in section.lines]
        head = _cut(_joined(self.head), room // 2)
        short, missing = "", len(lines)
        reserve = len(_missing(len(lines)).encode()) + len(head.encode()) + 8
        for line in lines:
            item = f"- {line.verb} {code(line.address)}\n"
            if len((short + item).encode()) + reserve > room:
                break
            short, missing = short + item, missing - 1
        return _joined([head, _missing(missing), short.rstrip("\n")]) + "\n"


def _missing(number: int) -> str:
    what = f"{count(number, 'deletion or failure', 'deletions and failures')} {plural(number, 'is', 'are')} not named"
    return f"**This page has no room for everything: {what}, and nothing else is listed.** {_WHOLE}"


def _cut(text: str, room: int) -> str:
    """Return the first lines of a text that fit, each cut where it is too long."""
    found = ""
    for line in text.split("\n"):
        short = line if len(line) <= _BLOCK else f"{line[:_BLOCK].rpartition(' ')[0]} …"
        if short.count("`") % 2:  # a code span must not stay open
            short += "`"
        if len((found + short).encode()) > room:
            break
        found += f"{short}\n"
    return found.rstrip("\n")


def _joined(blocks: Iterable[str]) -> str:
    return "\n\n".join(block for block in blocks if block)


_Show = Callable[[Section], str]


def _in_full(section: Section) -> str:
    return "\n".join(f"- {section.show(line)}" for line in section.lines)


def _by_label(section: Section) -> str:
    return "\n".join(f"- **{line.verb}** {code(line.label)}" for line in section.lines)


def _by_address(section: Section) -> str:
    return "\n".join(f"- {_heading(group)}: {_addresses(group)}" for group in groups.by_kind(section.lines))


def _all_named(section: Section) -> str:
    """Name each object; those that change in the same way are folded below one line."""
    found, alone = [], []
    for group in groups.by_words(section.lines):
        if len(group.lines) == 1:
            alone += [f"- {section.show(line)}" for line in group.lines]
        elif len(group.lines) < _FOLDED or not group.words:
            alone += [f"- {_heading(group)}", *(f"  - {code(line.label)}" for line in group.lines)]
        else:
            found.append(_folded(group, "\n".join(f"- {code(line.label)}" for line in group.lines)))
    return _joined([*found, "\n".join(alone)])


def _short_names(section: Section) -> str:
    """Name each object by its address; those that change in the same way below one line."""
    return _named(groups.by_words(section.lines))


def _names_by_fields(section: Section) -> str:
    """Name each object by its address; those in which the same fields change below one line."""
    return _named(groups.by_fields(section.lines))


def _named(found: Iterable[Group]) -> str:
    folded, short = [], []
    for group in found:
        if len(group.lines) < _FOLDED:
            short.append(f"- {_heading(group)}: {_addresses(group)}")
        else:
            folded.append(_folded(group, _addresses(group)))
    return _joined([*folded, "\n".join(short)])


def _counted(section: Section) -> str:
    return "\n".join(f"- {_heading(group)}" for group in groups.by_fields(section.lines))


def _counted_by_kind(section: Section) -> str:
    return "\n".join(f"- {_heading(group)}" for group in groups.by_kind(section.lines))


def _addresses(group: Group) -> str:
    return ", ".join(code(line.address) for line in group.lines)


_LEVELS: Sequence[tuple[_Show, _Show]] = (
    (_in_full, _all_named),
    (_in_full, _short_names),
    (_in_full, _names_by_fields),
    (_in_full, _counted),
    (_in_full, _counted_by_kind),
    (_by_label, _counted_by_kind),
    (_by_address, _counted_by_kind),
)
"""How objects that must be named and other objects are shown, from the longest page to the shortest."""


def _shortened(listed: Sequence[Section], named: _Show, shown: _Show) -> str:
    """Say what a page with less room leaves out."""
    objects = sum(len(section.lines) for section in listed)
    what = []
    if named is not _in_full:
        what.append("deletions and failures are named without their reasons")
    if shown in {_counted, _counted_by_kind}:
        what.append(f"{count(objects, 'other object')} {plural(objects, 'is', 'are')} counted, not named")
    elif shown is not _all_named:
        what.append("objects are named by their addresses")
    return f"**Shortened, because the page has little room: {'; '.join(what)}.** {_WHOLE}"


def _sections(sections: Sequence[Section], show: _Show) -> list[str]:
    return [block for section in sections if section.lines for block in (f"### {section.heading}", show(section))]


def _heading(group: Group) -> str:
    return f"**{group.verb}** {group.heading}{f': {code(group.words)}' if group.words else ''}"


def _folded(group: Group, body: str) -> str:
    words = f": {html_code(group.words)}" if group.words else ""
    summary = f"<summary><b>{group.verb}</b> {group.heading}{words}</summary>"
    return f"<details>\n{summary}\n\n{body}\n\n</details>"


def _details(kinds: Mapping[str, Sequence[Callable[[], str]]], room: int) -> list[str]:
    """Return the details that fit, folded for each kind, and how many do not."""
    total = sum(map(len, kinds.values()))
    if not total:
        return []
    left = room - len(_without_details(total).encode()) - len("### Details") - 8
    made, shown = [], 0
    for kind, blocks in kinds.items():
        start = f"<details>\n<summary>{kind}: details of {count(len(blocks), 'object')}</summary>"
        left -= len(start.encode()) + len("\n\n</details>\n\n")
        fitting = []
        for make in blocks:
            block = make()
            left -= len(block.encode()) + 2
            if left < 0:
                break
            fitting.append(block)
        if fitting:
            if len(fitting) < len(blocks):
                start = start.replace(": details of", f": details of {len(fitting)} of", 1)
            made.append(_joined([start, *fitting, "</details>"]))
            shown += len(fitting)
        if left < 0:
            break
    rest = _without_details(total - shown) if shown < total else ""
    return [*(["### Details"] if made else []), *made, rest]


def _without_details(number: int) -> str:
    return f"**The details of {count(number, 'object')} are left out: the page has no room for them.** {_WHOLE}"
