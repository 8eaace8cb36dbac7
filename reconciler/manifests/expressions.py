"""The value of one template. jinja2 parses it; nothing of it is compiled or called.

Every operation that a template can use is in a table, and every one has a bound: before it makes a text, a
list or a number, not only at the end. So a manifest from a pull request can neither fill the memory nor take long,
and the only values that exist are those that YAML knows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from math import isfinite
from typing import Any

from jinja2 import nodes
from jinja2.sandbox import SandboxedEnvironment
from msgspec import Struct

from reconciler.manifests.build import MAX_DEPTH
from reconciler.manifests.scalars import shown, spelled
from reconciler.manifests.template_functions import (
    AT_ONCE,
    COMPARED,
    FILTERS,
    NUMBER_TESTS,
    NUMERIC,
    ON_MISSING,
    TESTS,
    TEXT_FILTERS,
    Missing,
    Refused,
)
from reconciler.model.nearest import Names, did_you_mean

MAX_LENGTH = 64 * 1024
"""Maximum number of characters of a text at any moment."""
MAX_SOURCE = 16 * 1024
MAX_BITS = 1_000
"""Maximum size of a whole number."""
MAX_EXPONENT = 1_000
MAX_VALUES = 100_000
"""Maximum number of values in a list or mapping that a template uses as a whole."""
MAX_CHARACTERS = 1024 * 1024
"""Maximum number of characters in them together."""
MAX_STEPS = 200_000
"""Maximum work for one template: operations, and the values that they look at."""

_CACHED_LENGTH = 512
"""Maximum length of a template whose parsed form is kept: it takes about a hundred times as much memory."""
_CHARACTERS_A_STEP = 64
_KNOWN = 64
"""Maximum number of mappings whose names are kept for suggestions."""

Parts = tuple[nodes.Node, ...]


class Exhausted(Refused):
    """All templates of the run together take too much."""


class Budget(Struct):
    """What the templates of one run may still take together."""

    steps: int = 10_000_000
    characters: int = 32 * 1024 * 1024
    is_reported: bool = False
    """Whether a problem says that nothing is left."""
    _known: dict[int, tuple[Mapping[str, Any], Names]] = {}

    def names(self, holder: Mapping[str, Any]) -> Names:
        """Return the names of a mapping that a template missed one in, collected once."""
        if id(holder) not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[id(holder)] = (holder, Names(holder))
        return self._known[id(holder)][1]

    def apart(self, steps: int) -> Budget:
        """Return so many steps for computing a template once more, with the names that were collected."""
        return Budget(steps=steps, _known=self._known)

    def spend(self, steps: int, characters: int = 0) -> None:
        """Take some; Exhausted if there is not enough left."""
        self.steps -= steps
        self.characters -= characters
        if self.steps < 0 or self.characters < 0:
            raise Exhausted("the templates of all manifests together take too much work or text; use fewer or shorter")


def evaluate(text: str, names: Mapping[str, Any], budget: Budget) -> Any:
    """Return the value of a template; Refused where it has none.

    A template that is one whole expression has the expression's value with its type. Any other is a text, in which
    each value is spelled as it was written.
    """
    if len(text) > MAX_SOURCE:
        raise Refused(f"the template is longer than {MAX_SOURCE // 1024} KB")
    parts = (_kept if len(text) <= _CACHED_LENGTH else template_parts)(text)
    evaluation = _Evaluation(names, budget)
    solid = [part for part in parts if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    if len(solid) == 1 and not isinstance(solid[0], nodes.TemplateData):
        value = evaluation.given(solid[0])
        budget.spend(0, evaluation.measure(value, MAX_LENGTH if isinstance(value, str) else MAX_CHARACTERS))
        return value
    joined = evaluation.joined(parts)
    budget.spend(0, len(joined))
    return joined


@cache
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment()


def template_parts(text: str) -> Parts:
    """Return the texts and expressions of a template; Refused if it contains anything else."""
    tree = _environment().parse(text)
    waiting: list[nodes.Node] = [*tree.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, nodes.Stmt) and not isinstance(node, nodes.Output):
            raise Refused("a template statement {% … %} is not allowed; expected only expressions {{ … }}")
        if isinstance(node, nodes.Call):
            raise Refused("a template cannot call functions; expected values and filters such as {{ values.x }}")
        for kind, title, known in ((nodes.Filter, "filter", FILTERS), (nodes.Test, "test", TESTS)):
            if isinstance(node, kind) and node.name not in known:
                expected = f"expected one of {', '.join(sorted(known))}{did_you_mean(node.name, known)}"
                raise Refused(f"the {title} {shown(node.name)} is not allowed; {expected}")
        if isinstance(node, (nodes.Filter, nodes.Test)) and (node.dyn_args or node.dyn_kwargs):
            raise Refused("the template cannot be read: * is not allowed before an argument")
        waiting += node.iter_child_nodes()
    return tuple(part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes)


_kept = lru_cache(maxsize=512)(template_parts)


class _Evaluation:
    """One template with the values that it sees."""

    def __init__(self, names: Mapping[str, Any], budget: Budget) -> None:
        self._names = names
        self._budget = budget
        self._left = MAX_STEPS

    def value(self, node: nodes.Node) -> Any:
        """Return the value of an expression, which may be missing."""
        self._spend(1)
        operation = _OPERATIONS.get(type(node))
        if operation is None:
            raise Refused("the template uses something that is not allowed; expected values, operators and filters")
        return operation(self, node)

    def given(self, node: nodes.Node) -> Any:
        """Return the value of an expression; Refused if it is missing."""
        value = self.value(node)
        if not isinstance(value, Missing):
            return value
        if value.words is None:
            return ""
        raise Refused(value.words())

    def joined(self, parts: Parts) -> str:
        """Return the texts and values as one text."""
        texts: list[str] = []
        left = MAX_LENGTH
        for part in parts:
            texts.append(part.data if isinstance(part, nodes.TemplateData) else self.text(self.given(part), left))
            left -= len(texts[-1])
            if left < 0:
                raise _too_long()
        return "".join(texts)

    def text(self, value: Any, most: int = MAX_LENGTH) -> str:
        """Return a value as text."""
        self.measure(value, most)
        text = spelled(value)
        self.bounded(text)
        return text

    def bounded(self, value: Any) -> Any:
        """Return what an operation made; Refused if it is too large, or not a value that YAML knows."""
        if isinstance(value, str) and len(value) > MAX_LENGTH:
            raise _too_long()
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise OverflowError
        if isinstance(value, float) and not isfinite(value):
            raise OverflowError
        if not (value is None or isinstance(value, (str, int, float, list, dict, Missing))):
            raise TypeError
        return value

    def measure(self, value: Any, most: int = MAX_CHARACTERS) -> int:
        """Return the number of characters of a value with all inside it; Refused where it is too large as a whole."""
        level, count, length, depth = [value], 0, 0, 0
        while level:
            inner: list[Any] = []
            depth += 1
            count += len(level)
            for item in level:
                if isinstance(item, str):
                    length += len(item)
                elif isinstance(item, dict):
                    inner += item.values()
                    length += sum(map(len, item))
                elif isinstance(item, list):
                    inner += item
                else:
                    self.bounded(item)
                if length > most:
                    raise _too_long(most)
                if count + len(inner) > MAX_VALUES or depth > MAX_DEPTH:
                    raise Refused("the template uses a list or mapping that is too large or too deep")
            level = inner
        self._spend(count + length // _CHARACTERS_A_STEP)
        return length

    def _spend(self, steps: int) -> None:
        self._left -= steps
        if self._left < 0:
            raise Refused("the template takes too much work; use fewer or smaller values")
        self._budget.spend(steps)

    def arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments of a filter or test."""
        keywords = {pair.key: self.given(pair.value) for pair in node.kwargs or ()}
        return [self.given(each) for each in node.args or ()], keywords

    def name(self, node: nodes.Name) -> Any:
        return self._member(self._names, node.name, node)

    def attribute(self, node: nodes.Getattr) -> Any:
        return self._member(self.value(node.node), node.attr, node)

    def item(self, node: nodes.Getitem) -> Any:
        if isinstance(node.arg, nodes.Slice):
            ends = [None if end is None else self.given(end) for end in (node.arg.start, node.arg.stop, node.arg.step)]
            whole = self.given(node.node)
            if not isinstance(whole, (str, list)):
                raise TypeError
            part = whole[slice(*ends)]
            self._spend(len(part) // _CHARACTERS_A_STEP)
            return self.bounded(part)
        return self._member(self.given(node.node), self.given(node.arg), node)

    def _member(self, holder: Any, key: Any, node: nodes.Node) -> Any:
        """Return what a mapping has under a key, or a list or text at a position: never an attribute of an object."""
        if isinstance(holder, Missing):
            return holder
        position = isinstance(key, int) and isinstance(holder, (str, list))
        if (isinstance(holder, Mapping) and key in holder) or (position and -len(holder) <= key < len(holder)):
            return holder[key]
        return Missing(lambda: self._undefined(holder, key, node))

    def _undefined(self, holder: Any, key: Any, node: nodes.Node) -> str:
        """Say which name is not defined, and which ones are."""
        named = _chain(node)
        what = f"{named or 'the template uses a value that'} is not defined"
        if not (isinstance(holder, Mapping) and holder and isinstance(key, str) and named):
            return what
        known = self._budget.names(holder)
        near = known.nearest(key)
        start = named.removesuffix(key)
        return f'{what}; did you mean "{start}{near}"?' if near else f"{what}; expected one of {known.some}"

    def members(self, node: nodes.List | nodes.Tuple) -> list[Any]:
        return [self.given(item) for item in node.items]

    def mapping(self, node: nodes.Dict) -> dict[str, Any]:
        pairs = {self.given(pair.key): self.given(pair.value) for pair in node.items}
        if not all(isinstance(key, str) for key in pairs):
            raise TypeError
        return pairs

    def binary(self, node: nodes.BinExpr) -> Any:
        left, right = self.given(node.left), self.given(node.right)
        sign = node.operator or ""
        if not (_is_number(left) and _is_number(right)):
            return self.bounded(self._sum(left, right, sign))
        if sign == "**" and (abs(left) > MAX_EXPONENT or abs(right) > MAX_EXPONENT):
            raise Refused("the template cannot be computed: the power is too large")
        return self.bounded(NUMERIC[sign](left, right))

    def _sum(self, left: Any, right: Any, sign: str) -> Any:
        """Return two texts or two lists as one."""
        if sign in "*%" and any(isinstance(side, (str, list)) for side in (left, right)):
            raise Refused(f"the template cannot be computed: {sign} only works on numbers")
        if sign == "+" and isinstance(left, str) and isinstance(right, str):
            return self.joined((nodes.Const(left), nodes.Const(right)))
        if sign == "+" and isinstance(left, list) and isinstance(right, list):
            self.measure([left, right])
            return left + right
        raise TypeError

    def sign(self, node: nodes.UnaryExpr) -> Any:
        value = self.given(node.node)
        if isinstance(node, nodes.Not):
            return not value
        return -value if isinstance(node, nodes.Neg) else +value

    def both(self, node: nodes.And) -> Any:
        left = self.given(node.left)
        return self.value(node.right) if left else left

    def either(self, node: nodes.Or) -> Any:
        left = self.given(node.left)
        return left or self.value(node.right)

    def choice(self, node: nodes.CondExpr) -> Any:
        if self.given(node.test):
            return self.value(node.expr1)
        return Missing(None) if node.expr2 is None else self.value(node.expr2)

    def compare(self, node: nodes.Compare) -> bool:
        left = self.given(node.expr)
        for each in node.ops:
            right = self.given(each.expr)
            self.measure(left)
            self.measure(right)
            if not COMPARED[each.op](left, right):
                return False
            left = right
        return True

    def filter(self, node: Any) -> Any:
        value = self.value(node.node) if node.name in ON_MISSING else self.given(node.node)
        more, options = self.arguments(node)
        if node.name in TEXT_FILTERS:
            value = self.text(value)
        elif node.name not in AT_ONCE:
            self.measure(value)
        return self.bounded(FILTERS[node.name](value, *more, **options))

    def test(self, node: Any) -> bool:
        if node.name in ON_MISSING:
            return isinstance(self.value(node.node), Missing) is (node.name == "undefined")
        value = self.given(node.node)
        more, options = self.arguments(node)
        self.measure([value, *more])
        if node.name in NUMBER_TESTS and not all(map(_is_number, (value, *more))):
            raise TypeError
        return bool(TESTS[node.name](value, *more, **options))


def _too_long(most: int = MAX_LENGTH) -> Refused:
    return Refused(f"the rendered text is longer than {max(most, MAX_LENGTH) // 1024} KB")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _chain(node: nodes.Node) -> str | None:
    """Return an expression such as `values.a[0].b` as it is written; None if it is no such expression."""
    steps: list[str] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            steps.append(f".{node.attr}")
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            step = node.arg.value
            steps.append(f".{step}" if isinstance(step, str) else f"[{step}]")
        else:
            return None
        node = node.node
    return "".join([node.name, *reversed(steps)])


_OPERATIONS: Mapping[type[nodes.Node], Callable[[_Evaluation, Any], Any]] = {
    nodes.Const: lambda evaluation, node: evaluation.bounded(node.value),
    nodes.TemplateData: lambda _, node: node.data,
    nodes.Name: _Evaluation.name,
    nodes.Getattr: _Evaluation.attribute,
    nodes.Getitem: _Evaluation.item,
    nodes.List: _Evaluation.members,
    nodes.Tuple: _Evaluation.members,
    nodes.Dict: _Evaluation.mapping,
    nodes.Concat: lambda evaluation, node: evaluation.joined(node.nodes),
    nodes.Compare: _Evaluation.compare,
    nodes.CondExpr: _Evaluation.choice,
    nodes.Filter: _Evaluation.filter,
    nodes.Test: _Evaluation.test,
    nodes.And: _Evaluation.both,
    nodes.Or: _Evaluation.either,
    **dict.fromkeys((nodes.Not, nodes.Neg, nodes.Pos), _Evaluation.sign),
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), _Evaluation.binary
    ),
}
"""What a template can contain. Anything else is refused."""
