"""Moving the record of a project and environment to another state: a file, a database server or a branch in Git."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import closing

from msgspec import Struct
from msgspec.structs import replace

from reconciler.errors import ReconcilerError, UsageError
from reconciler.manifests.endpoints import absolute_state, state_fault
from reconciler.operations.session import ProjectSession
from reconciler.state import lease, moving
from reconciler.state.reached import reached
from reconciler.state.store import Store
from reconciler.trust import Bounds


class Migrated(Struct, frozen=True, kw_only=True):
    """What a move to another state came to, or would come to."""

    source: str
    target: str
    """The URL as spec.state takes it."""
    objects: int
    intents: int
    """Calls with an unknown result."""
    others: int
    """Other records: runs, hosts, what was seen."""


def migrate_state(
    session: ProjectSession,
    url: str,
    *,
    dry_run: bool = False,
    lock_timeout: float = 0.0,
    notice: Callable[[str], None] = lambda _: None,
) -> Migrated:
    """Copy everything that is recorded to the state `url`, and read it back. The present state stays as it is.

    ReconcilerError where a run holds the lock of one of them, or where the other one has such records already.
    """
    fault = state_fault(url)
    if fault is not None:
        raise UsageError(f"the new state {fault}")
    project = replace(session.project, state=absolute_state(url, session.project.root), state_at=None)
    if project.state == session.project.state:
        raise UsageError(f"{url} is the present state of this project", hint="name another one")
    Bounds.of(os.environ).check(project, reached(project.state))
    folder = project.root / ".reconciler" / "backups"
    name, environment = project.name, project.environment
    scope = {"project": name, "environment": environment or ""}
    target = Store(
        project.state, project=name, environment=environment, folder=folder, root=project.root, notice=notice
    )
    with closing(target):
        moving.check_empty(target.contents(), scope, target.label)
        if dry_run:
            held = session.store.holder()
            if held is not None:
                words, hint = f"run {held.run_id} holds the state lock", "wait for its end, then try again"
                raise ReconcilerError(words, hint=hint, code="state-locked")
            return _migrated(session, url, session.store.contents())
        with session.hold(timeout=lock_timeout), lease.hold(target, uuid.uuid4().hex, timeout=lock_timeout):
            given = session.store.contents()
            target.receive(given)
            if target.contents() != given:
                message = f"the state {target.label} does not hold what was written into it"
                raise ReconcilerError(message, hint="keep the present spec.state; nothing was changed there")
        return _migrated(session, url, given)


def _migrated(session: ProjectSession, url: str, given: moving.Contents) -> Migrated:
    objects, intents, others = moving.counts(given)
    return Migrated(source=session.store.label, target=url, objects=objects, intents=intents, others=others)
