"""Files are read only if they are regular, and written whole or not at all."""

import os
import stat
import threading
from pathlib import Path

import pytest

from reconciler.files import check_writable, read_regular, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"one", b"two"):
        write_whole(tmp_path / "out.json", content)
        assert (tmp_path / "out.json").read_bytes() == content
    assert names(tmp_path) == ["out.json"]


def test_a_private_file_is_for_its_owner_alone_whatever_was_there(tmp_path):
    file = tmp_path / "out.plan"
    file.write_bytes(b"old")
    file.chmod(0o644)
    write_whole(file, b"new", private=True, durable=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "out.json"
    file.write_bytes(b"old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"new", durable=True)
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["out.json"]


@pytest.mark.parametrize("follow", [True, False])
def test_a_link_is_kept_or_replaced_as_asked(tmp_path, follow):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to("target")
    write_whole(link, b"new", follow_link=follow)
    assert link.is_symlink() is follow
    assert (link.read_bytes(), target.read_bytes()) == (b"new", b"new" if follow else b"old")


def test_a_link_to_a_file_that_does_not_exist_yet_makes_that_file(tmp_path):
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"new", private=True)
    reader.join(10)
    assert read == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("check", [check_writable, lambda path: write_whole(path, b"new")])
def test_what_cannot_be_written_is_an_error(tmp_path, check):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / "missing" / "out", Path("/"), Path("..")):
        with pytest.raises(OSError, match=r"folder|No such"):
            check(path)
    assert names(tmp_path) == ["folder"]


def test_a_check_leaves_everything_as_it_is(tmp_path):
    (tmp_path / "there").write_bytes(b"old")
    for name in ("there", "new"):
        check_writable(tmp_path / name)
    check_writable(Path(os.devnull))
    assert names(tmp_path) == ["there"]
    assert (tmp_path / "there").read_bytes() == b"old"
    assert not Path("/dev/.null.partial").exists()


def test_no_more_than_the_limit_is_read(tmp_path):
    file = tmp_path / "f"
    file.write_bytes(b"0123456789")
    assert read_regular(file, 4)[0] == b"0123"
    assert read_regular(str(file), 100)[0] == b"0123456789"


def test_the_mode_is_that_of_the_file_behind_a_link(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    (tmp_path / "f").chmod(0o640)
    (tmp_path / "link").symlink_to("f")
    _, mode = read_regular(tmp_path / "link", 1)
    assert stat.S_ISREG(mode)
    assert stat.S_IMODE(mode) == 0o640


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_may_never_end_is_refused(tmp_path, kind):
    path = tmp_path / "f"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match=r"regular|directory"):
        read_regular(path, 10)


def test_a_pipe_that_the_shell_passed_is_read():
    reader, writer = os.pipe()
    try:
        os.write(writer, b"piped")
        assert read_regular(f"/dev/fd/{reader}", 5)[0] == b"piped"
    finally:
        os.close(reader)
        os.close(writer)
