"""The canonical form of manifests: keys in the order of the schema, and quotes where a reader of YAML needs them.

Only keys move, with their comments, and only quotes change: the layout stays its author's. The new text is proved to
hold the same documents.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from reconciler.manifests.describe import Node as Described
from reconciler.manifests.describe import whole
from reconciler.manifests.json_events import begins_like_json
from reconciler.manifests.layout import Layout, Splice, Unparsed, applied, children, parsed
from reconciler.manifests.load import load_text
from reconciler.manifests.scalars import plain_scalar
from reconciler.manifests.write import API_VERSION
from reconciler.manifests.yaml_text import inline, is_plain_enough, quoted, under

_BREAK = re.compile("[\n\r\x85\u2028\u2029]")
"""What ends a line for some readers of YAML."""
_COMMENT = re.compile(r"[ \t\r]*(#|$)")


class CannotFormat(Exception):
    """A text that cannot be written in the canonical form without a change of what it means; says why."""


def formatted(text: str, schemas: Mapping[str, str]) -> str:
    """Return a valid file's text in its canonical form. `schemas` are the names of schemas by kind.

    JSON, and documents of other programs, stay as they are.
    """
    if begins_like_json(text):
        return text
    content = _content(text)
    if text and not text.endswith(("\n", "\r")):
        ended = text + Layout(text).eol
        text = ended if _content(ended) == content else text  # in a block of text, it would belong to the text
    try:
        roots = parsed(text)
    except Unparsed as error:
        raise CannotFormat(str(error)) from None
    formatter = _Formatter(text)
    new = applied(text, [splice for root in roots for splice in formatter.document(root, schemas)])
    if _content(new) != content:
        raise CannotFormat("the result would not mean the same")
    return new


def _content(text: str) -> list[Any]:
    """Return what a text means: its documents, with the type and spelling of each value, and what is wrong with it."""
    loaded = load_text(text, "")
    return [*(_exact(document.data) for document in loaded.documents), sorted(each.code for each in loaded.problems)]


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return type(value), str(value)


class _Formatter(Layout):
    """One file."""

    def document(self, root: Node, schemas: Mapping[str, str]) -> list[Splice]:
        """Return what changes in one document."""
        start, _ = self.span(root)
        if self.begins_flow(root) and begins_like_json(self.text[start:]):
            return []
        stated = {key.value: value.value for key, value in _pairs(root) if isinstance(value, ScalarNode)}
        if stated.get("apiVersion") != API_VERSION:
            return []  # another program's
        known = str(stated.get("kind"))
        schema = whole(schemas[known]) if known in schemas else None
        if any(self._is_fixed(node) for node in _all(root)):
            schema = None
        return self._changes(root, schema, in_flow=False, seen=set())

    def _is_fixed(self, node: Node) -> bool:
        """Whether moving a value could change it: an alias follows its anchor, a block of text may own blank lines."""
        start, _ = self.span(node)
        is_block = isinstance(node, ScalarNode) and node.style in {"|", ">"}
        header = self.text[start : self.line_end(start)].partition("#")[0]
        return bool(node.anchor) or (is_block and ("+" in header or not self.text.endswith(("\n", "\r"))))

    def _changes(self, node: Node, schema: Described | None, *, in_flow: bool, seen: set[int]) -> list[Splice]:
        if id(node) in seen:  # an alias
            return []
        seen.add(id(node))
        in_flow = in_flow or self.begins_flow(node)
        if isinstance(node, ScalarNode):
            return self._requoted(node, in_flow=in_flow)
        holds, inner = (schema.members() if schema is not None else None) or ("", None)
        is_mapping = isinstance(node, MappingNode)
        fields = inner if not holds and is_mapping else None
        splices: list[Splice] = []
        for key, value in _pairs(node):
            below = inner if fields is None else fields.child(key.value)
            splices += self._changes(key, None, in_flow=in_flow, seen=seen)
            splices += self._changes(value, below, in_flow=in_flow, seen=seen)
        for item in () if is_mapping else children(node):
            splices += self._changes(item, inner, in_flow=in_flow, seen=seen)
        return splices if fields is None else self._ordered(node, list(fields.schema["properties"]), splices)

    def _requoted(self, node: ScalarNode, *, in_flow: bool) -> list[Splice]:
        """Take quotes away where every reader of YAML reads the same without, and add them where one does not."""
        start, end = self.span(node)
        written = self.text[start:end]
        text = str(node.value)
        if node.style in {"|", ">"} or start == end or _BREAK.search(written) or text == "<<":
            return []
        if "!" in self.text[node.start_mark.index : start]:
            return []  # its tag decides what it is
        plain = _is_plain(text, in_flow=in_flow)
        if node.style in {"'", '"'}:
            followed = self.text[end : end + 2]
            unquoted = plain and not (followed.startswith(":") and not followed[1:].isspace())
            return [(start, end, text)] if unquoted else []
        if plain or text != written or plain_scalar(text) is not text:
            return []
        if is_plain_enough(text):
            return []  # authors write dates and times without quotes
        return [(start, end, quoted(text, '"'))]

    def _ordered(self, node: Node, order: list[str], splices: list[Splice]) -> list[Splice]:
        """Return the splices inside a mapping, as one for the whole of it where its keys move."""
        keys = [key.value for key, _ in node.value]
        wanted = sorted(range(len(keys)), key=lambda at: order.index(keys[at]) if keys[at] in order else len(order))
        if wanted == list(range(len(keys))):
            return splices
        places = self._in_brackets(node) if self.begins_flow(node) else self._entries(node)
        if not places:
            return splices
        starts = [start for start, _, _ in splices]  # in the order of the text
        inside = [splices[bisect_left(starts, start) : bisect_left(starts, end)] for start, end in places]
        texts = [applied(self.text, each, *place) for each, place in zip(inside, places, strict=True)]
        first, last = places[0][0], places[-1][1]
        gaps = [self.text[end:start] for (_, end), (start, _) in pairwise(places)]
        if not self.begins_flow(node):
            texts = [text if text.endswith(("\n", "\r")) else text + self.eol for text in texts]
        after_dash = not self.begins_flow(node) and self.text[self.line_start(first) : first].strip()
        margin = " " * node.start_mark.column if after_dash else ""
        texts[0] = margin + texts[0]
        texts = [texts[at] for at in wanted]
        if margin and texts[0][len(margin)] == "#":
            return splices  # a comment cannot stand between the dash and the key
        texts[0] = texts[0].removeprefix(margin)
        return [(first, last, "".join(text + gap for text, gap in zip(texts, [*gaps, ""], strict=True)))]

    def _in_brackets(self, node: Node) -> list[tuple[int, int]]:
        """Return where each entry of a mapping on one line is; nothing if it is on several, or a value is empty."""
        start, end = self.span(node)
        values = (value for _, value in node.value)
        if re.search(r"[\n\r#]", self.text[start:end]) or any(each[0] == each[1] for each in map(self.span, values)):
            return []
        return [(self.span(key)[0], self.entry_end(key, value)) for key, value in node.value]

    def _entries(self, node: Node) -> list[tuple[int, int]]:
        """Return where each entry of a mapping is, with the comments above it and those that are deeper below it."""
        column = node.start_mark.column
        starts: list[int] = []
        ends: list[int] = []
        for key, value in node.value:
            start, _ = self.span(key)
            line = self.line_start(start)
            if self.text[line:start].strip(" " if starts else " -"):
                return []  # it shares its line with another one, or begins with `?`
            starts.append(start if self.text[line:start].strip() else line)
            ends.append(self.line_end(self.entry_end(key, value)))
        for at, end in enumerate(ends):
            ends[at] = self._deeper_comments(end, column)
        places = []
        for at, start in enumerate(starts):
            # A comment above a document stays there, and so does one above a list's item.
            floor = ends[at - 1] if at else (0 if column and start == self.line_start(start) else start)
            places.append((self._comments_above(start, floor, column), ends[at]))
        return places

    def _deeper_comments(self, end: int, column: int) -> int:
        """Return the end of the comments that follow an entry and are indented more than its key."""
        at, found = end, end
        while at < len(self.text):
            after = self.line_end(at)
            line = self.text[at:after]
            if _COMMENT.match(line) is None:
                break
            if line.strip():
                if _indent(line) <= column:
                    break
                found = after
            at = after
        return found

    def _comments_above(self, start: int, floor: int, column: int) -> int:
        """Return where the comments that stand directly above an entry begin."""
        at = start
        while at > floor:
            before = self.line_start(at - 1 if self.text[at - 2 : at] != "\r\n" else at - 2)
            line = self.text[before:at]
            if before < floor or not line.lstrip(" ").startswith("#") or _indent(line) != column:
                break
            at = before
        return at


@lru_cache(maxsize=4096)  # keys and words come again in each document
def _is_plain(text: str, *, in_flow: bool) -> bool:
    """Return whether every reader of YAML reads a text without quotes as this text."""
    return text == (inline(text) if in_flow else under(text)[0])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _pairs(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node, MappingNode):
        yield from node.value


def _all(root: Node) -> Iterator[Node]:
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting.extend(children(node))
