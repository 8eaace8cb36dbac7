"""New values in the text of a file. All other bytes stay: comments, quotes, indentation, anchors and line ends.

ruamel.yaml finds where each value begins and ends, and each new value is put in place of the old one. Its own writer
would lay out the whole file again (decision 018).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.manifests.json_events import begins_like_json
from reconciler.manifests.layout import Layout, Lines, Splice, Unparsed, applied, children, parsed
from reconciler.manifests.spell import Style, spell

Path = tuple[str | int, ...]

_DASH = re.compile(r"[ ]*-[ \t]+")


class CannotEdit(Exception):
    """A change that cannot be made without changing something else; says why, and at which value."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


class Put(Struct, frozen=True, kw_only=True):
    """A new value for a scalar, or for a key that its mapping does not have yet."""

    path: Path
    value: Any


class Drop(Struct, frozen=True, kw_only=True):
    """An item of a list that is removed."""

    path: Path


class Add(Struct, frozen=True, kw_only=True):
    """A mapping that is added to a list."""

    path: Path
    """The list."""
    after: int
    """The item that it follows; -1 for the beginning."""
    value: Mapping[str, Any]


Step = Put | Drop | Add


def edited(text: str, line: int, steps: Sequence[Step]) -> str:
    """Return a file's text with some values of the document at a line (from 1) changed; CannotEdit says why not."""
    changed, refused = edited_documents(text, {line: steps})
    for error in refused.values():
        raise error
    return changed


def edited_documents(text: str, steps: Mapping[int, Sequence[Step]]) -> tuple[str, dict[int, CannotEdit]]:
    """Return a file's text with values of several documents changed, by the lines of these; it is parsed once.

    Also returned is why a document cannot be edited; it stays as it is.
    """
    is_json, lines = begins_like_json(text), Lines(text)
    try:
        roots = {node.start_mark.line + 1: node for node in reversed(parsed(text))}
    except Unparsed as error:
        return text, {line: CannotEdit((), f"the file cannot be read: {error}") for line in steps}
    splices: list[Splice] = []
    refused: dict[int, CannotEdit] = {}
    for line, asked in steps.items():
        if line not in roots:
            refused[line] = CannotEdit((), "the document was not found")
            continue
        try:
            splices += _Editor(text, lines, roots[line], asked, is_json=is_json).splices()
        except CannotEdit as error:
            refused[line] = error
    return applied(text, splices), refused


