"""Files are read only if they are regular, and written whole or not at all."""

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from other_user import open_folder

from reconciler.files import check_writable, read_regular, write_whole

as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become another user")


def child(code):
    """Run code in another process and return its errors."""
    head = "from pathlib import Path\nfrom reconciler.files import check_writable, write_whole\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, timeout=60, check=False
    ).stderr


def as_nobody(code):
    """Run code as a user without rights; what it imports is loaded before, as root."""
    return child(f"import os, errno\nos.setgid(65534)\nos.setuid(65534)\n{code}")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path):
    for content in (b"one", b"two"):
        write_whole(tmp_path / "out.json", content)
        assert (tmp_path / "out.json").read_bytes() == content
    assert names(tmp_path) == ["out.json"]


def test_a_new_file_has_the_mode_of_the_umask_unless_it_is_private(tmp_path):
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "open", b"x")
        write_whole(tmp_path / "closed", b"x", private=True, durable=True)
    finally:
        os.umask(before)
    assert (mode_of(tmp_path / "open"), mode_of(tmp_path / "closed")) == (0o640, 0o600)


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o660, 0o664])
def test_a_file_keeps_its_mode(tmp_path, mode, private):
    file = tmp_path / "out.plan"
    file.write_bytes(b"old")
    file.chmod(mode)
    write_whole(file, b"new", private=private)
    assert (file.read_bytes(), mode_of(file)) == (b"new", mode)


@as_root
def test_a_file_keeps_its_owner_and_group(tmp_path):
    file = tmp_path / "out"
    file.write_bytes(b"old")
    os.chown(file, 1234, 4321)
    write_whole(file, b"new")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_a_file_with_two_names_keeps_both(tmp_path):
    (tmp_path / "one").write_bytes(b"something longer")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    write_whole(tmp_path / "two", b"new")
    assert (tmp_path / "one").read_bytes() == b"new"
    assert (tmp_path / "one").samefile(tmp_path / "two")


@as_root
@pytest.mark.parametrize(
    ("rights", "file", "fine"), [(0o555, 0o666, True), (0o777, 0o444, False), (0o555, 0o444, False)]
)
def test_what_a_user_may_write_is_written_and_nothing_else(rights, file, fine):
    with open_folder() as place:
        (place / "out").write_bytes(b"old, and longer")
        (place / "out").chmod(file)
        place.chmod(rights)
        for check in ("check_writable(path)", "write_whole(path, b'new')"):
            said = as_nobody(f"path = Path({str(place / 'out')!r})\n{check}")
            assert ("PermissionError" in said) is not fine, said
        assert (place / "out").read_bytes() == (b"new" if fine else b"old, and longer")
        assert names(place) == ["out"]


