"""Live objects as manifests. A comment says which fields are not stated, and why."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from reconciler.manifests.characters import character_problems
from reconciler.manifests.explain import schema_problems
from reconciler.manifests.scalars import shown, spelled_out
from reconciler.manifests.yaml_text import Digits, comment, entry, unwritable
from reconciler.model.draft import Draft
from reconciler.model.kind import Kind
from reconciler.model.objects import Manifest, Problem, Ref, SourceRef
from reconciler.redaction import redacted_data
from reconciler.schema import acceptance, load_schema

API_VERSION = "reconciler/v1"

_WIDTH = 110
_SHOWN = 300
"""Maximum length of a refused value in its comment."""

_WITHHELD = "it contains a credential of this project, which must not be in a manifest"

_DIGITS = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")


class Written(Struct, frozen=True, kw_only=True):
    """One manifest as text."""

    text: str
    stated: frozenset[str]
    """The canonical fields that it states."""
    complete: bool
    """False if a required field cannot be stated. Then the whole text is a comment."""
    problems: tuple[Problem, ...] = ()


class _Paths(Struct, frozen=True):
    """Places of a manifest that is not in a file yet: the path itself."""

    def locate(self, path: tuple[str | int, ...], *, key: bool = False) -> SourceRef:
        del key
        return SourceRef("/".join(map(str, path)), 1)


def write(draft: Draft, kind: Kind) -> Written:
    """Return a draft as a manifest that passes validation, or as a comment if there is no such manifest."""
    spec = dict(_spec(draft, kind))
    refused = dict(_refused(kind, spec, draft))
    lacking = [found.summary for found in schema_problems(kind.schema, spec, _Paths())]
    fields = {reference.spec_field: reference.field for reference in kind.references}
    stated = frozenset(fields.get(name, name) for name in spec)
    lines = [*_head(draft), "spec:", *_body(draft, kind, spec, refused)]
    problems = [_problem(draft, f"{name} is not exported: {why}") for name, why in refused.items()]
    problems += [_problem(draft, words) for name, words in draft.remarks.items() if name in spec]
    if lacking:
        why = "; ".join(lacking)
        lines = [f"# This object cannot be declared: {_one_line(why)}", *(f"# {line}".rstrip() for line in lines)]
        problems.append(_problem(draft, f"cannot be declared: {why}"))
    text = "".join(f"{comment(line) if line.lstrip().startswith('#') else line}\n" for line in lines)
    return Written(text=text, stated=stated, complete=not lacking, problems=tuple(problems))


def _spec(draft: Draft, kind: Kind) -> Iterator[tuple[str, Any]]:
    """Yield what to state in the order of the schema. A reference is the name of the other object."""
    references = {reference.spec_field: reference.field for reference in kind.references}
    for name, rules in load_schema(kind.schema)["properties"].items():
        value = draft.fields.get(references.get(name, name))
        if value is None or isinstance(value, Ref) is not (name in references):
            continue
        yield name, value.target.name if isinstance(value, Ref) else _spelled(value, rules)


def stated_value(kind: Kind, name: str, value: Any) -> Any:
    """Return a canonical value of a field as a manifest states it."""
    return _spelled(value, load_schema(kind.schema)["properties"].get(name, {}))


def _spelled(value: Any, rules: Mapping[str, Any]) -> Any:
    """Return digits as a number if the schema accepts one."""
    numeric = {"number", "integer"} & set(rules.get("type", ()))
    if isinstance(value, str) and numeric and not isinstance(rules["type"], str) and _DIGITS.fullmatch(value):
        return Digits(value)
    return value


def _refused(kind: Kind, spec: dict[str, Any], draft: Draft) -> Iterator[tuple[str, str]]:
    """Remove from a spec what cannot be written or what validation refuses; yield each field and the reason."""
    for name, value in list(spec.items()):
        found = _WITHHELD if _is_secret(value) else unwritable(value) or _unsendable(kind, name, value)
        if found is None and not acceptance(f"{kind.schema}#/properties/{name}")(value):
            wrong = schema_problems(kind.schema, {name: value}, _Paths())
            found = next((item.summary for item in wrong if _field(item) == name), None)
        if found is not None:
            del spec[name]
            yield name, found
    broken = True
    while broken:
        broken = False
        for name, why in [*_by_rules(kind, spec, draft), *_alone(kind, spec)]:
            if name in spec:
                del spec[name]
                yield name, why
                broken = True


def _unsendable(kind: Kind, name: str, value: Any) -> str | None:
    found = next(character_problems({name: value}, _Paths(), kind.unwritable), None)
    return None if found is None else found.summary


def _by_rules(kind: Kind, spec: Mapping[str, Any], draft: Draft) -> Iterator[tuple[str, str]]:
    """Yield the fields that break the rules of their kind, and the reason."""
    required = set(load_schema(kind.schema).get("required", ()))
    if required <= spec.keys():
        manifest = Manifest(address=draft.address, spec=spec, positions=_Paths())
        for problem in kind.check(manifest):
            if problem.severity == "error":
                yield _field(problem), problem.summary


def _is_secret(value: Any) -> bool:
    return bool(redacted_data(value, named=False) != value)


def _field(problem: Problem) -> str:
    """Return the field of the spec that a problem is about."""
    path = problem.where.path.removeprefix("spec/") if problem.where is not None else ""
    return path.partition("/")[0]


def _alone(kind: Kind, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the first field that is not valid without another one, which cannot be stated."""
    accepts = acceptance(kind.schema)
    wrong = [] if accepts(spec) else schema_problems(kind.schema, spec, _Paths())
    for name in spec if wrong else ():
        if accepts({other: value for other, value in spec.items() if other != name}):
            yield name, wrong[0].summary
            return


