"""The Git repository around a project, read without trusting it.

A checkout is input: its `.git/config` can name programs (hooks, filters, monitors) that Git starts. So Git never sees
it. It gets a separate folder in place of `.git`, with an empty configuration and the commit as HEAD, and only reads the
objects and the index of the checkout.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_ORIGIN = re.compile(r'^\s*\[remote "origin"\]([^\[]*)', re.MULTILINE)
_URL = re.compile(r"^\s*url\s*=\s*(\S+)\s*$", re.MULTILINE)

_LARGEST = 4 * 1024 * 1024
"""Bytes of a file of references at most."""

_MOST_REFS = 20_000
"""Loose references that are copied at most."""

_SHA256 = 64


class Entry(Struct, frozen=True, kw_only=True):
    """A file in a commit."""

    mode: str
    """Its type and permissions, as Git writes them."""
    oid: str
    """The id of its content."""

    @property
    def is_file(self) -> bool:
        """Whether it is a file: no symbolic link, and no submodule."""
        return self.mode.startswith("100")


class Git(Struct, frozen=True, kw_only=True):
    """Runs Git on a checkout, without its configuration."""

    program: str
    top: Path
    environ: Mapping[str, str]
    timeout: float
    """Seconds that one call may take."""

    def run(self, *arguments: str, stdin: bytes = b"") -> bytes | None:
        """Return what a command of Git prints; None where it fails."""
        command = [
            *(self.program, "--no-pager", "-c", "core.fsmonitor=", "-c", f"core.hooksPath={os.devnull}"),
            *arguments,
        ]
        try:
            done = subprocess.run(  # noqa: S603 - fixed commands; a name from the user follows --end-of-options
                command,
                check=False,
                cwd=self.top,
                env=self.environ,
                input=stdin,
                capture_output=True,
                timeout=self.timeout,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout if done.returncode == 0 else None

    def commit_of(self, name: str) -> str | None:
        """Return the commit that a branch, tag, id or another expression of Git names; None where there is none."""
        found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        text = (found or b"").decode("ascii", "replace").strip()
        return text if COMMIT.fullmatch(text) else None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the newest commit that two commits have in common; None where the history has none."""
        text = (self.run("merge-base", one, other) or b"").decode("ascii", "replace").strip()
        return text if COMMIT.fullmatch(text) else None

    def files(self, commit: str) -> dict[str, Entry] | None:
        """Return the files of a commit, by their path from the top; None where they cannot be read."""
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit)
        if listed is None:
            return None
        found = {}
        for line in listed.split(b"\0")[:-1]:
            head, _, path = line.partition(b"\t")
            mode, _, oid = head.decode("ascii").split(" ")
            found[os.fsdecode(path)] = Entry(mode=mode, oid=oid)
        return found

    def contents(self, oids: Iterable[str]) -> dict[str, bytes] | None:
        """Return the contents of files, by their ids; None where one cannot be read."""
        asked = list(dict.fromkeys(oids))
        printed = self.run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in asked).encode("ascii"))
        found: dict[str, bytes] = {}
        rest = memoryview(printed or b"")
        for oid in asked:
            head, _, _ = bytes(rest[:200]).partition(b"\n")
            parts = head.split(b" ")
            if parts[:2] != [oid.encode("ascii"), b"blob"]:
                return None
            begin, size = len(head) + 1, int(parts[2])
            found[oid] = bytes(rest[begin : begin + size])
            rest = rest[begin + size + 1 :]
        return found


