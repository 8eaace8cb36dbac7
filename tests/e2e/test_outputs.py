"""Where output goes: files, pipes, devices, several at a time, and a stdout that cannot take it."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from combinations import first_quick
from desk import COMMAND, Done, until

BEYOND = "Yōga → 瑜伽"
"""A name that no 8-bit encoding holds."""

SHELL = shlex.join(COMMAND)


def shell(desk, script, **env):
    """Run a line of bash in which R is the command."""
    done = subprocess.run(
        ["/bin/bash", "-c", script.replace("R ", f"{SHELL} ")],
        cwd=desk.folder,
        env={**desk.env, **env},
        capture_output=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    said = Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    assert "internal error" not in said.out + said.err, said
    assert "Traceback" not in said.out + said.err, said
    assert "Exception ignored" not in said.err, said
    return said


def kept(desk):
    return sorted(path.name for path in desk.folder.iterdir() if path.name.endswith(".partial"))


@pytest.fixture
def applied(desk):
    desk.session(name=BEYOND)
    desk.run("apply", "--yes", code=0)
    return desk


def test_several_outputs_take_their_format_from_their_ending(applied):
    applied.session(name=BEYOND, price=40)
    names = ["plan.md", "plan.json", "plan.HTML", "plan.txt"]
    options = [word for name in names for word in ("--output", name)]
    done = applied.run("plan", *options, "--output", "-", code=0)
    assert (applied.folder / "plan.txt").read_text(encoding="utf-8") == done.out
    for form, name in zip(("markdown", "json", "html", "text"), names, strict=True):
        shown = applied.run("plan", "--format", form, code=0).out
        assert (applied.folder / name).read_text(encoding="utf-8") == shown


@pytest.mark.parametrize("command", [["apply", "--yes"], ["drift"], ["destroy", "--yes"]])
def test_a_report_goes_to_all_its_outputs_too(applied, command):
    applied.run(*command, "--output", "r.json", "--output", "r.md", "--output", "-", code=0)
    assert json.loads((applied.folder / "r.json").read_text(encoding="utf-8"))["format_version"] == "1.0"
    assert (applied.folder / "r.md").read_text(encoding="utf-8").startswith("#")


def test_a_single_output_keeps_the_format_that_is_stated(applied):
    applied.run("drift", "--format", "json", "--output", "drift.txt", code=0)
    assert json.loads((applied.folder / "drift.txt").read_text(encoding="utf-8"))
    applied.run("drift", "--output", "drift.log", code=0)
    assert "No drift" in (applied.folder / "drift.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["plan", "--output", "a.json", "--output", "b.xml"], "b.xml"),
        (["plan", "--output", "a.json", "--output", "./a.json"], "two outputs"),
        (["plan", "--output", "-", "--output", "-"], "two outputs"),
        (["plan", "--output", "p", "--out", "p"], "two outputs"),
        (["plan", "--format", "json", "--out", "-"], "--out -"),
        (["plan", "--output", "-", "--out", "/dev/stdout"], "--out -"),
        (["validate", "--output", "a.html"], "a.html"),
    ],
)
def test_outputs_that_contradict_each_other_are_wrong_usage(desk, options, said):
    desk.session()
    done = desk.run(*options, code=64)
    assert said in done.err
    assert desk.box.log() == []


@pytest.mark.parametrize("place", ["reports/", "missing/x.json", "manifests", "~no-such-user/x.json"])
@pytest.mark.parametrize("command", [["plan", "--output"], ["plan", "--out"], ["schema", "Session", "--output"]])
def test_a_place_that_cannot_be_written_is_said_before_anything_is_read(desk, command, place):
    desk.session()
    assert place in desk.run(*command, place, code=1).err
    assert desk.box.log() == []


@pytest.mark.parametrize(
    "command",
    first_quick(
        [
            "R plan --format json --output -",
            "R plan --output - --format json",
            "R plan --out -",
            "R plan --format json --output /dev/stdout",
            "R plan --out /dev/fd/1",
            "R plan --format json --output >(cat) | cat",
            "R plan --out >(cat) --output /dev/null | cat",
            "R plan --out saved.plan --output /dev/null; cat saved.plan",
        ],
        quick=3,
    ),
)
def test_stdout_and_pipes_get_the_document(applied, command):
    applied.session(name=BEYOND, price=40)
    done = shell(applied, command)
    assert json.loads(done.out)["changes"][0]["address"] == "Session/yoga"
    assert not (applied.folder / "-").exists()
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize(
    "command", first_quick(["export", "schema Session", "validate --format json", "explain Session"])
)
def test_every_other_output_to_a_dash_is_stdout(applied, command):
    option = "--out" if command == "export" else "--output"
    assert shell(applied, f"R {command} {option} -").out == shell(applied, f"R {command}").out
    assert not (applied.folder / "-").exists()


def test_a_plan_on_stdout_is_alone_there(applied):
    applied.session(name=BEYOND, price=40)
    done = applied.run("plan", "--out", "-", code=0)
    assert done.json["summary"]["update"] == 1
    assert "Session/yoga" in done.err
    (applied.folder / "piped.plan").write_text(done.out, encoding="utf-8")
    applied.run("apply", "piped.plan", "--yes", code=0)


def test_a_file_keeps_its_mode_and_links_stay(applied):
    (applied.folder / "target.json").write_text("old", encoding="utf-8")
    (applied.folder / "target.json").chmod(0o644)
    (applied.folder / "link.json").symlink_to("target.json")
    applied.run("drift", "--output", "link.json", code=0)
    assert json.loads((applied.folder / "target.json").read_text(encoding="utf-8"))
    assert (applied.folder / "link.json").is_symlink()
    assert stat.S_IMODE((applied.folder / "target.json").stat().st_mode) == 0o644


def test_export_writes_through_links_inside_its_folder_only(applied):
    out = applied.folder / "out"
    applied.run("export", "--out", "out", code=0)
    (file,) = out.rglob("*.yaml")
    text = file.read_text(encoding="utf-8")
    file.rename(out / "kept.yaml")
    file.symlink_to(out / "kept.yaml")
    (out / "kept.yaml").write_text("other", encoding="utf-8")
    applied.run("export", "--out", "out", code=1)
    applied.run("export", "--out", "out", "--force", code=0)
    assert file.is_symlink()
    assert (out / "kept.yaml").read_text(encoding="utf-8") == text
    elsewhere = applied.folder / "elsewhere.yaml"
    elsewhere.write_text("mine", encoding="utf-8")
    file.unlink()
    file.symlink_to(elsewhere)
    assert "outside" in applied.run("export", "--out", "out", "--force", code=1).err
    assert elsewhere.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("buffering", first_quick([{}, {"PYTHONUNBUFFERED": "1"}]))
@pytest.mark.parametrize(
    ("command", "where"),
    [
        ("plan", ">/dev/full"),
        ("validate --format json", ">/dev/full 2>&1"),
        ("--help", ">/dev/full"),
        ("--version", ">/dev/full"),
        ("state list", ">&-"),
        ("render", ">/dev/full"),
        ("plan --format json", ">&- 2>&-"),
    ],
)
def test_a_stdout_that_takes_nothing_is_an_error_in_words(desk, command, where, buffering):
    desk.session(name=BEYOND)
    done = shell(desk, f"R {command} {where}", **buffering)
    assert done.code == 1
    if "2>" not in where:
        assert "error[RC0706]: cannot write to stdout: " in done.err


@pytest.mark.parametrize(
    "command", first_quick(["plan", "plan --format json", "render", "render --format json", "schema Session", "--help"])
)
def test_a_reader_that_has_enough_is_not_talked_about(desk, command):
    for number in range(40):
        desk.session(f"yoga-{number}", name=f"{BEYOND} {number}")
    done = shell(desk, f"R {command} | head -1; exit ${{PIPESTATUS[0]}}")
    assert done.code in {0, 1}  # 0 where the system took all of it
    assert done.err == ""


def test_a_plan_is_saved_although_its_reader_has_enough(desk):
    for number in range(60):
        desk.session(f"yoga-{number}", name=f"{BEYOND} {number}")
    done = shell(desk, "R plan -v --detailed-exitcode --out saved.plan | head -1; exit ${PIPESTATUS[0]}")
    assert done.code in {1, 2}
    assert json.loads((desk.folder / "saved.plan").read_text(encoding="utf-8"))["summary"]["create"] == 60


def test_an_exit_code_that_says_more_is_kept_where_stdout_takes_nothing(desk):
    desk.session(price="many")
    assert shell(desk, "R plan --format json >/dev/full").code == 1
    assert shell(desk, "R nonsense >/dev/full").code == 64


@pytest.mark.parametrize("option", ["", "--format json", "--output missing-later/r.json", "--output - --output r.json"])
def test_an_apply_whose_report_is_lost_says_what_it_applied(desk, option):
    desk.session()
    if "later" in option:
        (desk.folder / "missing-later").mkdir()
        desk.session("removes-the-folder")
        desk.hold()
        process = subprocess.Popen(
            [*COMMAND, "apply", "--yes", *option.split()],
            cwd=desk.folder,
            env=desk.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(desk.asked, process)
        (desk.folder / "missing-later").rmdir()
        desk.box.clear_faults()
        out, err = process.communicate(timeout=60)
        done = Done(process.returncode, out, err)
    else:
        done = shell(desk, f"R apply --yes -q {option} >/dev/full")
    assert done.code == 1
    assert "Session/yoga" in done.err
    assert "cannot write" in done.err
    assert len(desk.box.sessions()) == 1 + ("later" in option)
    desk.settled()


def test_an_apply_whose_reader_has_enough_goes_on_and_says_what_it_applied(desk):
    for number in range(60):
        desk.session(f"yoga-{number}", name=f"Yoga {number}", description="x" * 2000)
    done = shell(desk, "R apply --yes -v | head -1; exit ${PIPESTATUS[0]}")
    assert done.code == 1
    assert "Applied 60." in done.err
    assert len(desk.box.sessions()) == 60
    desk.settled()


def test_an_apply_that_cannot_show_its_plan_writes_nothing(desk):
    desk.session()
    done = shell(desk, "R apply --yes >/dev/full")
    assert done.code == 1
    assert desk.calls() == []


def test_stdin_may_be_closed(desk):
    desk.session()
    assert shell(desk, "R validate <&-").code == 0
    assert shell(desk, "R apply <&-").code == 4
    assert "cannot read" not in shell(desk, "R show - <&-").out


def test_a_disk_that_is_full_leaves_nothing_behind(applied):
    applied.run("plan", "--out", "saved", code=0)
    for command in ("show saved --format html --output p", "schema Session --output p"):
        done = shell(applied, f"ulimit -f 0; R {command}", PYTHONDONTWRITEBYTECODE="1")
        assert done.code == 1
        assert "File too large" in done.err
        assert kept(applied) == []
        assert not (applied.folder / "p").exists()


ENCODINGS = [
    {"PYTHONIOENCODING": "cp1252"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"PYTHONIOENCODING": "cp437"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
]


@pytest.mark.parametrize(
    ("form", "env"),
    [*(("json", env) for env in ENCODINGS), ("markdown", ENCODINGS[0]), ("html", ENCODINGS[2])],
    ids=str,
)
def test_a_document_is_utf_8_whatever_the_terminal_is(applied, form, env):
    applied.session(name=f"{BEYOND} 2")
    done = shell(applied, f"R plan --format {form}", **env)
    assert done.code == 0, done
    assert BEYOND in done.out


@pytest.mark.parametrize("env", first_quick(ENCODINGS), ids=str)
def test_text_is_escaped_where_the_terminal_cannot_show_it(applied, env):
    applied.session(name=f"{BEYOND} 2", description="new → …")
    for command in ("plan -v", "state show Session/yoga", "apply --yes"):
        done = shell(applied, f"R {command}", **env)
        assert done.code == 0, done
        assert "\\u745c" in done.out
    applied.session(name="瑜" * 51)
    assert "\\u745c" in shell(applied, "R plan", **env).err


@pytest.mark.parametrize("env", first_quick(ENCODINGS[::2]), ids=str)
def test_an_export_is_the_same_whatever_the_terminal_is(applied, env):
    assert shell(applied, "R export", **env).out == shell(applied, "R export").out


@pytest.mark.parametrize(("name", "env"), [("bash", {}), ("zsh", ENCODINGS[0]), ("fish", ENCODINGS[2])])
def test_the_completion_scripts_are_printed(desk, name, env):
    done = shell(desk, f"_RECONCILER_COMPLETE={name}_source R ", **env)
    assert done.code == 0
    assert "_RECONCILER_COMPLETE" in done.out or "_reconciler_completion" in done.out


def test_words_are_completed(desk):
    done = shell(desk, "_RECONCILER_COMPLETE=bash_complete COMP_WORDS='reconciler va' COMP_CWORD=1 R ")
    assert done.out.strip() == "plain,validate"


@pytest.mark.parametrize(
    "command",
    first_quick(["validate", "plan", "export", "state list", "demo", "show x"], quick=2),
)
def test_a_current_folder_that_was_deleted_is_said(desk, command):
    done = shell(desk, f"mkdir gone && cd gone && rmdir ../gone && R {command}")
    assert done.code == 1
    assert done.err.startswith("error[RC0701]: " if command == "show x" else "error[RC0715]: ")
    assert "= help: the current folder was deleted or moved; change to another folder\n" in done.err


def test_what_needs_no_current_folder_works_without_one(desk):
    desk.session()
    there = f"--project {desk.folder}"
    for command in (f"apply --yes {there}", f"drift {there}", "explain Block"):
        done = shell(desk, f"mkdir -p gone && cd gone && rmdir ../gone && R {command}")
        assert (done.code, done.err.count("error")) == (0, 0), done


@pytest.mark.parametrize(
    "command",
    [
        "validate ~nosuch/x",
        "validate --project ~nosuch/x",
        "show ~nosuch/x",
        "apply ~nosuch/x",
        "state restore ~nosuch/x",
        "export --out ~nosuch",
        "schema Block --output ~nosuch/x",
    ],
)
def test_a_home_of_nobody_is_a_path_like_any_other(desk, command):
    desk.session()
    done = desk.run(*command.split(), code=0 if "export" in command else 1)
    assert "export" in command or "~nosuch" in done.out + done.err


@pytest.mark.parametrize("line", ["manifests: [~nosuch/x]", "manifests: [manifests]\n  values: [~nosuch/v.yaml]"])
def test_a_home_of_nobody_in_the_project_file_is_a_problem_with_its_place(desk, line):
    text = (desk.folder / "reconciler.yaml").read_text(encoding="utf-8")
    desk.project(text.replace("manifests: [manifests]", line))
    desk.session()
    done = desk.run("validate", code=1)
    assert "reconciler.yaml:" in done.out + done.err
    assert "~nosuch" in done.out + done.err


@pytest.mark.parametrize("source", ["{file: ~nosuch/key}", "{command: [~nosuch/key]}"])
def test_a_credential_in_the_home_of_nobody_is_a_problem_with_its_place(desk, source):
    text = (desk.folder / "reconciler.yaml").read_text(encoding="utf-8")
    desk.project(text.replace("{env: BB_PASSWORD}", source))
    desk.session()
    done = desk.run("plan", code=1)
    assert "~nosuch" in done.err
    assert "reconciler.yaml:" in done.err
