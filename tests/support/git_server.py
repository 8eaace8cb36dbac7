"""A Git remote on disk and over HTTP on loopback, by git's own server program, that can lose answers."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from repository import git

BRANCH = "reconciler-state"


@dataclass(frozen=True)
class Remote:
    """A bare repository that only tests look into."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Remote:
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--bare")
        return cls(folder)

    @property
    def url(self) -> str:
        return f"git+file://{self.folder}#{BRANCH}"

    @property
    def heads(self) -> dict[str, str]:
        lines = git(self.folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split() for line in lines)

    def log(self, ref: str = BRANCH, form: str = "%H") -> list[str]:
        return git(self.folder, "log", f"--format={form}", ref).splitlines()

    def files(self, ref: str = BRANCH) -> list[str]:
        return git(self.folder, "ls-tree", "-r", "--name-only", ref).splitlines()

    def text(self, path: str, ref: str = BRANCH) -> str:
        return git(self.folder, "show", f"{ref}:{path}")

    def commit(self, path: str, content: str | None, *, ref: str = BRANCH) -> None:
        """Commit one file as a person would; None deletes it."""
        parent = self.heads.get(f"refs/heads/{ref}")
        lines = git(self.folder, "ls-tree", "-r", ref).splitlines() if parent else []
        kept = [line for line in lines if line.partition("\t")[2] != path]
        if content is not None:
            blob = git(self.folder, "hash-object", "-w", "--stdin", given=content)
            kept.append(f"100644 blob {blob}\t{path}")
        index = {"GIT_INDEX_FILE": str(self.folder / "test-index")}
        (self.folder / "test-index").unlink(missing_ok=True)
        git(self.folder, "update-index", "--add", "--index-info", given="\n".join(kept) + "\n", **index)
        options = ["-p", parent] if parent else []
        made = git(self.folder, "commit-tree", "-m", "By hand", *options, git(self.folder, "write-tree", **index))
        git(self.folder, "update-ref", f"refs/heads/{ref}", made)

    def audited(self) -> int:
        """Assert that the history is whole and has one line, and return its length."""
        git(self.folder, "fsck", "--strict")
        assert git(self.folder, "rev-list", "--merges", "--all") == ""
        assert len(git(self.folder, "rev-list", "--max-parents=0", BRANCH).splitlines()) == 1
        return len(self.log())

    def hook(self, name: str, script: str) -> None:
        path = self.folder / "hooks" / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)


@dataclass
class Served:
    """A remote over HTTP."""

    remote: Remote
    port: int
    lose: Callable[[str], bool] = lambda _: False
    """Called after a request was executed, with its path: whether the connection is cut instead of an answer."""
    status: int | None = None
    """The status of every answer, instead of git's own."""
    asked: list[str] = field(default_factory=list)
    """The paths of all requests."""

    @property
    def url(self) -> str:
        return f"git+http://127.0.0.1:{self.port}/{self.remote.folder.name}#{BRANCH}"


@contextmanager
def served(remote: Remote) -> Iterator[Served]:
    """Serve a remote while the block runs."""
    git(remote.folder, "config", "http.receivepack", "true")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    state = server.state = Served(remote, server.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        state: Served = self.server.state  # type: ignore[attr-defined]
        path, _, query = self.path.partition("?")
        state.asked.append(path)
        facts = {
            "GIT_PROJECT_ROOT": str(state.remote.folder.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        command = ["git", "-c", "safe.directory=*", "http-backend"]
        done = subprocess.run(command, env={**os.environ, **facts}, input=body, capture_output=True, check=False)
        if state.lose(path):
            self.close_connection = True
            self.connection.close()
            return
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int(fields.pop("Status", "200 OK").split()[0])
        self.send_response(state.status or status)
        if state.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
