"""Every command that a message names works in the situation in which it is named.

The commands are collected from the texts of the program. Each has a walk here, or a test elsewhere that runs it.
A walk brings the situation about, takes the command from what was said, and runs exactly that.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest
from desk import PROJECT, Desk, until

from reconciler import commands
from reconciler.cli.main import cli
from reconciler.commands import CHOOSING, CONNECTING, OFFLINE
from reconciler.sandbox import Fault, Sandbox

ROOT = Path(__file__).parents[2]
SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "spaces": 9}
LIVE = {**SWIM, "type": 0}


class Away(Desk):
    """A desk whose project file has another name, and that works in another environment of it.

    A command that a message names must say both, or else it would work on another project or environment, or on none.
    """

    choice = ("--project", "the gym.yaml", "--env", "side")
    used = False

    def project(self, text):
        text += "  environments: {side: {values: []}}\n"
        (self.folder / self.choice[1]).write_text(text, encoding="utf-8")

    def run(self, *arguments, code=None, **env):
        return super().run(*self._there(arguments), code=code, **env)

    def start(self, *arguments, **options):
        return super().start(*self._there(arguments), **options)

    def _there(self, arguments):
        at_work = arguments[0] in CONNECTING | OFFLINE and "--help" not in arguments
        return arguments if "--project" in arguments or not at_work else (*arguments, *self.choice)


@pytest.fixture(params=["here", "away"])
def desk(request, desk, monkeypatch):
    if request.param == "here":
        return desk
    monkeypatch.setattr(Away, "used", True)
    (desk.folder / "reconciler.yaml").unlink()
    return Away(desk.folder, desk.box)


def said(desk, *arguments):
    """Run a command and return all that it says to people."""
    done = desk.run(*arguments)
    return done.out + done.err


def named(words, command):
    """Return the one command of this kind that a text names, as arguments."""
    found = dict.fromkeys(
        re.findall(rf"reconciler ({command}[^;,`\n(){{}}]*?)(?:  |[;,`(){{}}]|\.?$)", words, re.MULTILINE)
    )
    assert len(found) == 1, (found, words)
    arguments = shlex.split(next(iter(found)))
    if Away.used and arguments[0] in CONNECTING | OFFLINE:
        spoken = words.endswith("\n")  # a document names no file of the machine that made it
        assert set(Away.choice if spoken else Away.choice[2:]) <= set(arguments), words
    return arguments


def applied(desk, *addresses):
    for address in addresses or ("swim",):
        desk.declare("Session", address, {**SWIM, "name": address.title()})
    desk.run("apply", "--yes", code=0)


def lost(desk, kind="drop_after"):
    """Lose the answer to a create."""
    desk.declare("Session", "swim", SWIM)
    desk.box.fault(Fault(kind=kind, match_method="POST", times=1))
    desk.run("apply", "--yes", code=3)


def remade(desk, *names):
    """Delete managed sessions, and make them again by hand."""
    for item in desk.box.sessions():
        desk.box.delete("session", item["id"])
    return [desk.box.add_session({**LIVE, "name": name.title()}) for name in names]


def adopts_what_was_made_again(desk):
    applied(desk)
    remade(desk, "swim")
    desk.run(*named(said(desk, "plan"), "adopt"), code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 1


def adopts_all_that_was_made_again(desk):
    applied(desk, "swim", "yoga", "zumba")
    remade(desk, "swim", "yoga")
    desk.run(*named(said(desk, "plan").split("adopt them all")[1], "adopt --all"), code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 3


def adopts_what_was_made_again_and_is_renamed(desk):
    applied(desk)
    remade(desk, "swim")
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM, moved_from="swim")
    desk.run(*named(said(desk, "plan"), "adopt"), code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 1


def adopts_one_of_several_that_were_made_again(desk):
    applied(desk)
    first, _ = remade(desk, "swim", "swim")
    words = said(desk, "plan")
    assert "adopt them all" not in words
    assert "`, where ID is one of these 2 ids" in words
    desk.run(*[str(first) if word == "ID" else word for word in named(words, "adopt")], code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def adopts_on_another_connection(desk):
    """Its twin on the other system exists already: what is managed here is left, what is there is taken."""
    with Sandbox() as box:
        first = PROJECT.format(url=desk.box.url)
        second = first.split("    sessions:")[1].split("    admin:")[0].replace(desk.box.url, box.url)
        desk.project(first + "    other:" + second)
        desk.env["RECONCILER_TRUST_HOSTS"] = urlsplit(box.url).netloc
        desk.declare("Session", "swim", SWIM, connection="sessions")
        desk.run("apply", "--yes", code=0)
        box.add_session(LIVE)
        desk.declare("Session", "swim", SWIM, connection="other")
        words = said(desk, "plan")
        for command in ("state rm", "adopt"):
            desk.run(*named(words, command), code=0)
        desk.run("apply", "--yes", code=0)
        desk.settled()
        assert len(box.sessions()) == len(desk.box.sessions()) == 1


def possibly_doubled(desk, *, declared=True):
    """Bring about a create that was made again and is carried out after that; return the hint and what is live."""
    desk.declare("Session", "swim", SWIM)
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"})
    desk.box.fault(Fault(kind="drop_before", match_method="POST", times=1, match_path="/api/sessions"))
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=0)
    if not declared:
        for name in ("swim", "yoga"):
            desk.run("destroy", "--yes", "--target", f"Session/{name}", code=0)
            desk.forget("Session", name)
    for name in ("Swim", "Yoga"):
        desk.box.add_session({**LIVE, "name": name})
    problems = desk.run("plan", "--format", "json").json["problems"]
    return next(item["hint"] for item in problems if item["code"] == "possible-duplicate")


def deletes_a_possible_duplicate(desk):
    hint = possibly_doubled(desk, declared=False)
    said_then = said(desk, *named(hint, "adopt [^;]*--as-duplicate"))
    assert named(said_then, "destroy")[:3] == named(hint, "destroy")[:3]
    desk.run(*named(hint, "destroy"), "--yes", code=0)
    assert len(desk.box.sessions()) == 1


def keeps_a_possible_duplicate_instead(desk):
    hint = possibly_doubled(desk)
    desk.run(*named(hint, "state mv"), code=0)
    desk.run(*named(hint.partition("state mv")[2], "adopt"), code=0)
    desk.run(*named(hint, "apply"), "--yes")
    assert len(desk.box.sessions()) == 3


def leaves_a_possible_duplicate_of_nothing(desk):
    hint = possibly_doubled(desk, declared=False)
    desk.run(*named(hint, "state rm"), code=0)
    assert hint not in said(desk, "plan")


def manages_a_possible_duplicate_of_nothing(desk):
    hint = possibly_doubled(desk, declared=False)
    command = named(hint.partition("to manage it")[2], "adopt")
    desk.declare("Session", command[1].partition("/")[2], SWIM if "swim" in command[1] else {**SWIM, "name": "Yoga"})
    desk.run(*command, code=0)
    assert "possible duplicate" not in said(desk, "plan")


def adopts_a_lost_create(desk):
    lost(desk)
    manifest = desk.folder / "manifests" / "session-swim.json"
    text = manifest.read_text(encoding="utf-8")
    manifest.unlink()
    command = named(said(desk, "plan"), "adopt")
    manifest.write_text(text, encoding="utf-8")
    desk.run(*command, code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 1


def forgets_a_lost_create(desk):
    lost(desk)
    desk.forget("Session", "swim")
    desk.run(*named(said(desk, "plan"), "state rm"), code=0)
    desk.settled()
    assert len(desk.box.sessions()) == 1


def forgets_what_a_lost_create_did_not_make(desk):
    lost(desk, "drop_before")
    desk.box.add_session({"name": "Theirs", "group": "Other", "start_date": "2027-05-01"})
    desk.run(*named(said(desk, "plan"), "state rm"), code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def takes_another_id_with_the_same_number(desk):
    applied(desk)
    desk.box.edit_session(123, name="Chess", group="Club", start_date="2028-01-01")
    words = said(desk, "plan")
    desk.run(*named(words, "state rm"), code=0)
    desk.run(*named(words, "adopt"), code=0)
    desk.run("apply", "--yes", code=0)
    desk.settled()


def adopts_what_cannot_be_created(desk):
    """The manifest leaves out what the API does not return, and what it does not want to change."""
    number = desk.box.add_session(LIVE)
    desk.declare("Session", "swim", {"name": "Swim", "group": "Pool"})
    command = named(said(desk, "plan"), "adopt")
    desk.run(*(str(number) if word == "ID" else word for word in command), code=0)
    desk.settled()


def renames_what_looks_renamed(desk):
    applied(desk)
    desk.forget("Session", "swim")
    desk.declare("Session", "bath", SWIM)
    desk.run(*named(said(desk, "plan"), "state mv"), code=0)
    desk.settled()


def stops_managing_one_of_two(desk):
    applied(desk, "swim", "yoga")
    desk.declare("Session", "yoga", {**SWIM, "name": "Yoga"}, moved_from="swim")
    desk.forget("Session", "swim")
    desk.run(*named(said(desk, "plan"), "state rm"), code=0)
    desk.settled()


def stops_managing_what_its_connection_lost(desk):
    applied(desk)
    desk.declare("Session", "bath", SWIM, moved_from="swim", connection="other")
    desk.forget("Session", "swim")
    elsewhere = desk.box.url.replace("127.0.0.1", "localhost")  # the same system would keep its objects
    desk.project(PROJECT.format(url=elsewhere).replace("    sessions:", "    other:"))
    desk.env["RECONCILER_TRUST_HOSTS"] = urlsplit(elsewhere).netloc
    desk.run(*named(said(desk, "plan"), "state rm"), code=0)
    assert "already exists" in said(desk, "plan")


def stops_managing_what_is_adopted_otherwise(desk):
    applied(desk)
    other = desk.box.add_session(LIVE)
    desk.run(*named(said(desk, "adopt", "Session/swim", str(other)), "state rm"), code=0)
    desk.run("adopt", "Session/swim", str(other), code=0)


def stops_managing_the_target_of_a_rename(desk):
    applied(desk, "swim", "yoga")
    desk.run(*named(said(desk, "state", "mv", "Session/swim", "Session/yoga"), "state rm"), code=0)
    desk.run("state", "mv", "Session/swim", "Session/yoga", code=0)


def applies_the_plan_that_was_saved(desk):
    desk.declare("Session", "swim", SWIM)
    desk.run(*named(said(desk, "plan", "--out", "swim.plan"), "apply"), "--yes", code=0)
    desk.settled()


def shows_the_plan_of_what_was_adopted(desk):
    desk.box.add_session(LIVE)
    desk.declare("Session", "swim", SWIM)
    desk.run(*named(said(desk, "adopt", "Session/swim"), "plan"), code=0)


def shows_the_plan_of_all_that_was_adopted(desk):
    desk.box.add_session(LIVE)
    desk.declare("Session", "swim", SWIM)
    desk.run(*named(said(desk, "adopt", "--all"), "plan"), code=0)


def lists_what_is_managed(desk):
    applied(desk)
    adopting = ("adopt", "Session/nosuch-at-all", "7", "--as-duplicate")
    for arguments in (("state", "rm", "Session/nosuch-at-all"), ("state", "rm", "Block/*"), adopting):
        desk.run(*named(said(desk, *arguments), "state list"), code=0)


def destroys_what_nothing_declares(desk):
    applied(desk)
    desk.forget("Session", "swim")
    words = said(desk, "apply", "--yes")
    assert "apply with --allow-empty" in words
    desk.run(*named(words, "destroy"), "--yes", code=0)
    assert desk.box.sessions() == []


def exports_and_adopts_all(desk):
    desk.box.add_session(LIVE)
    desk.run(*named(said(desk, "export", "--out", "manifests", "--kind", "Session"), "adopt --all"), code=0)
    desk.settled()


def validates_after_an_export(desk):
    desk.manifest("broken.yaml", "kind: Nothing\n")
    words = said(desk, "export", "--kind", "Session")
    desk.run(*named(words, "validate"), code=1)


def compares_before_it_overwrites(desk):
    desk.box.add_session(LIVE)
    desk.run("export", "--out", "manifests", "--kind", "Session", code=0)
    desk.run("adopt", "--all", code=0)
    desk.box.edit_session(123, group="Spa")
    words = said(desk, "export", "--out", "manifests", "--kind", "Session")
    (record,) = desk.run("state", "list", "--format", "json").json["objects"]
    desk.run(*[record["address"] if word == "ADDRESS" else word for word in named(words, "export")], code=0)
    desk.run("export", "--out", "manifests", "--kind", "Session", "--force", code=0)


def saves_a_plan_that_can_be_applied(desk):
    desk.declare("Session", "swim", SWIM)
    for document in ("{}", None):
        file = desk.folder / "pr.plan"
        if document is not None:
            file.write_text(document, encoding="utf-8")
        command = named(said(desk, "apply", str(file)), "plan --out")
        file.unlink(missing_ok=True)
        desk.run(*[str(file) if word == "FILE" else word for word in command], code=0)
        desk.run("apply", str(file), "--yes")
        file.unlink()


def writes_every_document_that_show_reads(desk):
    applied(desk)
    for command in ("apply --yes --format json --output FILE", "drift --format json --output FILE", "plan --out FILE"):
        words = command.replace("FILE", "document.json").split()
        desk.run(*words, code=0)
        desk.run("show", "document.json", code=0)


def waits_for_the_lock_or_releases_it(desk):
    desk.declare("Session", "swim", SWIM)
    desk.hold()
    first = desk.start("apply", "--yes")
    until(desk.asked, first)
    commands = (("apply", "--yes"), ("destroy", "--yes"), ("adopt", "Session/swim"), ("state", "rm", "Session/swim"))
    for arguments in commands:
        words = said(desk, *arguments)
        assert "--lock-timeout SECONDS" in words, arguments
        assert "--lock-timeout" in desk.run(*arguments[: 2 if arguments[0] == "state" else 1], "--help").out
    command = named(words, "state unlock")
    first.kill()
    first.communicate(timeout=60)
    desk.run(*command, code=0)
    desk.box.clear_faults()


def explains_what_explain_names(desk):
    for topic in ("Session", "Project"):
        words = said(desk, "explain", topic)
        for command in dict.fromkeys(re.findall(r"reconciler (explain [^\s,;`]+)", words)):
            desk.run(*command.rstrip(".").split(), code=0)


E2E = "tests/e2e"
ACCEPTS = f"{E2E}/test_drift_accept.py::test_all_or_nothing"
FIGHTS = f"{E2E}/test_drift_history.py::test_a_field_that_two_sides_set_again_and_again_is_a_fight"
UNMANAGED = f"{E2E}/test_drift_history.py::test_live_objects_that_are_not_managed_are_reported_if_asked"
INIT = f"{E2E}/test_init.py"
CI = f"{E2E}/test_ci_commands.py"
STARTED = f"{INIT}::test_a_new_project_is_valid_and_plans_applies_and_is_empty_on_the_sandbox"
BROKEN = f"{E2E}/test_broken_project.py"
MISTAKES = f"{E2E}/test_newcomer_mistakes.py::test_every_mistake_ends_with_its_exit_code_its_place_and_its_fix"
WALKS = {
    ("cli/commands/adopt.py", "adopt"): f"{E2E}/test_adopt_one.py::test_candidates_are_listed_with_their_differences",
    ("cli/commands/adopt.py", "plan"): shows_the_plan_of_all_that_was_adopted,
    ("cli/commands/adopt.py", "plan --target"): shows_the_plan_of_what_was_adopted,
    ("cli/commands/adopt.py", "destroy --target"): deletes_a_possible_duplicate,
    ("cli/commands/explain.py", "explain"): explains_what_explain_names,
    ("cli/commands/export.py", "adopt --all"): exports_and_adopts_all,
    ("cli/commands/export.py", "validate"): validates_after_an_export,
    ("cli/commands/export_files.py", "export"): compares_before_it_overwrites,
    ("cli/commands/init.py", "adopt --all"): (
        f"{INIT}::test_live_objects_become_the_manifests_and_adopting_them_changes_nothing"
    ),
    ("cli/commands/init.py", "plan --env"): STARTED,
    ("cli/commands/init.py", "sandbox"): STARTED,
    ("cli/commands/init.py", "validate"): STARTED,
    ("cli/commands/plan.py", "apply"): applies_the_plan_that_was_saved,
    ("cli/commands/sandbox.py", "sandbox --option"): "tests/unit/cli/test_cli_options.py",
    ("cli/commands/state.py", "plan"): f"{E2E}/test_state_commands.py::test_what_was_forgotten_by_mistake_is_restored",
    ("cli/commands/state.py", "state list"): lists_what_is_managed,
    ("cli/commands/state.py", "state rm"): stops_managing_the_target_of_a_rename,
    ("cli/demo/story.py", "sandbox"): f"{E2E}/test_demo.py",
    ("cli/document.py", "plan --out"): saves_a_plan_that_can_be_applied,
    ("documents/decisions.py", "ci decisions"): f"{CI}::test_decisions_are_written_and_what_does_not_count_is_named",
    ("documents/decisions.py", "ci reviewed"): f"{CI}::test_an_apply_without_changes_needs_no_reviewed_plan",
    ("operations/reviewed.py", "ci reviewed"): f"{CI}::test_an_apply_without_changes_needs_no_reviewed_plan",
    ("documents/load.py", "apply --format --output"): writes_every_document_that_show_reads,
    ("documents/load.py", "drift --format --output"): writes_every_document_that_show_reads,
    ("documents/load.py", "plan --out"): saves_a_plan_that_can_be_applied,
    ("engine/adopt.py", "adopt"): adopts_what_was_made_again,
    ("engine/adopt.py", "adopt ID"): adopts_one_of_several_that_were_made_again,
    ("engine/adopt.py", "adopt moved"): adopts_what_was_made_again_and_is_renamed,
    ("engine/adopt.py", "state rm"): adopts_on_another_connection,
    ("engine/decide.py", "adopt"): takes_another_id_with_the_same_number,
    ("engine/decide.py", "adopt ID"): adopts_what_cannot_be_created,
    ("engine/decide.py", "state rm"): takes_another_id_with_the_same_number,
    ("engine/duplicates.py", "adopt"): keeps_a_possible_duplicate_instead,
    ("engine/duplicates.py", "adopt ID"): manages_a_possible_duplicate_of_nothing,
    ("engine/duplicates.py", "adopt --as-duplicate"): deletes_a_possible_duplicate,
    ("engine/duplicates.py", "apply"): keeps_a_possible_duplicate_instead,
    ("engine/duplicates.py", "destroy --target"): deletes_a_possible_duplicate,
    ("engine/duplicates.py", "state mv"): keeps_a_possible_duplicate_instead,
    ("engine/duplicates.py", "state rm"): leaves_a_possible_duplicate_of_nothing,
    ("engine/expiry.py", "state rm"): f"{E2E}/test_booking_session_expiry.py::test_forgetting_is_undone_by_state_rm",
    ("engine/guards.py", "destroy"): destroys_what_nothing_declares,
    ("engine/guards.py", "state rm"): (
        f"{E2E}/test_guards.py::test_what_another_project_manages_is_neither_adopted_nor_written_to"
    ),
    ("engine/moves.py", "state rm"): stops_managing_one_of_two,
    ("engine/recover.py", "adopt"): adopts_a_lost_create,
    ("engine/recover.py", "state rm"): forgets_a_lost_create,
    ("engine/recover.py", "state rm newer"): forgets_what_a_lost_create_did_not_make,
    ("engine/renames.py", "state mv"): renames_what_looks_renamed,
    ("engine/subject.py", "state rm"): stops_managing_what_its_connection_lost,
    **{("cli/habits.py", name): MISTAKES for name in ("apply", "destroy", "drift", "explain", "plan", "validate")},
    ("cli/commands/apply.py", "apply"): MISTAKES,
    (
        "cli/failures.py",
        "validate",
    ): f"{BROKEN}::test_of_many_problems_the_first_errors_show_their_line_and_every_other_error_is_printed",
    ("cli/forms.py", "explain"): f"{BROKEN}::test_the_code_that_is_named_is_explained",
    ("operations/init.py", "explain"): f"{INIT}::test_a_provider_of_another_package_is_left_to_the_project_file",
    ("operations/explain.py", "explain"): (
        "tests/unit/cli/test_explain_codes.py::test_without_an_argument_every_kind_and_code_is_listed"
    ),
    ("manifests/project.py", "init"): MISTAKES,
    ("providers/http/next_steps.py", "sandbox"): MISTAKES,
    ("operations/plan.py", "destroy"): f"{E2E}/test_saved_plans.py::test_a_forged_plan_to_destroy_deletes_nothing",
    ("operations/scaffold.py", "init"): f"{E2E}/test_scaffold.py::test_a_wrong_kind_or_name_is_wrong_usage",
    ("operations/unmanaged.py", "adopt"): UNMANAGED,
    ("operations/accept.py", "apply --target"): ACCEPTS,
    ("operations/accept.py", "state rm"): ACCEPTS,
    ("cli/commands/drift.py", "plan"): ACCEPTS,
    ("render/phrases.py", "drift --accept"): FIGHTS,
    ("operations/unmanaged.py", "export --out"): UNMANAGED,
    ("operations/adopt.py", "state list"): lists_what_is_managed,
    ("operations/adopt.py", "state rm"): stops_managing_what_is_adopted_otherwise,
    ("render/junit.py", "validate"): f"{E2E}/test_validate_formats.py::test_junit_has_a_case_for_each_error",
    ("render/phrases.py", "adopt --all"): adopts_all_that_was_made_again,
    ("render/phrases.py", "plan"): f"{E2E}/test_lost_creates.py::test_a_course_without_start_date_is_found_again",
    ("render/summary.py", "plan"): f"{E2E}/test_drift.py::test_a_lost_state_is_not_no_drift",
    ("render/summary.py", "adopt --all"): f"{E2E}/test_drift.py::test_a_lost_state_is_not_no_drift",
    ("state/database.py", "adopt --all"): (
        "tests/unit/state/test_sqlite_file.py::test_a_damaged_file_names_its_newest_backup_which_can_be_restored"
    ),
    ("state/database.py", "state restore"): (
        "tests/unit/state/test_sqlite_file.py::test_a_damaged_file_names_its_newest_backup_which_can_be_restored"
    ),
    ("state/lease.py", "state unlock"): waits_for_the_lock_or_releases_it,
    ("state/store.py", "state list"): lists_what_is_managed,
}
"""By the file that names it and the command, with a third word where one command is named in several situations."""


def texts(tree):
    """Return the texts of a module that are no docstrings and no help, with `{}` for their variable parts."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            inner.add(id(node.value))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"click.option", "options.examples"}:
            inner |= {id(item) for item in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            inner |= {id(item) for item in node.values}
    for node in ast.walk(tree):
        if id(node) in inner:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(_text(item) for item in node.values)


def _text(node):
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def commands_of(group=cli, path=""):
    """Return every command with its path."""
    names = getattr(group, "list_commands", None)
    if names is None:
        return {path.strip(): group}
    found = {}
    for name in names(click.Context(group)):
        found |= commands_of(group.get_command(click.Context(group), name), f"{path} {name}")
    return found


NAMED = re.compile(rf"reconciler ({'|'.join(commands_of())})\b([^;,.`\n]*)")


def all_texts():
    """Yield the texts of the program with the file of each."""
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        file = path.relative_to(ROOT / "reconciler").as_posix()
        if not file.startswith("sandbox/"):
            for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
                yield file, text


def commands_named():
    """Return every command that a text of the program names, with its options."""
    return {
        (file, " ".join([command, *re.findall(r"--[a-z-]+", rest)]))
        for file, text in all_texts()
        for command, rest in NAMED.findall(text)
    }


BARE = {
    "cli/commands/init.py": "it has no options that choose a project, and each command is a line of its own",
    "operations/unmanaged.py": "a list of commands with --env, which `render.phrases` names",
    "render/junit.py": "the title of a suite of tests",
}
"""Why a file names commands without backticks."""


def test_every_command_that_a_message_names_is_completed_where_it_is_shown():
    """`reconciler.commands` finds a command by its backticks: without them nobody adds --project and --env."""
    bare = {file for file, text in all_texts() if NAMED.search(commands.NAMED.sub("", text))}
    assert bare == set(BARE)


def test_a_named_command_gets_the_options_that_it_takes():
    options = tuple((name, "x") for name in CHOOSING)
    for path, command in commands_of().items():
        taken = {name for item in command.params for name in item.opts}
        words = commands.completed(f"to do it: `reconciler {path}`, or not", options)
        added = "".join(f" {name} x" for name in CHOOSING if name in taken)
        assert words == f"to do it: `reconciler {path}{added}`, or not"


def test_every_command_that_a_message_names_is_walked():
    walked = {(file, re.sub(r" (ID|moved|newer)$", "", command)) for file, command in WALKS}
    assert walked == commands_named()


def options_of(command):
    """Return the options of a command and of the commands below it."""
    found = {name for item in command.params for name in item.opts}
    for name in getattr(command, "commands", None) or getattr(command, "list_commands", lambda _: ())(None):
        found |= options_of(command.get_command(click.Context(command), name))
    return found


def test_every_option_that_a_message_names_is_one():
    known = options_of(cli) | {"--version", "--help", "--atomic"}  # the last one is git's own word for a kind of push
    of_git = r"\bgit [a-z-]+(?: [a-z]+)*(?: --[a-z-]+(?:=\S+)?)+|^--[a-z-]+(?:=\S*)?$"  # a command, or one argument
    named_ones = set()
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        if "sandbox" not in path.parts:
            for text in texts(ast.parse(path.read_text(encoding="utf-8"))):
                named_ones |= set(re.findall(r"(?<![\w-])--[a-z][a-z-]*[a-z]", re.sub(of_git, "", text)))
    assert named_ones - known == set()


@pytest.mark.parametrize("key", WALKS, ids=" ".join)
def test_a_named_command_works_where_it_is_named(desk, key):
    walk = WALKS[key]
    if not isinstance(walk, str):
        walk(desk)
        return
    file, _, name = walk.partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert f"def {name}" in text


def test_what_the_commands_for_json_say_is_the_text(desk):
    applied(desk)
    remade(desk, "swim")
    plan = desk.run("plan", "--format", "json").json
    risk = next(risk for change in plan["changes"] for risk in change["risks"] if risk["code"] == "already-exists")
    desk.run(*named(risk["message"], "adopt"), code=0)
    assert json.loads(desk.run("plan", "--format", "json", code=0).out)["summary"]["adopt"] == 0


def test_a_saved_plan_names_commands_for_its_environment_and_is_not_stale_for_that(desk):
    applied(desk)
    (live,) = remade(desk, "swim")
    desk.run("plan", "--out", "swim.plan")
    environment = " --env side" if Away.used else ""
    assert f"`reconciler adopt Session/swim {live}{environment}`" in desk.run("show", "swim.plan", code=0).out
    desk.run("apply", "swim.plan", "--yes", code=4)
