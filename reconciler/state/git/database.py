"""A state on a branch of a Git remote, with the transactions of `reconciler.state.database.Database`.

What is asked of the remote, and when:

- A transaction that writes is tried on the rows as they are known, and what it changes becomes one commit. A push
  confirms it, or the remote refuses it because the branch or the lease moved. Then the branch is fetched and the
  transaction runs again, on the facts. It returns only after the push that holds it.
- While a push is in flight, the transactions of other threads gather. The next push carries all of them.
- A transaction that fails or changes nothing proves nothing about the remote. So it only counts on rows that were
  fetched after it began: a claim that finds another holder, a lease that is lost, an unlock of a run that has ended.
- Every write of a run that holds the lease also moves the ref of the lease, in the same atomic push. So a run that
  lost its lease cannot write, however late its push arrives.
- A read outside a lease shows the branch as it was at most `AGE` seconds before, so that the reads of one plan need
  one fetch. Once a claim is confirmed, the rows are fetched once more. From then on only this run writes to its
  project and environment, so its reads need no fetch. Of other projects it may see what they recorded until then.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field

from reconciler.errors import ReconcilerError
from reconciler.git_remote import GitRemote
from reconciler.model.objects import Lease
from reconciler.reach import Reach
from reconciler.state import backups, origin, process_lock
from reconciler.state.connection import Connection, DatabaseError
from reconciler.state.database import Held
from reconciler.state.git import files
from reconciler.state.git.branch import Draft, Heads, Unreachable
from reconciler.state.git.history import facts, lease_message, message
from reconciler.state.git.mirror import LONGEST_PAUSE, PAUSE, Mirror
from reconciler.state.git.view import Changes
from reconciler.state.holder import Watch
from reconciler.state.migrations import all_leases
from reconciler.state.rows import Damaged
from reconciler.state.schema import FIRST, VERSION
from reconciler.state.transaction import Job
from reconciler.together import Together

PATIENCE = 20.0
"""Seconds to try a push again that was refused or not answered."""

AGE = 2.0
"""Seconds that a read outside a lease may be behind the remote."""

PACE = 3.0
"""How much slower leases live here than in a database: a push to a forge takes one to two seconds."""

_LONGEST_GATHERING = 0.1
"""Seconds to wait for other threads before a push; much less than a push to a forge takes."""

_REFUSALS = 4
"""Refused pushes in a row, with nothing moved on the remote, after which its rules count as the reason."""

Result = TypeVar("Result")


class _Try(Struct):
    """A commit that was pushed, or may have been."""

    commits: Heads
    changes: Changes
    results: Sequence[tuple[object, BaseException | None]]
    began: float = field(default_factory=time.monotonic)


class GitDatabase:
    """Transactions on one branch; safe to use from several threads.

    A branch that does not exist yet reads as empty; the first write creates it. An older state is read as it is; the
    first write migrates it.
    """

    def __init__(
        self,
        url: str,
        *,
        folder: Path | None = None,
        root: Path | None = None,
        notice: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the URL; ReconcilerError for a folder in the checkout of the project in `root`."""
        try:
            self._remote = GitRemote.parse(url)
        except ValueError as error:
            raise ReconcilerError(f"spec.state {error}") from None
        _check_outside(self._remote, root)
        self.label = url
        self.lock_beside = None if folder is None else folder.parent / f"git-{sha256(url.encode()).hexdigest()[:12]}"
        """Where a run of this machine keeps the lock that the system releases when it ends."""
        self.watch = Watch(PACE)
        self.pace = PACE
        self._folder = folder
        self._root = root
        self._notice = notice
        self._opened: Mirror | None = None
        self._leased = False
        self._runs: dict[str, Mapping[str, str]] = {}
        self._lock = threading.RLock()
        """Held while the rows follow the remote, and during a push."""
        self._together: deque[int] = deque(maxlen=3)
        """How many transactions the last pushes held."""
        self._took = 0.0
        """Seconds that the last push took."""
        self._writes = Together(self._lock, self._lead, self._gather)

    @property
    def leased(self) -> bool:
        """Whether this process holds the lease, so that no other run writes what it reads."""
        return self._leased

    @leased.setter
    def leased(self, value: bool) -> None:
        self._leased = value
        self._mirror.fetched = None  # a claim does not prove that the branch is as it was before

    def read(self, work: Callable[[Connection], Result], empty: Result, *, since: int = FIRST) -> Result:
        """Run a transaction that only reads; return `empty` if there is no state yet, or one before version `since`."""
        try:
            mirror = self._mirror
            if not self._current():
                with self._lock:
                    if not self._current():
                        mirror.follow(time.monotonic() + PATIENCE)
            missing = not mirror.heads or (mirror.version is not None and mirror.version < since)
            return empty if missing else mirror.view.read(work)
        except (Damaged, DatabaseError, OSError) as error:
            raise self._error(error) from None
        except Unreachable as error:
            raise ReconcilerError(f"state {self.label}: {error.message}", hint=error.hint) from None

    def write(self, work: Callable[[Connection], Result], *, as_is: bool = False) -> Result:
        """Run a transaction, again if its push was refused or not confirmed: it must be idempotent.

        An older state is migrated first, unless `as_is` is set.
        """
        result: Result = self._writes.run(Job(work=work, as_is=as_is)).result
        return result

    def dead(self, held: Lease, moment: float) -> bool:
        """Return whether the holder of a lease is dead at `moment`."""
        return self.watch.dead(held, moment, ended=process_lock.ended(self.lock_beside, held.run_id))

    def alone(self, connection: Connection) -> None:
        """Do nothing: of two pushes that continue one commit, the remote refuses the second."""

    def backup(self, command: str, scope: dict[str, str]) -> Path | None:
        """Back up the rows of one scope; None if there is no state yet."""
        if self._folder is None:
            raise ReconcilerError(f"state {self.label}: no folder is set for its backup")
        folder = self._folder
        origin.check_inside(folder, self._root, hint="remove the link, so that backups are kept in the project")
        return self.read(lambda connection: backups.dump(connection, folder, command, scope), empty=None)

    def close(self) -> None:
        """Remove everything from this machine."""
        if self._opened is not None:
            self._opened.close()
        self._opened = None

    @property
    def _mirror(self) -> Mirror:
        if self._opened is None:
            self._opened = Mirror(self._remote, self.label)
        return self._opened

    def _error(self, error: BaseException) -> BaseException:
        """Return the error of a transaction in the words of a state; one that is a defect stays as it is."""
        if isinstance(error, Damaged):
            hint = (
                f"correct that file on the branch {self._remote.branch} with a commit; its history "
                f"shows who changed it: git log {self._remote.branch}"
            )
            return ReconcilerError(f"state {self.label}: {error.message}", hint=hint, code=error.code)
        if not isinstance(error, DatabaseError | sqlite3.Error | OSError):
            return error
        cause = getattr(error, "cause", None) or error
        return ReconcilerError(f"state {self.label}: {getattr(cause, 'strerror', None) or str(cause)}")

    def _current(self) -> bool:
        """Return whether the rows are as new as a read needs."""
        fetched = self._mirror.fetched
        return fetched is not None and (self._leased or time.monotonic() - fetched < AGE)

    def _lead(self, jobs: list[Job]) -> None:
        """Run the transactions that gathered."""
        try:
            self._commit(jobs)
        except (Damaged, DatabaseError, OSError) as error:
            self._fail(jobs, self._error(error))
        except Unreachable as error:
            self._fail(jobs, ReconcilerError(f"state {self.label}: {error.message}", hint=error.hint))
        except ReconcilerError as error:
            self._fail(jobs, error)

    def _gather(self) -> None:
        """Wait a little for other threads, if there were some: those that the last push released write again now."""
        if any(number > 1 for number in self._together):
            time.sleep(min(_LONGEST_GATHERING, self._took / 8))

    def _fail(self, jobs: Sequence[Job], error: BaseException) -> None:
        for job in jobs:
            job.error, job.done = error, True

    def _commit(self, jobs: Sequence[Job]) -> None:
        """Push what transactions change, until the remote confirms it or a rule of the remote forbids it."""
        began = time.monotonic()
        mirror, deadline, pause = self._mirror, began + PATIENCE, PAUSE
        tries: list[_Try] = []
        refusals = 0
        self._together.append(len(jobs))
        while (made := self._made(jobs, began, deadline)) is not None:
            tries.append(made)
            pushed = mirror.branch.push(made.commits)
            self._took = time.monotonic() - made.began
            if pushed.outcome == "done":
                older = mirror.version
                mirror.confirm(made.changes, made.commits)
                self._settle(jobs, made)
                if older is not None and older < (mirror.version or 0):
                    self._notice(f"Migrated the state from version {older} to {mirror.version}")
                return
            moved = mirror.follow(deadline)
            landed = next((item for item in tries if mirror.holds(item.commits)), None)
            if landed is not None and time.monotonic() - landed.began < PATIENCE:  # only its answer was lost
                self._settle(jobs, landed)  # later, the lease that it renewed may have ended: it runs again
                return
            refusals = 0 if moved else refusals + 1
            if refusals >= _REFUSALS or time.monotonic() >= deadline:
                raise mirror.branch.refusal(pushed.words) if refusals else self._busy()
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - so that two runs do not keep step
            pause = min(pause * 2, LONGEST_PAUSE)

    def _made(self, jobs: Sequence[Job], began: float, deadline: float) -> _Try | None:
        """Run transactions and make the commits of what they change; None where that is nothing.

        One that failed or changed nothing only counts on rows that were fetched after it was asked for.
        """
        mirror = self._mirror
        if mirror.fetched is None:
            mirror.follow(deadline)
        while True:
            changes = mirror.view.tried(jobs, first=self._check_version)
            contents = {path: None if row is None else files.written(row) for path, row in changes.files.items()}
            changed = {
                path: text
                for path, text in contents.items()
                if (None if text is None else files.digest(text)) != mirror.blobs.get(path)
            }
            proven = all(job.changed for job in jobs) and bool(changed or changes.leases)
            if proven or (mirror.fetched or 0.0) >= began:
                break
            mirror.follow(deadline)
        results = [(job.result, job.error) for job in jobs]
        outdated = (mirror.version or 0) < VERSION and any(not job.as_is and job.error is None for job in jobs)
        older = outdated and mirror.version is not None
        if not changed and not changes.leases and not older:
            self._settle(jobs, _Try(commits={}, changes=changes, results=results))
            return None
        drafts = []
        if changed or older:
            new = {**changed, files.FORMAT: files.written_format()} if outdated or not mirror.blobs else changed
            text = message({path: changes.files[path] for path in changed}, self._facts(changes))
            drafts.append(
                Draft(ref=mirror.branch.ref, parent=mirror.heads.get(mirror.branch.ref), files=new, message=text)
            )
        for scope, row in changes.leases.items():
            ref, before = mirror.branch.lease_ref(scope), mirror.view.lease(scope)
            drafts.append(
                Draft(
                    ref=ref,
                    parent=mirror.heads.get(ref),
                    files={files.LEASE: files.written_lease(row, scope)},
                    message=lease_message(row, before),
                )
            )
        return _Try(commits=mirror.branch.commit(drafts), changes=changes, results=results)

    def _check_version(self, connection: Connection, job: Job) -> None:
        """Raise Held where a run of an older version holds a lease in a state that this transaction migrates."""
        version = self._mirror.version
        if version is not None and version < VERSION and not job.as_is:
            moment = connection.moment()
            for lease in all_leases(connection):
                if not self.dead(lease, moment):
                    raise Held(lease)

    def _settle(self, jobs: Sequence[Job], made: _Try) -> None:
        for job, (result, error) in zip(jobs, made.results, strict=True):
            job.result, job.done = result, True
            job.error = None if error is None else self._error(error)

    def _busy(self) -> ReconcilerError:
        message = f"state {self.label}: the branch could not be written within {PATIENCE:g} s"
        hint = "the server is slow, or other projects write to the branch all the time: give each one its own branch"
        return ReconcilerError(message, hint=hint)

    def _facts(self, changes: Changes) -> Mapping[str, str]:
        """Return what is known of the run that writes."""
        noted = [row for path, row in changes.files.items() if row is not None and files.folder_of(path) == "runs"]
        self._runs |= {row["run_id"]: facts(row) for row in noted}
        leased = [row for row in changes.leases.values() if row is not None]
        run_id = next((str(row["run_id"]) for row in (*leased, *noted)), "")
        return self._runs.get(run_id, {"Run": run_id} if run_id else {})


def _check_outside(remote: GitRemote, root: Path | None) -> None:
    """Raise ReconcilerError for a repository among the files of the checkout: it can hold records, and hooks."""
    if remote.path is not None and root is not None and Reach.of(root).contains(remote.path):
        message = f"spec.state: the repository {remote.path} is in the checkout, so a pull request can change it"
        hint = "move it out of the checkout; the repository of the checkout itself is its folder .git"
        raise ReconcilerError(message, hint=hint)
