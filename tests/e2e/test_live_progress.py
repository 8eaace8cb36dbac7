"""What moves while a run works: on a terminal, read as a person sees it, and as lines in a log."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest
from desk import COMMAND

from reconciler.cli.progress import _Step
from reconciler.model.traffic import Traffic
from reconciler.sandbox import Fault


class Terminal:
    """A command on a terminal of 24 rows, and what its screen shows."""

    def __init__(self, desk, *arguments, columns=100):
        self._screen = pyte.Screen(columns, 24)
        self._stream = pyte.ByteStream(self._screen)
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        unset = {name: value for name, value in desk.env.items() if name not in {"CI", "COLUMNS", "LINES", "NO_COLOR"}}
        env = {**unset, "TERM": "xterm-256color", "RECONCILER_PAGER": "cat"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=desk.folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)

    @property
    def lines(self):
        return [line.rstrip() for line in self._screen.display]

    @property
    def signs(self):
        """The state of each object that is shown: the first character of its row."""
        return [line.split()[0] for line in self.lines if line.startswith(("  ✗ R", "  ✓ R", "  → R", "  · R"))]

    def until(self, *words, signs=None):
        """Read until each of these words is on the screen, with these signs; no words: until the command ends.

        A screen arrives in several pieces, so what is looked at together is named here together.
        """
        deadline = time.monotonic() + 100

        def seen():
            said = all(any(word in line for line in self.lines) for word in words)
            return said and signs in (None, self.signs)

        while not words or not seen():
            assert time.monotonic() < deadline, "\n".join(self.lines)
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    self._stream.feed(os.read(self._ours, 65536))
                except OSError:  # the other end is closed
                    break
        assert not words or seen(), "\n".join(self.lines)

    def end(self):
        """Read to the end, and return the exit code. The screen is left as it was found."""
        self.until()
        os.close(self._ours)
        code = self.process.wait(timeout=60)
        assert not self._screen.cursor.hidden
        assert not any("Applying" in line or "Traceback" in line for line in self.lines), "\n".join(self.lines)
        return code


@pytest.fixture
def rooms(desk):
    def declare(number):
        for index in range(number):
            desk.declare("Resource", f"room-{index:02}", {"name": f"Room {index}"})
        return desk

    return declare


def test_an_interactive_apply_shows_each_object_and_leaves_the_report(rooms):
    desk = rooms(5)
    desk.box.fault(Fault(kind="status_before", status=422, match_method="POST", times=1))
    desk.box.fault(Fault(kind="hold", match_method="POST", after=1, times=None, seconds=25))
    terminal = Terminal(desk, "apply", "--yes", "--parallelism", "1")
    words = (
        "Applying 2/5 objects · 1 failed · 1 running",
        "room-00 failed: POST",
        "room-02 running",
        "room-04 waiting",
    )
    terminal.until(*words, signs=["✗", "✓", "→", "·", "·"])
    desk.box.clear_faults()
    assert terminal.end() == 3
    assert any("Applied 4, failed 1." in line for line in terminal.lines)


@pytest.mark.slow
def test_among_many_objects_those_that_run_and_failed_are_shown(rooms):
    desk = rooms(40)
    desk.box.fault(Fault(kind="status_before", status=422, match_method="POST", times=7))
    desk.box.fault(Fault(kind="hold", match_method="POST", times=None, seconds=25))
    terminal = Terminal(desk, "apply", "--yes", "--parallelism", "2", columns=60)
    terminal.until("Applying 7/40 objects · 7 failed · 2 running", signs=["✗"] * 5 + ["→"] * 2)
    assert not any("waiting" in line for line in terminal.lines)
    desk.box.clear_faults()
    assert terminal.end() == 3


def test_a_first_interrupt_cleans_the_screen_and_says_what_is_awaited(rooms):
    desk = rooms(5)
    desk.hold()
    terminal = Terminal(desk, "apply", "--yes", "--parallelism", "2")
    terminal.until("2 running")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("Stopping: finishing and recording 2 objects in flight (Resource/room-00, Resource/room-01)")
    assert not any("Applying" in line for line in terminal.lines)
    desk.box.clear_faults()
    assert terminal.end() == 130
    assert any("Interrupted. Applied " in line for line in terminal.lines)


@pytest.mark.slow
def test_a_second_interrupt_leaves_the_cursor_on_the_screen(rooms):
    desk = rooms(2)
    desk.hold()
    terminal = Terminal(desk, "apply", "--yes")
    terminal.until("2 running")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until("Stopping: ")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end() == -signal.SIGINT


def test_a_log_gets_a_line_now_and_then(rooms, monkeypatch):
    monkeypatch.setattr("reconciler.cli.progress.EVERY", 0.05)
    desk = rooms(3)
    real = _Step.line

    def line(step):
        said = real(step)
        if "0/3" in said:
            desk.box.clear_faults()
        return said

    monkeypatch.setattr(_Step, "line", line)
    desk.hold()
    done = desk.run("apply", "--yes", "--parallelism", "1", code=0)
    assert "Applying 0/3 objects · 1 running.\n" in done.err
    assert not set(done.err) & {"\r", "\x1b"}
    assert "Applying" not in desk.run("apply", "--yes", "--quiet", code=0).err


def test_a_step_says_its_rate_what_is_left_and_what_it_waits_for(monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    traffic = Traffic()
    step = _Step("Reading", traffic, None)
    read = traffic.counting(lambda fails: 1 / (not fails), 4)
    step._began -= 10
    assert read(False) == 1
    with contextlib.suppress(ZeroDivisionError):
        read(True)
    traffic.calls = 30
    with traffic.waiting("admin (rate limit)", 0.5), traffic.waiting("sessions (retry)", 4.3):
        expected = "Reading 2/4 objects · 3 calls/s · 10 s left · waiting for sessions (retry), 4 s"
        assert step.line() == expected
    assert _Step("Reading", traffic, None).line() == "Reading"
