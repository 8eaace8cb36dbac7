"""The demo is the first thing people run, and the smoke test: it must end well on its own, and clean up."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reconciler.cli.demo import stage
from reconciler.cli.demo.command import invocation
from reconciler.cli.demo.stage import Edit, Stage, _folded
from reconciler.cli.demo.story import BOOKED_MOVE, PULL_REQUEST, REVERTED
from reconciler.cli.main import run
from reconciler.errors import ReconcilerError
from reconciler.sandbox import Sandbox, credentials

EXAMPLE = Path(__file__).parents[2] / "examples" / "leisure-centre"
KEY_LINES = (
    "$ reconciler validate",
    "0 errors, 0 warnings.",
    "Plan: 61 to create.",
    "lines folded here; --show-all prints them)",
    "Applied 61.",
    "No changes. 61 objects match the live timetable.",
    "~ price: 6.50 → 6.95",
    "~ name: Pilates → Tuesday pilates",
    "~ slot Wed 5 May 2027, 16:00 (30 min) → Thu 6 May 2027, 16:30 (30 min)",
    "PUT /api/slots/",
    "all slots are replaced",
    "Plan: 1 to create, 4 to update, 1 to delete; 56 unchanged.",
    "Drift: 2 changed, 1 missing; 58 in sync.",
    "Applied 3; 58 unchanged.",
    "No drift detected. 61 objects match the last apply.",
    "moving 1 slot with bookings (Wed 12 May 2027, 16:35: 4 booked, 0 reserved)",
    "--allow-booked Session/learn-to-swim-stage-2",
    "(exit code 4: refused before the first write)",
    "Writing calls that the sandbox received: 0.",
    "+ BookingSession/kayak-trip · 1 item from Sat 5 Jun 2027  create",
    "Drift: 1 expired; 61 in sync.",
    "Its temporary folder is removed.",
    "To start your first timetable:",
)


def _demo(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the demo as a user does who has set nothing up."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BB_", "CF_", "RECONCILER"))}
    # A proxy that does not exist must not matter: nothing leaves this machine.
    settings = {"TMPDIR": str(scratch), "HTTP_PROXY": "http://127.0.0.1:9", "PYTHONUTF8": "1", **environment}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", "demo", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=kept | settings,
        timeout=120,
        check=False,
    )
    assert list(scratch.iterdir()) == [], "the demo left something in the temporary folder"
    return done


def _goes_on(folder: Path, lines: list[str]) -> None:
    """Run the commands that the demo ends with, as they are written, in the folder in which it ran."""
    init, serve, apply = (line.partition("#")[0].strip() for line in lines)
    assert [line.split()[1] for line in (init, serve, apply)] == ["init", "sandbox", "apply"]
    shell = {"cwd": folder, "shell": True, "capture_output": True, "text": True}
    subprocess.run(init, check=True, **shell)
    assert "--name" in subprocess.run(f"{serve} --help", check=True, **shell).stdout
    with Sandbox() as box:
        file = folder / "timetable" / "reconciler.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace("http://127.0.0.1:8700", box.url), encoding="utf-8")
        subprocess.run(f"{apply} --yes", check=True, env={**os.environ, **credentials(box.options)}, **shell)
        assert [item["name"] for item in box.sessions()] == ["First class"]


def test_plays_to_the_end_and_leads_to_a_first_timetable(tmp_path: Path) -> None:
    done = _demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert [line for line in KEY_LINES if line not in done.stdout] == []
    assert "\x1b" not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scratch"]
    lines = done.stdout.splitlines()
    _goes_on(tmp_path, lines[lines.index("To start your first timetable:") + 1 :])


def test_the_command_is_named_as_it_can_be_called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", str(bin_folder / "python"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    assert invocation() == f"{bin_folder}/python -m reconciler"
    (bin_folder / "reconciler").write_text("#!/bin/sh\n")
    (bin_folder / "reconciler").chmod(0o755)
    assert invocation() == ".venv/bin/reconciler"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert invocation() == f"{bin_folder}/reconciler"
    monkeypatch.setenv("PATH", str(bin_folder), prepend=os.pathsep)
    assert invocation() == "reconciler"
    with zipfile.ZipFile(tmp_path / "elsewhere/one.pyz", "w") as archive:
        archive.writestr("__main__.py", "")
    monkeypatch.setattr(sys, "argv", ["one.pyz", "demo"])
    assert invocation() == "./one.pyz"
    (bin_folder / "reconciler").write_bytes((tmp_path / "elsewhere/one.pyz").read_bytes())
    monkeypatch.setattr(sys, "argv", [str(bin_folder / "reconciler")])
    assert invocation() == "reconciler"


@pytest.mark.slow  # the whole demo once more
def test_shows_all_and_keeps_the_project_on_demand_and_needs_no_unicode(tmp_path: Path) -> None:
    done = _demo(
        tmp_path,
        "--show-all",
        "--keep",
        "project",
        RECONCILER_TODAY="2031-01-01",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "folded here" not in done.stdout
    assert "is new, but starts" not in done.stdout
    assert '+ Session/tea-dance "Tea dance" ' in done.stdout
    assert "~ price: 6.50 -> 6.95" in done.stdout
    assert done.stdout.isascii()
    assert "The project folder is kept." in done.stdout
    project = tmp_path / "project"
    assert (project / ".reconciler" / "state.db").is_file()
    assert (project / "reconciler.yaml").read_bytes() == (EXAMPLE / "reconciler.yaml").read_bytes()


def test_does_not_overwrite_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["demo", "--keep", str(tmp_path)]) == 64
    assert "not an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_says_what_to_install_where_the_sandbox_is_missing() -> None:
    # A process of its own, because a module that is hidden here would stay hidden for other tests.
    script = "import sys; sys.modules['uvicorn'] = None\nfrom reconciler.cli.main import run\nsys.exit(run(['demo']))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "error[RC0701]: the demo needs uvicorn, which is not installed" in done.stderr
    assert "pip install 'booking-reconciler[sandbox]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_gives_the_environment_and_the_folder_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BB_USERNAME", "somebody")
    monkeypatch.setenv("FORCE_COLOR", "1")
    before, here = dict(os.environ), Path.cwd()
    assert run(["demo", "--no-color"]) == 0, capsys.readouterr().err
    assert dict(os.environ) == before
    assert Path.cwd() == here
    assert "\x1b" not in capsys.readouterr().out


def test_an_unexpected_exit_code_ends_the_demo(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(stage, "recorded", lambda *_, **__: (3, "one\ntwo\nthree\nfour\n"))
    assert run(["demo"]) == 1
    captured = capsys.readouterr()
    assert "step 1 (Check the manifests): `reconciler validate` ended with exit code 3, not 0" in captured.err
    assert "four" in captured.out


def test_an_interrupt_ends_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "recorded", lambda *_, **__: (130, "Interrupted.\n"))
    assert run(["demo"]) == 130


def test_folding_is_honest() -> None:
    lines = [str(number) for number in range(10)]
    assert list(_folded(lines, None, 0)) == lines
    assert list(_folded(lines, 8, 1)) == lines, "one line is not worth a fold"
    assert list(_folded(lines, 2, 3)) == ["0", "1", "… (5 lines folded here; --show-all prints them)", "7", "8", "9"]


def test_edits_fit_the_example_and_can_be_reverted() -> None:
    texts: dict[str, str] = {}
    for edit in (*PULL_REQUEST, *BOOKED_MOVE, *REVERTED):
        file = EXAMPLE / edit.file
        before = texts.get(edit.file, file.read_text(encoding="utf-8") if file.exists() else "")
        texts[edit.file] = edit.applied_to(before)
        assert texts[edit.file] != before
    moved = BOOKED_MOVE[0].applied_to(texts[BOOKED_MOVE[0].file])
    assert REVERTED[0].applied_to(moved) == texts[BOOKED_MOVE[0].file]


def test_an_edit_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ReconcilerError, match="does not match the example"):
        Edit(file="x.yaml", at="nobody", before="a", after="b").applied_to("a")
    with pytest.raises(ReconcilerError, match="does not match the example"):
        Edit(file="x.yaml", before="z", after="b").applied_to("a")


def test_colours_reach_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        Stage(sandbox, color=True, show_all=False).step("Plan", "In plain words.")
    assert "\x1b[" in capsys.readouterr().out
