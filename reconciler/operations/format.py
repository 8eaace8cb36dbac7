"""fmt: manifests and the project file in their canonical form."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from msgspec import Struct

from reconciler.manifests.find import Found, find, project_name
from reconciler.manifests.format import CannotFormat, formatted
from reconciler.manifests.load import load_bytes
from reconciler.manifests.read import read_content
from reconciler.model.objects import Problem
from reconciler.operations.explain import manifest_kinds
from reconciler.registry import project_file_schema
from reconciler.settings import Project


class Formatted(Struct, frozen=True, kw_only=True):
    """One file, or standard input."""

    shown: str
    """Its name in messages."""
    file: Path | None
    """None for standard input."""
    before: bytes
    after: bytes
    """The canonical form; as before, if it cannot be formatted."""
    problems: tuple[Problem, ...] = ()
    """Why it cannot be formatted."""

    @property
    def changes(self) -> bool:
        """Whether it is not in its canonical form."""
        return self.before != self.after


def format_files(
    project: Project | None, paths: Sequence[str] = (), *, stdin: IO[bytes] | None = None
) -> tuple[list[Formatted], list[Problem]]:
    """Return what files become, and the problems of paths; nothing is written.

    They are those of `paths`, or the project's manifests and its project file.
    """
    root = Path.cwd() if paths or project is None else project.root
    found, problems, _ = find(
        paths or (project.manifests if project is not None else ()),
        root=root,
        project_root=project.root if project is not None else None,
        places=project.manifests_at if project is not None and not paths else {},
        reach=project.reach if project is not None and not paths else None,
    )
    if project is not None and not paths:
        own = os.path.realpath(project.file)
        if own not in {each.real for each in found}:
            found.append(Found(project_name(project.file, project.root), str(project.file)))
    return list(_formatted(found, stdin)), problems


def _formatted(found: Sequence[Found], stdin: IO[bytes] | None) -> Iterator[Formatted]:
    schemas = {**manifest_kinds(), "Project": project_file_schema()}
    for each in found:
        file = None if each.file is None else Path(each.file)
        content, problem = read_content(each, stdin)
        if problem is not None:
            yield Formatted(shown=each.shown, file=file, before=b"", after=b"", problems=(problem,))
            continue
        wrong = tuple(item for item in load_bytes(content, each.shown).problems if item.severity == "error")
        after = content
        if not wrong:
            mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
            try:
                after = mark + formatted(content.removeprefix(mark).decode(), schemas).encode()
            except CannotFormat as error:
                summary = f"{each.shown} cannot be formatted: {error}"
                wrong = (Problem(code="not-formatted", summary=summary, hint="nothing in it was changed"),)
        yield Formatted(shown=each.shown, file=file, before=content, after=after, problems=wrong)
