"""What newcomers get wrong: each row of newcomer_mistakes.yaml is run, and says its place and its fix."""

from __future__ import annotations

import shlex
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import trustme
import yaml
from desk import Desk

from reconciler.sandbox import Sandbox
from reconciler.state.lease import hold
from reconciler.state.store import Store

TABLE = yaml.safe_load(Path(__file__).with_name("newcomer_mistakes.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tls():
    """The port of a server that speaks TLS, with a certificate of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, suppress(OSError):
                        context.wrap_socket(client, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextmanager
def in_another_terminal(row: dict, desk: Desk) -> Iterator[None]:
    """Hold the state lock of a project, where a row says so."""
    if not row.get("locked"):
        yield
        return
    (desk.folder / ".reconciler").mkdir()
    with (
        closing(Store(f"sqlite:///{desk.folder}/.reconciler/state.db", project="studio")) as store,
        hold(store, run_id="first"),
    ):
        yield


def studio(folder: Path, box: Sandbox, tls: int, row: dict) -> Desk:
    """Lay out the project of the table with the mistake of a row."""
    folder.mkdir()
    box.reset()
    desk = Desk(folder, box)
    for name, text in TABLE["project"].items():
        (folder / name).write_text(text, encoding="utf-8")
    if "first" in row:
        desk.project(TABLE["project"]["reconciler.yaml"].replace("URL", box.url))
        desk.run(*shlex.split(row["first"]), code=0)
        desk.project(TABLE["project"]["reconciler.yaml"])
    for name, (old, new) in row.get("change", {}).items():
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, row
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    for name, text in row.get("write", {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    project = (folder / "reconciler.yaml").read_text(encoding="utf-8")
    desk.project(project.replace("URL", box.url).replace("PORT", box.url.rpartition(":")[2]).replace("TLS", str(tls)))
    for name, encoding in row.get("encode", {}).items():
        (folder / name).write_bytes((folder / name).read_text(encoding="utf-8").encode(encoding))
    for name in row.get("remove", ()):
        (folder / name).unlink()
    for name, other in row.get("rename", {}).items():
        (folder / name).rename(folder / other)
    for name, value in row.get("env", {}).items():
        desk.env.pop(name, None)
        desk.env |= {} if value is None else {name: value}
    return desk


def test_every_mistake_ends_with_its_exit_code_its_place_and_its_fix(tmp_path, box, tls):
    """A run fails with all rows that are not as the table says."""
    wrong = []
    for number, row in enumerate(row for topic in TABLE["topics"].values() for row in topic):
        desk = studio(tmp_path / str(number), box, tls, row)
        with in_another_terminal(row, desk):
            done = desk.run(*shlex.split(row["run"]))
        said = done.out + done.err
        expected = [row["fix"], *([f"{row['at']}: "] if "at" in row else [])]
        if done.code != row["exit"] or not all(words in said for words in expected):
            wrong.append(f"{row}\nended with {done.code}:\n{said}")
        if "then" in row:
            desk.run(*shlex.split(row["then"]), code=0)
    assert not wrong, "\n\n".join(wrong)
