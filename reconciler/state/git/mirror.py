"""What is known of a branch and its leases: their commits, the rows in them, and when the remote was last asked."""

from __future__ import annotations

import time
from collections.abc import Mapping

from reconciler.errors import ReconcilerError
from reconciler.git_remote import GitRemote
from reconciler.state.git import files
from reconciler.state.git.branch import Branch, Heads, Unreachable
from reconciler.state.git.view import Changes, View
from reconciler.state.rows import Damaged, Row
from reconciler.state.schema import FIRST, VERSION

PAUSE = 0.05

LONGEST_PAUSE = 2.0


class Mirror:
    """The remote as it was when it was last asked, and what pushes of this process have confirmed since."""

    def __init__(self, remote: GitRemote, label: str) -> None:
        self.branch = Branch(remote)
        self.view = View()
        self.heads: Heads = {}
        self.blobs: Mapping[str, str] = {}
        """The ids of the contents of the branch's files, by path."""
        self.version: int | None = None
        """The schema version of the branch; None where there is none."""
        self.fetched: float | None = None
        """When the rows were last known to be those of the remote, by our own clock."""
        self._label = label
        self._reached = False

    def follow(self, deadline: float) -> bool:
        """Make the rows those of the remote now; return whether anything there had moved.

        A remote that was reached before is asked again until the deadline.
        """
        pause = PAUSE
        while True:
            now = time.monotonic()
            try:
                heads = self.branch.heads()
                self.branch.fetch(heads)
                break
            except Unreachable:
                if not self._reached or now >= deadline:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._reached = True
        moved = heads != self.heads
        if moved:
            self._load(heads)
        self.fetched = now
        return moved

    def _load(self, heads: Heads) -> None:
        """Read what is new at `heads`, and change the rows only after all of it was understood."""
        head, known = heads.get(self.branch.ref), self.heads.get(self.branch.ref)
        blobs, version = self.blobs, self.version
        changed: dict[str, Row | None] = {}
        if head != known:
            blobs = self.branch.files(head) if head else {}
            version = self._version_at(blobs) if head else None
            changed = dict.fromkeys(path for path in self.blobs if path not in blobs and files.folder_of(path))
            new = [path for path, blob in blobs.items() if self.blobs.get(path) != blob and files.folder_of(path)]
            strange = next((path for path in new if not blobs[path] or not path.endswith(".json")), None)
            if strange is not None:
                raise Damaged(f"the file {strange} is not a plain file of a record")
            contents = self.branch.contents([blobs[path] for path in new])
            changed |= {path: files.read(path, content) for path, content in zip(new, contents, strict=True)}
        refs = [
            ref for ref in sorted({*heads, *self.heads} - {self.branch.ref}) if heads.get(ref) != self.heads.get(ref)
        ]
        there = [ref for ref in refs if ref in heads]
        contents = self.branch.contents([self.branch.lease_at(heads[ref]) for ref in there])
        scopes = {ref: self.branch.scope_of(ref) for ref in refs}
        leased = {
            **dict.fromkeys(scopes.values()),
            **{scopes[ref]: files.read_lease(scopes[ref], text) for ref, text in zip(there, contents, strict=True)},
        }
        self.view.replace(Changes(files=changed, leases=leased))
        self.heads, self.blobs, self.version = heads, blobs, version

    def _version_at(self, blobs: Mapping[str, str]) -> int:
        blob = blobs.get(files.FORMAT)
        if not blob:
            raise ReconcilerError(
                f"state {self._label}: the branch {self.branch.name} holds other things than a state; "
                f"it has no {files.FORMAT}",
                hint="name a branch that does not exist yet after the # of spec.state; the first apply creates it",
            )
        version = files.read_format(self.branch.contents([blob])[0])
        if not FIRST <= version <= VERSION:
            message = f"state {self._label} has schema version {version}; this version of reconciler supports {VERSION}"
            raise ReconcilerError(message, hint="use the version of reconciler that wrote the state, or a newer one")
        return version

    def confirm(self, changes: Changes, commits: Heads) -> None:
        """Take over what the remote has confirmed."""
        self.view.replace(changes)
        self.heads = {**self.heads, **commits}
        if self.branch.ref in commits:
            blobs = dict(self.blobs)
            for path, row in changes.files.items():
                blobs.pop(path, None)
                if row is not None:
                    blobs[path] = files.digest(files.written(row))
            blobs[files.FORMAT] = files.digest(files.written_format())
            self.blobs, self.version = blobs, VERSION

    def holds(self, commits: Heads) -> bool:
        """Return whether the remote has the commits of a push, both refs or none; the push may have had no answer."""
        ref, commit = next(iter(commits.items()))
        head = self.heads.get(ref)
        return head is not None and self.branch.contains(head, commit)

    def close(self) -> None:
        """Remove everything from this machine."""
        self.view.close()
        self.branch.close()
