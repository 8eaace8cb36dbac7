"""Opening a project, and reading what its manifests declare, offline."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from msgspec import Struct

from reconciler import redaction
from reconciler.errors import InvalidInput
from reconciler.manifests.cache import Cache
from reconciler.manifests.load import Document
from reconciler.manifests.project import load_project
from reconciler.manifests.read import Checked, read_manifests
from reconciler.manifests.resolve import resolve
from reconciler.manifests.scalars import spelled
from reconciler.model.objects import Address, Desired, Problem, SourceRef, problem_order
from reconciler.reach import Quota, Reach
from reconciler.registry import kinds, providers
from reconciler.settings import Project
from reconciler.trust import TRUSTED

ALLOW_PATH = "RECONCILER_ALLOW_PATH"
"""Paths outside the repository that a project file may name, separated like those of PATH."""


class Validation(Struct, frozen=True, kw_only=True):
    """What is wrong with manifests."""

    problems: tuple[Problem, ...]
    files: int
    """How many files were read."""
    documents: int
    """How many documents they hold."""
    unread: tuple[Problem, ...] = ()
    """Warnings that name what is beside the manifests and was not read."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that prevent a plan."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


class Declared(Validation, frozen=True, kw_only=True):
    """What the manifests declare, and what is wrong with them."""

    desired: Mapping[Address, Desired]
    """The declared objects."""
    removed: Mapping[Address, SourceRef] = {}
    """The objects that are no longer to be managed, with the place that says so."""


def open_project(
    path: Path | str | None = None,
    environment: str | None = None,
    *,
    trusted_config: Path | str | None = None,
    allow_paths: Sequence[Path | str] = (),
    untrusted: bool = False,
) -> Project:
    """Read a project file, or the one of a folder; InvalidInput lists everything that is wrong with it.

    Without `path` it is `reconciler.yaml` in the current folder or a parent folder. The name, connections, state and
    policy come from `trusted_config`, or the file that RECONCILER_TRUSTED_CONFIG names, if there is one. `manifests`
    and `values` may name files outside the repository only if `allow_paths` or RECONCILER_ALLOW_PATH contains them, and
    none where the project is `untrusted`, which also limits how much is read.
    """
    trusted = os.environ.get(TRUSTED) if trusted_config is None else trusted_config
    stated = [each for each in os.environ.get(ALLOW_PATH, "").split(os.pathsep) if each]
    return load_project(
        None if path is None else Path(path),
        environment,
        providers=providers(),
        trusted=trusted,
        allowed=() if untrusted else (*allow_paths, *stated),
        quota=Quota() if untrusted else None,
    )


def check(
    project: Project | None, paths: Sequence[str] = (), *, stdin: IO[bytes] | None = None, untrusted: bool = False
) -> Declared:
    """Load and check manifests, offline: those of the project, or `paths` instead of them.

    `untrusted`: the paths too must be inside the repository.
    """
    with _without_collector():
        cache = None if untrusted or project is None else _cache(project)
        return _declared(project, _read(project, paths, stdin, cache, untrusted=untrusted))


def validate(project: Project | None, paths: Sequence[str] = (), *, stdin: IO[bytes] | None = None) -> Validation:
    """Return what is wrong with manifests, as `check` does, without their objects.

    So what the cache knows to be valid need not be judged again. Nothing that is planned depends on that.
    """
    with _without_collector():
        cache = None if project is None else _cache(project)
        facts = None if cache is None or project is None else _facts(project)
        checked = _read(project, paths, stdin, cache, facts=facts)
        if checked.known_valid:
            return Validation(problems=(), files=checked.files, documents=checked.documents)
        found = _declared(project, checked)
        if cache is not None and checked.key is not None and not (found.problems or found.removed or found.unread):
            cache.approve(checked.key, found.documents)
        return found


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cyclic garbage collector: all that is loaded is kept, and it would be looked through many times."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if not gc.get_freeze_count():  # makes it all old at once, so that the next collection skips it
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def _read(
    project: Project | None,
    paths: Sequence[str],
    stdin: IO[bytes] | None,
    cache: Cache | None,
    *,
    facts: str | None = None,
    untrusted: bool = False,
    keep: bool = False,
) -> Checked:
    reach = Reach.of(Path.cwd(), quota=Quota()) if untrusted and project is None else None
    return read_manifests(
        paths or (project.manifests if project else ()),
        root=Path.cwd() if paths or project is None else project.root,
        project_root=project.root if project else None,
        project_file=project.file if project else None,
        beside=project.manifests if project and paths else (),
        kinds=kinds(),
        values=project.values if project else {},
        environment=project.environment if project else None,
        project=project.name if project else None,
        stdin=stdin,
        places=project.manifests_at if project and not paths else {},
        reach=project.reach if project else reach,
        untrusted=untrusted,
        cache=cache,
        facts=facts,
        keep=keep,
    )


def _facts(project: Project) -> str | None:
    """Return all that a check takes from a project but its manifests; None where its result may change otherwise.

    Templates render a number as it was written, which its `repr` does not show.
    """
    if project.warnings or any(":" in kind.schema for kind in kinds().values()):
        return None
    return repr((project.name, project.environment, project.values, spelled(project.values), project.connections))


def _declared(project: Project | None, checked: Checked) -> Declared:
    desired: Sequence[Desired] = ()
    problems = [*(project.warnings if project is not None else ()), *checked.problems]
    if project is not None:
        desired, found = resolve(checked.manifests, project, kinds(), beside=checked.beside)
        problems += found
    return Declared(
        desired={item.address: item for item in desired},
        problems=tuple(sorted(set(problems), key=problem_order)),
        files=checked.files,
        documents=checked.documents,
        removed={item.address: item.where for item in checked.removed},
        unread=checked.unread,
    )


def hide_credentials(project: Project) -> None:
    """Mask the credentials of a project that are in the environment."""
    redaction.hide(os.environ.get("PGPASSWORD", ""))
    for connection in project.connections.values():
        for credential in connection.auth.values():
            credential.hide()


def _cache(project: Project) -> Cache | None:
    """Return the cache of a project; a folder of the checkout is never one."""
    reach = project.reach.folders[:1] if project.reach is not None else ()
    return Cache.of(project.file, (str(project.root), *reach))


def declare(project: Project) -> Declared:
    """Return what a project declares, offline; InvalidInput lists every problem."""
    return _valid(check(project), "nothing was read or sent")


def declare_documents(project: Project) -> tuple[Declared, tuple[Document, ...]]:
    """Return what a project declares and its documents with their final values, as `declare` does."""
    with _without_collector():
        checked = _read(project, (), None, _cache(project), keep=True)
        return _valid(_declared(project, checked), "nothing was rendered"), checked.final


def _valid(declared: Declared, ended: str) -> Declared:
    if declared.errors:
        raise InvalidInput(f"the manifests have problems; {ended}", declared.problems)
    return declared
