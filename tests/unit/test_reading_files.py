"""Files that somebody else may have put in place: regular ones are read, up to a limit; others are refused at once."""

import os
import stat

import pytest

from reconciler.files import read_regular


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
