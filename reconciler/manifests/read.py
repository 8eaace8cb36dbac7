"""Find, load, render and validate in one call: what `validate` shows and `plan` begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO

from reconciler.manifests.find import Found, find
from reconciler.manifests.load import MAX_BYTES, Document, Loaded, load_bytes
from reconciler.manifests.validate import validate
from reconciler.model.kind import Kind
from reconciler.model.objects import Manifest, Problem, problem_order

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Everything the paths hold: usable manifests, all problems in file order, and how much was read."""

    manifests: tuple[Manifest, ...]
    problems: tuple[Problem, ...]
    files: int
    documents: int

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid going on."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def read_manifests(
    paths: Sequence[str],
    *,
    root: Path,
    kinds: Mapping[str, Kind],
    values: Mapping[str, object] = _NO_VALUES,
    environment: str | None = None,
    project: str | None = None,
    stdin: IO[bytes] | None = None,
) -> Checked:
    """Read every manifest that `paths` name; nothing is raised for anything a file may hold.

    Relative paths start at `root`; `-` is `stdin`. Templates see `values`, `environment`, `project`.
    """
    found, problems = find(paths, root=root)
    documents: list[Document] = []
    for each in found:
        loaded = load_found(each, stdin)
        documents += loaded.documents
        problems += loaded.problems
    names = {"values": values, "environment": environment, "project": project}
    rendered, template_problems = _render_all(documents, names)
    manifests, wrong = validate(rendered, kinds)
    # A field whose template failed is not also reported for its type.
    failed = {problem.where for problem in template_problems}
    problems += template_problems
    problems += [problem for problem in wrong if problem.where not in failed]
    return Checked(
        manifests=tuple(sorted(manifests, key=lambda manifest: manifest.address)),
        problems=tuple(sorted(problems, key=problem_order)),
        files=len(found),
        documents=len(documents),
    )


def load_found(found: Found, stdin: IO[bytes] | None = None) -> Loaded:
    """Read one input; a file that cannot be read is a problem."""
    try:
        if found.file is not None:
            with found.file.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        elif stdin is not None:
            content = stdin.read(MAX_BYTES + 1)
        else:
            return Loaded((), (Problem(code="path-missing", summary="there is no standard input to read"),))
    except OSError as error:
        summary = f"{found.shown} cannot be read: {error.strerror or type(error).__name__}"
        return Loaded((), (Problem(code="unreadable-file", summary=summary),))
    return load_bytes(content, found.shown)


def _render_all(documents: Sequence[Document], names: Mapping[str, object]) -> tuple[list[Document], list[Problem]]:
    rendered: list[Document] = []
    problems: list[Problem] = []
    for document in documents:
        if not document.templated:
            rendered.append(document)
            continue
        from reconciler.manifests.template import render  # noqa: PLC0415 - brings jinja2

        result, wrong = render(document, names)
        rendered.append(result)
        problems += wrong
    return rendered, problems
