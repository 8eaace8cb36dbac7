"""Where the values of templates come from, and who else uses them: the files of a project as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import jinja2
from jinja2 import nodes
from msgspec import Struct

from reconciler.manifests.explain import label
from reconciler.manifests.expressions import template_parts
from reconciler.manifests.find import Found, find, project_name
from reconciler.manifests.load import Document
from reconciler.manifests.positions import Path
from reconciler.manifests.read import load_found
from reconciler.manifests.template_functions import Refused
from reconciler.model.objects import SourceRef
from reconciler.model.provenance import Setting, Template
from reconciler.settings import Project

VALUES = "values"
_NAMES = frozenset({VALUES, "environment", "project"})


class Sources(Struct, frozen=True, kw_only=True, dict=True):
    """The documents of a project, without templates rendered."""

    manifests: tuple[Document, ...]
    values: tuple[Document, ...]
    """In their order: later ones win."""
    overlays: frozenset[str] = frozenset()
    """The values files of the environment, as messages name them."""

    @classmethod
    def of(cls, project: Project) -> Sources:
        """Read the files of a project that has no problems."""
        found = find(project.manifests, root=project.root, project_root=project.root, reach=project.reach).found
        manifests = [document for each in found for document in load_found(each).documents]
        named = [Found(project_name(file, project.root), str(file)) for file in project.values_files]
        values = [document for each in named for document in load_found(each).documents]
        over = set(map(str, project.overlays))
        overlays = frozenset(each.shown for each in named if each.file in over)
        return cls(manifests=tuple(manifests), values=tuple(values), overlays=overlays)

    def manifest(self, where: SourceRef) -> Document | None:
        """Return the document that begins at a place."""
        return self._by_place.get(where)

    @cached_property
    def _by_place(self) -> Mapping[SourceRef, Document]:
        return {each.positions.locate(()): each for each in reversed(self.manifests)}

    def set_by(self, path: Path) -> Document | None:
        """Return the values file that sets a value last."""
        among = self._setting_first.get(path[0], []) if path else self.values
        return next((each for each in reversed(among) if each.positions.has(path)), None)

    @cached_property
    def _setting_first(self) -> Mapping[str | int, list[Document]]:
        found: dict[str | int, list[Document]] = {}
        for each in self.values:
            for key in each.data:
                found.setdefault(key, []).append(each)
        return found

    def at_line(self, path: str, line: int) -> Document | None:
        """Return the document of a file that begins at a line."""
        return self._by_line.get((path, line))

    @cached_property
    def _by_line(self) -> Mapping[tuple[str, int], Document]:
        every = reversed((*self.manifests, *self.values))
        return {(each.path, each.positions.locate(()).line): each for each in every}

    def templates(self, document: Document, path: Path, names: Mapping[str, object]) -> tuple[Template, ...]:
        """Return the templates of a document that a value, or one above or below it, is computed by."""
        return tuple(
            Template(
                path=label(place[1:]),
                where=document.positions.locate(place),
                text=text,
                settings=tuple(self._setting(chain, names) for chain in dict.fromkeys(used(text))),
            )
            for place, text in _texts(document.data, ())
            if _overlap(place, path)
        )

    def _setting(self, chain: Path, names: Mapping[str, object]) -> Setting:
        value: Any = names
        for step in chain:
            known = isinstance(value, Mapping) and step in value
            value = value[step] if known else None
        by = self.set_by(chain[1:]) if chain[0] == VALUES else None
        earlier = [each for each in self.values if each.positions.has(chain[1:]) and each is not by] if by else []
        return Setting(
            name=label(chain),
            value=value if len(chain) > 1 or chain[0] != VALUES else None,
            where=None if by is None else by.positions.locate(chain[1:]),
            environment=by is not None and by.path in self.overlays,
            overrides=tuple(each.positions.locate(chain[1:]) for each in earlier),
        )

    def users(self, path: Path) -> Sequence[tuple[Document, Path]]:
        """Return every template of the manifests that may use a value, or something above or below it."""
        if path not in self._users:  # once: thousands of templates may use one value
            exact, below = self._uses
            found = set(below.get(path, ())).union(*(exact.get(path[:depth], ()) for depth in range(len(path))))
            self._users[path] = [self._templated[number][:2] for number in sorted(found)]
        return self._users[path]

    @cached_property
    def _users(self) -> dict[Path, list[tuple[Document, Path]]]:
        return {}

    @cached_property
    def _templated(self) -> tuple[tuple[Document, Path, str], ...]:
        """Every template of the manifests with its place."""
        documents = (each for each in self.manifests if each.templated)
        return tuple((each, place, text) for each in documents for place, text in _texts(each.data, ()))

    @cached_property
    def _uses(self) -> tuple[Mapping[Path, list[int]], Mapping[Path, list[int]]]:
        """The templates that use each value, and those that use it or something below it."""
        known: dict[str, list[Path]] = {}
        exact: dict[Path, list[int]] = {}
        below: dict[Path, list[int]] = {}
        for number, (_, _, text) in enumerate(self._templated):
            if text not in known:
                known[text] = used_values(text)
            for use in known[text]:
                exact.setdefault(use, []).append(number)
                for depth in range(len(use) + 1):
                    below.setdefault(use[:depth], []).append(number)
        return exact, below


def origin(text: str) -> Path | None:
    """Return the path in the values files of a template that is one value and nothing else; None for any other."""
    parts = [part for part in _parts(text) if not (isinstance(part, nodes.TemplateData) and not part.data.strip())]
    chain = _chain(parts[0]) if len(parts) == 1 else None
    return chain[1:] if chain is not None and chain[0] == VALUES and len(chain) > 1 else None


def used(text: str) -> list[Path]:
    """Return what a template uses, each with the name that it begins with: `("values", "price")`."""
    found: list[Path] = []
    waiting: list[nodes.Node] = list(_parts(text))
    while waiting:
        node = waiting.pop()
        chain = _chain(node)
        if chain is not None and chain[0] in _NAMES:
            found.append(chain)
            continue
        waiting += node.iter_child_nodes()
    return found


def used_values(text: str) -> list[Path]:
    """Return the paths in the values files that a template uses; an empty one may be all of them."""
    return [chain[1:] for chain in used(text) if chain[0] == VALUES]


def _parts(text: str) -> Sequence[nodes.Node]:
    try:
        return template_parts(text)
    except (jinja2.TemplateError, Refused, RecursionError):
        return ()


def _chain(node: nodes.Node) -> Path | None:
    """Return the names of `values.sport["court 1"]`; None for anything else."""
    names: list[str | int] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        if isinstance(node, nodes.Getattr):
            names.append(node.attr)
        elif isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, (str, int)):
            names.append(node.arg.value)
        else:
            return None
        node = node.node
    return (node.name, *reversed(names)) if isinstance(node, nodes.Name) else None


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str) and "{{" in value:
        yield path, value
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, Mapping):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for key, item in members:
        yield from _texts(item, (*path, key))


def named(document: Document, path: Path) -> str:
    """Return a value of a manifest in words: `Session/yoga price (manifests/yoga.yaml:7:10)`."""
    return f"{document.address} {label(path)} ({document.positions.locate(path)})"
