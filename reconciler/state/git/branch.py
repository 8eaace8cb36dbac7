"""The branch of a state and the refs of its leases, on a remote: what they point to, their files, new commits, pushes.

A push is never forced: the remote itself refuses one whose parent is not what the ref points to. Two refs are pushed
together or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from time import time
from typing import Literal

from msgspec import Struct

from reconciler.errors import ReconcilerError
from reconciler.git_remote import GitRemote
from reconciler.state.git.command import FIRST_LIMIT, LIMIT, Answer, Git
from reconciler.state.git.files import LARGEST, LEASE
from reconciler.state.rows import Damaged

AUTHOR = "reconciler <reconciler@localhost>"

Heads = Mapping[str, str]
"""The commits of refs, by the name of the ref. A ref that is not there has none."""

_HEADS = "refs/heads/"

_NEW = "refs/new/"
_KNOWN = "refs/known/"

_FILE = "100644"

_ADVICE: Mapping[tuple[str, ...], str] = {
    ("not appear to be a git repository", "not found", "does not exist"): (
        "check that the repository exists and spec.state names it; git can make one in a folder: git init --bare FOLDER"
    ),
    ("could not read Username", "Authentication failed", "terminal prompts disabled", "Permission denied (publickey"): (
        "git found no credentials that the server accepts: give it a credential helper or an SSH key; "
        "in a pipeline, the token of the checkout needs the right to write contents"
    ),
    ("does not support --atomic",): (
        "the server must support atomic pushes, so that a run that lost its lease cannot write: use another forge, "
        "or a bare repository that is served by git itself"
    ),
    ("protected branch", "hook declined", "GH006", "GH013"): (
        "the rules of the forge must let this user push to the branch of the state and to the branches below its "
        "-lock folder, without a pull request or a review"
    ),
    ("denied", "error: 403", "read-only", "not allowed to push", "insufficient permission"): (
        "this user may only read the repository: give it the right to write contents"
    ),
    ("redirect", "error: 30"): "write the address that the server redirects to into spec.state",
    ("dubious ownership",): ("the folder belongs to another user: git config --global --add safe.directory FOLDER"),
    ("object format", "hash algorithm"): "the repository must use SHA-1: git init --bare --object-format=sha1",
}
"""What git and forges say, and what to do then."""

_NAMED = re.compile(r"'[^']*'|\"[^\"]*\"|(?<=hostname )\S+|(?<=host )\S+")
"""Where git and ssh quote a name: an address, a repository, a branch."""

_OTHERWISE = "check spec.state, that the server is reachable, and that git can push there with the credentials it has"


class Unreachable(ReconcilerError):
    """The remote could not be asked, or gave no answer."""


class Draft(Struct, frozen=True, kw_only=True):
    """A commit that is to be made."""

    ref: str
    parent: str | None
    files: Mapping[str, bytes | None]
    """The new content of files; None for one that is deleted."""
    message: str


class Pushed(Struct, frozen=True, kw_only=True):
    """What became of a push."""

    outcome: Literal["done", "refused", "unclear"]
    """`unclear`: there was no answer, so that it may have had its effect."""
    words: str


class Branch:
    """The refs of one state."""

    def __init__(self, remote: GitRemote) -> None:
        self._remote = remote
        self._git = Git(remote.scheme)
        self._fetched: dict[str, str] = {}
        self.name = remote.branch
        self.ref = f"{_HEADS}{remote.branch}"
        self._leases = f"{self.ref}-lock/"

    def lease_ref(self, scope: str) -> str:
        """Return the ref of the lease of a project and environment."""
        return f"{self._leases}{scope}"

    def scope_of(self, ref: str) -> str:
        """Return the project and environment of the ref of a lease."""
        return ref.removeprefix(self._leases)

    def heads(self) -> Heads:
        """Ask the remote where the refs of the state are; Unreachable if it does not say so."""
        answer = self._git.run("ls-remote", "--refs", "--", self._remote.url, self.ref, f"{self._leases}*")
        if answer.code:
            raise self._trouble("read", answer.words)
        found = (line.split("\t", 1) for line in answer.out.decode("utf-8", "replace").splitlines() if "\t" in line)
        return {ref: commit for commit, ref in found if ref == self.ref or ref.startswith(self._leases)}

    def fetch(self, heads: Heads) -> None:
        """Get the commits that refs point to; Unreachable also where one of them was replaced meanwhile.

        Of a ref that is new here only its last commit is needed, of the others everything since the one before.
        """
        missing = {ref: commit for ref, commit in heads.items() if self._fetched.get(ref) != commit}
        first = [ref for ref in missing if ref not in self._fetched]
        for refs, depth in ((first, ["--depth=1"]), ([ref for ref in missing if ref not in first], [])):
            if refs:
                wanted = [f"+{missing[ref]}:{_KNOWN}{ref.removeprefix(_HEADS)}" for ref in refs]
                options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", *depth]
                limit = FIRST_LIMIT if depth else LIMIT
                answer = self._git.run("fetch", *options, "--", self._remote.url, *wanted, limit=limit)
                if answer.code:
                    raise self._trouble("read", answer.words)
                self._fetched |= {ref: missing[ref] for ref in refs}

    def files(self, commit: str) -> Mapping[str, str]:
        """Return the ids of the contents of all files of a commit, by path; Damaged for what is no plain file."""
        answer = self._local("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
        found = {}
        for entry in answer.out.decode("utf-8", "surrogateescape").split("\0"):
            facts, _, path = entry.partition("\t")
            if path:
                mode, kind, blob, size = facts.split()
                found[path] = blob if kind == "blob" and mode.startswith("100") else ""
                if size.isdecimal() and int(size) > LARGEST:
                    raise Damaged(f"the file {path} has more than {LARGEST // 1024**2} MB")
        return found

    def contents(self, names: Sequence[str]) -> list[bytes]:
        """Return the contents of files, each named by its id or as COMMIT:PATH; Damaged where there is none."""
        if not names:
            return []
        answer = self._local("cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
        return list(_batch(answer.out, names))

    def lease_at(self, commit: str) -> str:
        """Return the name of the file with the lease in a commit of its ref."""
        return f"{commit}:{LEASE}"

    def commit(self, drafts: Sequence[Draft]) -> Heads:
        """Make commits in our own repository; return them by their refs."""
        stream: list[bytes] = []
        for number, draft in enumerate(drafts, start=1):
            message = draft.message.encode()
            stream.append(f"commit {_NEW}{number}\nmark :{number}\ncommitter {AUTHOR} {int(time())} +0000\n".encode())
            stream.append(b"data %d\n%b\n" % (len(message), message))
            if draft.parent is not None:
                stream.append(f"from {draft.parent}\n".encode())
            for path, content in sorted(draft.files.items(), key=lambda item: item[1] is not None):
                if content is None:
                    stream.append(f"D {path}\n".encode())
                else:
                    stream.append(f"M {_FILE} inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
            stream.append(f"\nget-mark :{number}\n".encode())
        # Not about the remote: the refs of a draft in our own repository point to the draft before it.
        answer = self._local("fast-import", "--quiet", "--force", "--date-format=raw", given=b"".join(stream))
        made = answer.out.decode("ascii", "replace").split()
        return {draft.ref: commit for draft, commit in zip(drafts, made, strict=True)}

    def push(self, commits: Heads) -> Pushed:
        """Make all refs point to their commits, or none: only where each commit continues what its ref points to."""
        options = ["--porcelain", "--atomic", "--no-verify", "--no-signed", "--no-follow-tags"]
        wanted = [f"{commit}:{ref}" for ref, commit in commits.items()]
        answer = self._git.run("push", *options, "--", self._remote.url, *wanted)
        if not answer.code:
            self._fetched |= commits
            return Pushed(outcome="done", words="")
        lines = [line.split("\t") for line in answer.out.decode("utf-8", "replace").splitlines()]
        reasons = sorted({line[2] for line in lines if line[0] == "!" and len(line) > 2})  # noqa: PLR2004
        if reasons and not answer.late:
            return Pushed(outcome="refused", words="; ".join(filter(None, (*reasons, answer.words))))
        for ref in commits:  # it may be there: then what came after it tells whether it is
            self._fetched.setdefault(ref, "")
        return Pushed(outcome="unclear", words=answer.words)

    def contains(self, head: str, commit: str) -> bool:
        """Return whether a commit is `head`, or one of those before it."""
        return head == commit or self._git.run("merge-base", "--is-ancestor", commit, head).code == 0

    def refusal(self, words: str) -> ReconcilerError:
        """Return the error for a push that the remote refuses."""
        return self._trouble("write", words)

    def close(self) -> None:
        """Remove our own repository."""
        self._git.close()

    def _local(self, *arguments: str, given: bytes = b"") -> Answer:
        answer = self._git.run(*arguments, given=given)
        if answer.code:
            hint = "check the space in the folder of temporary files, and the version of git (2.34 or newer)"
            raise ReconcilerError(f"git {arguments[0]} failed: {answer.words}", hint=hint)
        return answer

    def _trouble(self, aim: str, words: str) -> Unreachable:
        gits_own = _NAMED.sub("", words.replace(self._remote.url, ""))  # a name may hold any of the marks
        hint = next((hint for marks, hint in _ADVICE.items() if any(mark in gits_own for mark in marks)), _OTHERWISE)
        return Unreachable(f"cannot {aim} the branch {self._remote.branch}: {words or 'git gave no reason'}", hint=hint)


def _batch(out: bytes, names: Sequence[str]) -> Iterator[bytes]:
    """Read the answer of `cat-file --batch`."""
    place = 0
    for name in names:
        end = out.index(b"\n", place)
        facts = out[place:end].split()
        if len(facts) != 3 or facts[1] != b"blob":  # noqa: PLR2004 - id, kind, size
            raise Damaged(f"git has no file {name}")
        size = int(facts[2])
        yield out[end + 1 : end + 1 + size]
        place = end + 1 + size + 1