@pytest.mark.parametrize("failing", ["write", "fsync", "rename"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    file = tmp_path / "out.json"
    file.write_bytes(b"old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    if failing == "rename":
        monkeypatch.setattr(Path, "replace", full)
    else:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"new", durable=True)
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["out.json"]


def test_a_write_beyond_the_size_limit_of_files_leaves_nothing(tmp_path):
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write_whole(Path({str(tmp_path / "out")!r}), b"x" * 5000)
"""
    assert "File too large" in child(code)
    assert names(tmp_path) == []


def test_short_writes_go_on(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda number, data: real(number, bytes(data)[:3]))
    write_whole(tmp_path / "out", b"0123456789")
    assert (tmp_path / "out").read_bytes() == b"0123456789"


def test_a_pipe_that_is_full_for_a_while_gets_everything():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    content, got = os.urandom(300_000), bytearray()

    def read():
        while len(got) < len(content):
            got.extend(os.read(reader, 65536))

    thread = threading.Thread(target=read)
    thread.start()
    write_whole(Path(f"/dev/fd/{writer}"), content)
    thread.join(60)
    os.close(reader)
    os.close(writer)
    assert bytes(got) == content


def test_a_link_is_followed(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "target").write_bytes(b"old")
    (tmp_path / "between").symlink_to("sub/target")
    (tmp_path / "link").symlink_to(tmp_path / "between")
    write_whole(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "between").is_symlink()
    assert (tmp_path / "sub" / "target").read_bytes() == b"new"
    assert names(tmp_path / "sub") == ["target"]


@pytest.mark.parametrize("use", [check_writable, lambda path: write_whole(path, b"new")])
def test_links_in_a_circle_are_an_error_and_stay(tmp_path, use):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        use(tmp_path / "a")
    assert names(tmp_path) == ["a", "b"]


@as_root
@pytest.mark.parametrize("linked", [False, True])
def test_a_device_stays_one(tmp_path, linked):
    device = tmp_path / "null"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    path = tmp_path / "link" if linked else device
    if linked:
        path.symlink_to(device)
    before = names(tmp_path)
    check_writable(path)
    write_whole(path, b"new", private=True)
    assert stat.S_ISCHR(device.stat().st_mode)
    assert names(tmp_path) == before


def test_a_socket_in_the_file_system_stays_one(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(OSError, match=r"[Nn]o such device"):
            write_whole(tmp_path / "s", b"new")
    assert stat.S_ISSOCK((tmp_path / "s").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_an_open_file_is_continued_where_the_shell_left_it(tmp_path, name):
    with (tmp_path / "log").open("ab") as log:
        log.write(b"before\n")
        log.flush()
        path = Path(name.format(log.fileno()))
        if name == "link":
            path = tmp_path / "link"
            path.symlink_to(f"/dev/fd/{log.fileno()}")
        check_writable(path)
        write_whole(path, b"new\n")
        log.write(b"after\n")
    assert (tmp_path / "log").read_bytes() == b"before\nnew\nafter\n"


def test_a_socket_that_is_open_is_written_to():
    one, two = socket.socketpair()
    with one, two:
        write_whole(Path(f"/dev/fd/{one.fileno()}"), b"new")
        assert two.recv(10) == b"new"


def test_an_open_file_that_only_reads_cannot_be_written():
    reader, writer = os.pipe()
    try:
        for use in (check_writable, lambda path: write_whole(path, b"new")):
            with pytest.raises(OSError, match="Bad file"):
                use(Path(f"/dev/fd/{reader}"))
    finally:
        os.close(reader)
        os.close(writer)


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    name = "n" * 255
    write_whole(tmp_path / name, b"new")
    assert names(tmp_path) == [name]


def test_writers_at_one_time_leave_the_whole_of_one_of_them(tmp_path):
    contents = [bytes([65 + number]) * 400_000 for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda content: write_whole(tmp_path / "out", content), contents))
    assert (tmp_path / "out").read_bytes() in contents
    assert names(tmp_path) == ["out"]


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
    reader.join(60)
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
    assert [name for name in names(Path("/dev")) if name.endswith(".partial")] == []


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


def write_at_once(file, contents, rounds):
    """Write each content to one file again and again, from a process of its own; return what failed."""
    code = f"""
import sys
path, content = Path({str(file)!r}), sys.argv[1].encode() * 300_000
for _ in range({rounds}):
    check_writable(path)
    write_whole(path, content, private=True)
"""
    head = "from pathlib import Path\nfrom reconciler.files import check_writable, write_whole\n"
    started = [
        subprocess.Popen([sys.executable, "-c", head + code, content], stderr=subprocess.PIPE, text=True)
        for content in contents
    ]
    return [process.communicate(timeout=120)[1] for process in started]


@pytest.mark.parametrize("before", [None, "file", "link", "hard link"])
def test_of_two_runs_that_write_one_file_each_leaves_it_whole(tmp_path, before):
    file = tmp_path / "out.json"
    if before is not None:
        (tmp_path / "first").write_bytes(b"old")
        (tmp_path / "first").chmod(0o640)
    if before == "file":
        (tmp_path / "first").rename(file)
    elif before == "link":
        file.symlink_to("first")
    elif before == "hard link":
        file.hardlink_to(tmp_path / "first")
    there = names(tmp_path)
    assert write_at_once(file, "ab", 40) == ["", ""]
    assert file.read_bytes() in {b"a" * 300_000, b"b" * 300_000}
    assert mode_of(file) == (0o600 if before is None else 0o640)
    assert names(tmp_path) == (there or ["out.json"])


@pytest.mark.parametrize("links", [0, 1])
def test_a_file_that_another_run_replaces_at_this_moment_is_replaced_too(tmp_path, monkeypatch, links):
    """What is there may have no name any more when it is looked at; the next one must not be emptied."""
    file = tmp_path / "out"
    file.write_bytes(b"of the other run")
    kept = file.open("rb")
    found = os.stat_result([*file.stat()[:3], links, *file.stat()[4:]])
    monkeypatch.setattr("reconciler.files._target", lambda path: (path, found))
    write_whole(file, b"new")
    assert (kept.read(), file.read_bytes()) == (b"of the other run", b"new")
    kept.close()


def test_a_file_or_link_with_the_name_of_an_unfinished_one_is_not_written(tmp_path, monkeypatch):
    (tmp_path / "victim").write_bytes(b"mine")
    taken = [b"\1" * 8, b"\2" * 8]
    (tmp_path / f".out.{taken[0].hex()}.partial").symlink_to("victim")
    (tmp_path / f".out.{taken[1].hex()}.partial").write_bytes(b"mine")
    random = iter([*taken, b"\3" * 8])
    monkeypatch.setattr(os, "urandom", lambda _: next(random))
    write_whole(tmp_path / "out", b"new", private=True)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert (tmp_path / "victim").read_bytes() == b"mine"
    assert (tmp_path / f".out.{taken[1].hex()}.partial").read_bytes() == b"mine"


def test_what_a_killed_run_left_is_removed_and_what_a_running_one_writes_is_not(tmp_path):
    for name, age in ((".out.json.00.partial", 7200), (".out.json.01.partial", 5), (".other.02.partial", 7200)):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    (tmp_path / ".out.json.03.partial").symlink_to("nowhere")
    check_writable(tmp_path / "out.json")
    assert names(tmp_path) == [".other.02.partial", ".out.json.01.partial", ".out.json.03.partial"]


def test_a_file_is_written_in_pieces_whole_or_not_at_all(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("old", encoding="utf-8")
    many = [b"a" * 50_000, b"b", b"", b"c" * 70_000]
    write_whole(file, lambda: many)
    assert file.read_bytes() == b"".join(many)

    def broken():
        yield b"new" * 100_000
        raise OSError(5, "gone")

    with pytest.raises(OSError, match="gone"):
        write_whole(file, broken)
    assert file.read_bytes() == b"".join(many)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_file_that_cannot_be_replaced_gets_the_pieces_once_more(tmp_path, monkeypatch):
    file = tmp_path / "page.html"
    file.write_text("old", encoding="utf-8")

    def busy(self, target):
        raise OSError(errno.EBUSY, "busy", str(self), None, str(target))

    monkeypatch.setattr(Path, "replace", busy)
    write_whole(file, lambda: iter([b"one ", b"two"]))
    assert file.read_bytes() == b"one two"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_file_that_cannot_be_replaced_stays_as_it_is_where_its_pieces_fail(tmp_path):
    file, other = tmp_path / "page.html", tmp_path / "same.html"
    file.write_text("old", encoding="utf-8")
    other.hardlink_to(file)  # so that it is written in place

    def broken():
        yield b"new" * 100_000
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_whole(file, broken)
    assert other.read_text(encoding="utf-8") == "old"