def _head(draft: Draft) -> Iterator[str]:
    yield f"apiVersion: {API_VERSION}"
    yield f"kind: {draft.address.kind}"
    metadata: dict[str, Any] = {"name": draft.address.name}
    metadata |= {"connection": draft.connection} if draft.connection is not None else {}
    metadata |= {name: dict(value) for name in ("labels", "annotations") if (value := getattr(draft, name))}
    metadata |= {"protect": True} if draft.protect else {}
    yield from entry("metadata", metadata, 0)


def _body(draft: Draft, kind: Kind, spec: Mapping[str, Any], refused: Mapping[str, str]) -> Iterator[str]:
    properties = list(load_schema(kind.schema)["properties"])
    for name in properties:
        if name in spec:
            yield from _comment(draft.remarks[name]) if name in draft.remarks else ()
            yield from entry(name, spec[name], 1)
        elif name in refused:
            yield from _refusal(name, draft.fields.get(name), refused[name])
        elif name in draft.left_out:
            yield from _comment(f"{name} is not exported: {draft.left_out[name]}")
    spoken = {*spec, *refused, *draft.left_out, *draft.answered, *kind.local}
    spoken |= {reference.spec_field for reference in kind.references}
    silent = [name for name in properties if name not in spoken]
    if silent:
        yield from _comment(f"Not returned by the API, and not managed unless you add them: {', '.join(silent)}.")


def _refusal(name: str, value: Any, why: str) -> Iterator[str]:
    """Yield comments: the lines that would state a value, and why it is not stated."""
    if _is_secret(value) or unwritable(value):
        lines = [f"{name}: {shown(redacted_data(value, named=False), _SHOWN)}"]
    else:
        lines = list(entry(name, value, 0))
    yield from (f"  # {line}".rstrip() for line in lines)
    yield from _comment(f"(not exported: {why})")


def _comment(words: str) -> Iterable[str]:
    lines = textwrap.wrap(_one_line(words), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"  # {line}" for line in lines]


def _one_line(words: str) -> str:
    return spelled_out(words)


def _problem(draft: Draft, summary: str) -> Problem:
    return Problem(code="not-stated", severity="warning", summary=summary, address=draft.address)