class Checkout(Struct, frozen=True, kw_only=True):
    """A working tree of a repository."""

    top: Path
    """Its top folder."""
    git: Path
    """Its Git folder."""
    common: Path
    """The Git folder that it shares with other working trees."""

    def head(self) -> tuple[str | None, str | None]:
        """Return the reference that is checked out, and its commit; OSError or ValueError if that cannot be read."""
        head = _text(self.git / "HEAD")
        ref = head.removeprefix("ref: ") if head.startswith("ref: ") else None
        commit = self._resolved(ref) if ref is not None else head
        return ref, commit if commit is not None and COMMIT.fullmatch(commit) else None

    def remote(self) -> str | None:
        """Return the address of the remote `origin`; None where there is none."""
        config = self.common / "config"
        section = _ORIGIN.search(_text(config)) if config.is_file() else None
        found = _URL.search(section[1]) if section is not None else None
        return found[1] if found is not None else None

    def _resolved(self, ref: str) -> str | None:
        """Return the commit that a reference names, also where it is in the file of packed references."""
        if not ref.startswith("refs/") or ".." in ref.split("/"):
            return None
        for base in (self.git, self.common):
            if (base / ref).is_file():
                return _text(base / ref)
        packed = self.common / "packed-refs"
        lines = _text(packed).splitlines() if packed.is_file() else ()
        return next((line.partition(" ")[0] for line in lines if line.partition(" ")[2] == ref), None)

    @contextmanager
    def opened(self, commit: str, *, timeout: float, refs: bool = False) -> Iterator[Git]:
        """Yield what runs Git on it, with this commit as HEAD, and with `refs` its branches and tags.

        Without a program every command fails.
        """
        program = shutil.which("git")
        with tempfile.TemporaryDirectory(prefix="reconciler-") as text:
            own = Path(text)
            version = "1\n[extensions]\n\tobjectformat = sha256" if len(commit) == _SHA256 else "0"
            (own / "config").write_text(f"[core]\n\trepositoryformatversion = {version}\n", encoding="ascii")
            (own / "HEAD").write_text(f"{commit}\n", encoding="ascii")
            (own / "refs").mkdir()
            if refs:
                self._copy_references(own)
            environ = {
                **{name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMPDIR") if name in os.environ},
                "LC_ALL": "C",
                "HOME": text,
                "GIT_DIR": text,
                "GIT_WORK_TREE": str(self.top),
                "GIT_OBJECT_DIRECTORY": str(self.common / "objects"),
                "GIT_INDEX_FILE": str(self.git / "index"),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_OPTIONAL_LOCKS": "0",
                "GIT_NO_LAZY_FETCH": "1",
                "GIT_NO_REPLACE_OBJECTS": "1",
                "GIT_TERMINAL_PROMPT": "0",
            }
            absolute = program if program is not None and Path(program).is_absolute() else os.devnull
            yield Git(program=absolute, top=self.top, environ=environ, timeout=timeout)

    def _copy_references(self, own: Path) -> None:
        """Copy the branches and tags, and where the history of a shallow clone ends. Links are not followed."""
        for name in ("packed-refs", "shallow"):
            if (self.common / name).is_file():
                (own / name).write_text(_text(self.common / name) + "\n", encoding="utf-8", errors="surrogateescape")
        left = _MOST_REFS
        for folder, names, files in os.walk(self.common / "refs"):
            inside = own / Path(folder).relative_to(self.common)
            inside.mkdir(exist_ok=True)
            left -= len(files) + len(names)
            if left < 0:
                return
            for name in files:
                value = _text(Path(folder) / name)
                if COMMIT.fullmatch(value) or value.startswith("ref: refs/"):
                    (inside / name).write_text(f"{value}\n", encoding="utf-8", errors="surrogateescape")


def find_checkout(folder: Path) -> Checkout | None:
    """Return the working tree around a folder; None if there is none, OSError or ValueError if it cannot be read."""
    real = Path(os.path.realpath(folder))
    top = next((parent for parent in (real, *real.parents) if os.path.lexists(parent / ".git")), None)
    if top is None:
        return None
    git = top / ".git"
    if git.is_file():  # a worktree or a submodule
        git = top / _text(git).removeprefix("gitdir:").strip()
    shared = git / "commondir"
    return Checkout(top=top, git=git, common=git / _text(shared) if shared.is_file() else git)


def blob_id(content: bytes, like: str) -> str:
    """Return the id that Git gives a content, in the form of another id."""
    made = hashlib.sha256 if len(like) == _SHA256 else hashlib.sha1
    return made(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _text(file: Path) -> str:
    if not file.is_file() or file.stat().st_size > _LARGEST:
        message = f"{file} cannot be read"
        raise ValueError(message)
    return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