class _Editor(Layout):
    """One document and where its values are."""

    def __init__(self, text: str, lines: Lines, root: Node, steps: Sequence[Step], *, is_json: bool) -> None:
        super().__init__(text, lines)
        self._root = root
        self._steps = steps
        self._is_json = is_json
        self._uses: dict[int, int] = {}
        self._in_flow: set[int] = set()
        """The values inside brackets, where a comma ends them."""
        self._gone: dict[Path, set[int]] = {}
        """The items that are removed, by list."""
        for step in steps:
            if isinstance(step, Drop):
                self._gone.setdefault(step.path[:-1], set()).add(int(step.path[-1]))
        self._values: dict[int, dict[str, Node]] = {}
        """The values of mappings by key."""
        self._kept: dict[Path, int] = {}
        """The last item that is not removed, by list."""
        self._siblings: dict[tuple[int, frozenset[str]], Node | None] = {}
        """The first item of a list that has only values for some keys."""
        self._count(root, in_flow=False)

    def _count(self, node: Node, *, in_flow: bool) -> None:
        """Count from how many places each value is used: more than one means an alias."""
        self._uses[id(node)] = self._uses.get(id(node), 0) + 1
        if self._uses[id(node)] > 1:
            return
        if in_flow:
            self._in_flow.add(id(node))
        inner = in_flow or bool(getattr(node, "flow_style", False)) or self.begins_flow(node)
        for child in children(node):
            self._count(child, in_flow=inner)

    def splices(self) -> list[Splice]:
        """Return what all steps replace: from, to, and the new text."""
        return [splice for step in self._steps for splice in self._splices(step)]

    def _splices(self, step: Step) -> Iterator[Splice]:
        match step:
            case Put():
                parent = self._find(step.path[:-1])
                if isinstance(parent, MappingNode) and step.path[-1] not in self._members(parent):
                    yield self._new_key(parent, step)
                else:
                    yield self._scalar(step)
            case Drop():
                yield self._removed(step, self._gone[step.path[:-1]])
            case Add():
                yield self._added(step)

    def _members(self, node: MappingNode) -> Mapping[str, Node]:
        if id(node) not in self._values:
            pairs = ((key.value, value) for key, value in reversed(node.value) if isinstance(key, ScalarNode))
            self._values[id(node)] = dict(pairs)
        return self._values[id(node)]

    def _find(self, path: Path) -> Node:
        node = self._root
        for depth, key in enumerate(path):
            found: Node | None = None
            if isinstance(node, MappingNode):
                found = self._members(node).get(str(key))
            elif isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
                found = node.value[key]
            if found is None:
                raise CannotEdit(path[: depth + 1], "the value comes from a merge (<<), which other objects may use")
            if self._uses[id(found)] > 1:
                raise CannotEdit(path[: depth + 1], "the value is used in other places through an alias (*)")
            node = found
        return node

    def _scalar(self, step: Put) -> Splice:
        node = self._find(step.path)
        if not isinstance(node, ScalarNode):
            raise CannotEdit(step.path, "the value is a list or a mapping that cannot be changed value by value")
        start, end = self.span(node)
        if isinstance(step.value, (Mapping, list, tuple)):
            raise CannotEdit(step.path, "the live value is a list or a mapping")
        if start == end:  # `price:` without a value
            return (
                start,
                end,
                ("" if self.text[start - 1 : start].isspace() else " ") + self._spelled(step.value, node),
            )
        return start, end, self._spelled(step.value, node)

    def _spelled(self, value: Any, node: ScalarNode) -> str:
        start, end = self.span(node)
        style = Style(
            written=self.text[start:end],
            quote=node.style,
            is_json=self._is_json,
            in_flow=id(node) in self._in_flow,
            eol=self.eol,
            ends_line=self.ends_line(end),
            column=self.indent_of(start),
        )
        return spell(value, style)

    def _new_key(self, parent: MappingNode, step: Put) -> Splice:
        key = str(step.path[-1])
        if not parent.value:
            raise CannotEdit(step.path, "the mapping is empty")
        first, end = parent.value[0][0], self.entry_end(*parent.value[-1])
        if self.begins_flow(parent):
            name = f'"{key}"' if first.style == '"' or self._is_json else key
            value = spell(step.value, Style(is_json=self._is_json, in_flow=True, eol=self.eol))
            return end, end, f", {name}: {value}"
        value = spell(step.value, Style(eol=self.eol, column=first.start_mark.column))
        at = self.line_end(end)
        line = f"{' ' * first.start_mark.column}{key}: {value}"
        return (at, at, line + self.eol) if self.text[at - 1 : at] in {"\n", "\r"} else (at, at, self.eol + line)

    def _list(self, path: Path) -> SequenceNode:
        node = self._find(path)
        if not isinstance(node, SequenceNode) or not node.value:
            raise CannotEdit(path, "the manifest has no list there")
        return node

    def _dash(self, path: Path, item: Node) -> tuple[int, str]:
        """Return where the line of an item begins, and what is in front of the item there."""
        start = self.line_start(item.start_mark.index)
        dash = self.text[start : item.start_mark.index]
        if _DASH.fullmatch(dash) is None:
            raise CannotEdit(path, "the list does not have one item a line")
        return start, dash

    def _removed(self, step: Drop, gone: set[int]) -> Splice:
        path = step.path[:-1]
        items, index = self._list(path).value, int(step.path[-1])
        if len(gone) == len(items):
            raise CannotEdit(path, "no item of the list would be left")
        if not self.begins_flow(self._find(path)):
            start, _ = self._dash(step.path, items[index])
            return start, self.line_end(self.content_end(items[index])), ""
        if path not in self._kept:
            self._kept[path] = max(each for each in range(len(items)) if each not in gone)
        if index < self._kept[path]:
            return items[index].start_mark.index, items[index + 1].start_mark.index, ""
        return self.content_end(items[index - 1]), self.content_end(items[index]), ""

    def _added(self, step: Add) -> Splice:
        found = self._list(step.path)
        items = found.value
        near = items[max(step.after, 0)]
        body = self._like_a_sibling(step, items) or self._plain_item(step)
        if not self.begins_flow(found):
            start, dash = self._dash(step.path, near)
            if step.after < 0:
                return start, start, f"{dash}{body}{self.eol}"
            at = self.line_end(self.content_end(near))
            ends = self.text[at - 1 : at] in {"\n", "\r"}
            return at, at, f"{dash}{body}{self.eol}" if ends else f"{self.eol}{dash}{body}"
        gap = self._gap(items, found)
        if step.after < 0:
            return near.start_mark.index, near.start_mark.index, f"{body}{gap}"
        return self.content_end(near), self.content_end(near), f"{gap}{body}"

    def _gap(self, items: Sequence[Node], found: SequenceNode) -> str:
        """Return what is between two items in brackets."""
        if len(items) > 1:
            gap = self.text[self.content_end(items[0]) : items[1].start_mark.index]
        else:
            gap = "," + self.text[self.span(found)[0] + 1 : items[0].start_mark.index]
        return ", " if "#" in gap or gap == "," else gap

    def _like_a_sibling(self, step: Add, items: Sequence[Node]) -> str | None:
        """Return the text of a new item that is laid out as another one with the same keys; None if there is none."""
        near, keys = items[max(step.after, 0)], frozenset(step.value)
        known = (id(items), keys)
        if self._is_like(near, keys):
            item: Node | None = near
        elif known in self._siblings:
            item = self._siblings[known]
        else:
            item = self._siblings[known] = next((each for each in items if self._is_like(each, keys)), None)
        if not isinstance(item, MappingNode):
            return None
        start, text = item.start_mark.index, self.text[item.start_mark.index : self.content_end(item)]
        values = self._members(item)
        for name, value in sorted(values.items(), key=lambda pair: -int(pair[1].start_mark.index)):
            first, last = self.span(value)
            new = self._spelled(step.value[name], value) if isinstance(value, ScalarNode) else ""
            text = text[: first - start] + new + text[last - start :]
        return text

    def _is_like(self, item: Node, keys: frozenset[str]) -> bool:
        """Whether an item has plain values of these keys, and nothing else."""
        if not isinstance(item, MappingNode):
            return False
        values = self._members(item)
        if values.keys() != keys or not all(isinstance(each, ScalarNode) for each in values.values()):
            return False
        text = self.text[item.start_mark.index : self.content_end(item)]
        return not any(sign in text for sign in "#&*!|>")

    def _plain_item(self, step: Add) -> str:
        members = {
            name: spell(value, Style(is_json=self._is_json, in_flow=True, eol=self.eol))
            for name, value in step.value.items()
            if not isinstance(value, (Mapping, list, tuple))
        }
        if len(members) != len(step.value):
            raise CannotEdit(step.path, "a new item has a list or a mapping inside")
        quote = '"' if self._is_json else ""
        return "{" + ", ".join(f"{quote}{name}{quote}: {text}" for name, text in members.items()) + "}"
