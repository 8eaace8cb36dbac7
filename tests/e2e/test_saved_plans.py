"""A saved plan is carried out as it was approved, or refused with every reason by name."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from desk import PROJECT, SLOTS, interrupt, until

from reconciler.documents.signature import content_digest
from reconciler.sandbox import Fault

MOVED = [SLOTS[0], ("2027-03-09", "11:00", 60), SLOTS[2]]


def session_id(desk, name):
    return next(item["id"] for item in desk.box.sessions() if item["name"] == name)


def resource_id(desk, name):
    return next(item["id"] for item in desk.box.resources() if item["name"] == name)


def project(desk, **replaced):
    text = PROJECT.format(url=desk.box.url)
    for old, new in replaced.values():
        assert old in text
        text = text.replace(old, new)
    desk.project(text + "  environments:\n    prod: {}\n")


@pytest.fixture
def approved(desk):
    """A plan that touches Session/yoga and Resource/court-1, saved; Session/swim and Resource/court-2 stay."""
    desk.box.set_options(show_fields="all", resource_fields="all")
    project(desk)
    desk.session(slots=SLOTS)
    desk.session("swim", name="Swim")
    desk.declare("Resource", "court-1", {"name": "Court 1", "email": "a@example.com"})
    desk.declare("Resource", "court-2", {"name": "Court 2"})
    desk.run("apply", "--yes", code=0)
    desk.session(slots=MOVED, price=36)
    desk.declare("Resource", "court-1", {"name": "Court One", "email": "a@example.com"})
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.box.clear_log()
    return desk


def refused(desk, *words, arguments=(), env=None):
    done = desk.run("apply", "saved.plan", "--yes", *arguments, code=5, **(env or {}))
    fault = "cannot be trusted" if env else "is stale"
    assert f"the saved plan {fault}; nothing was written" in done.err
    for each in words:
        assert each in done.err, done.err
    assert desk.calls() == []
    return done


def accepted(desk):
    done = desk.run("apply", "saved.plan", "--yes", "--format", "json", code=0)
    assert (done.json["summary"]["applied"], done.json["summary"]["noop"]) == (2, 2)
    saved = json.loads((desk.folder / "saved.plan").read_text(encoding="utf-8"))
    assert done.json["plan_digest"] == saved["digest"]
    assert sorted(call.split("/")[-2] for call in desk.calls()) == ["resources", "sessions", "slots"]


def edit(desk, change, *, sealed=True):
    """Edit the saved document as somebody would who knows how its digest is made, or (not sealed) does not."""
    path = desk.folder / "saved.plan"
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    if sealed:
        document["digest"] = content_digest(document)
    path.write_text(json.dumps(document), encoding="utf-8")


def of(document, address):
    return next(change for change in document["changes"] if change["address"] == address)


# What it must notice


def test_a_manifest_that_changed(approved):
    approved.session("swim", name="Swim", price=50)
    approved.session(slots=MOVED, price=37)
    done = refused(approved, "Session/swim: its manifest changed", "Session/yoga: its manifest changed")
    assert "court" not in done.err


def test_a_manifest_that_is_new(approved):
    approved.declare("Resource", "court-3", {"name": "Court 3"})
    refused(approved, "Resource/court-3: its manifest is new")


def test_a_manifest_that_is_gone(approved):
    approved.forget("Resource", "court-2")
    approved.forget("Session", "yoga")
    refused(approved, "Resource/court-2: its manifest was removed", "Session/yoga: its manifest was removed")


def test_protection_and_references_are_part_of_a_manifest(approved):
    approved.declare("Resource", "court-2", {"name": "Court 2"}, protect=True)
    refused(approved, "Resource/court-2: its manifest changed")


def test_another_environment(approved):
    refused(approved, "the environment was none and is prod now", arguments=("--env", "prod"))


def test_another_tool_version(approved):
    edit(approved, lambda document: document.update(tool_version="0.0.9"))
    refused(approved, "the tool version was 0.0.9 and is ")


def test_another_project(approved):
    project(approved, name=("{name: acme}", "{name: other}"))
    refused(approved, "the project was acme and is other now")


def test_another_host(approved):
    url, there = approved.box.url, approved.box.url.replace("127.0.0.1", "localhost")
    project(approved, host=("127.0.0.1", "localhost"))
    done = refused(approved, f"connection sessions pointed to {url} user ", f" and points to {there} now")
    words = f"connection admin pointed to {url} company 37004 and points to {there} company 37004 now"
    assert words in done.err
    assert approved.box.log() == []


def test_another_company(approved):
    project(approved, company=("company_id: 37004", "company_id: 37005"))
    url = approved.box.url
    refused(approved, f"connection admin pointed to {url} company 37004 and points to {url} company 37005 now")


def test_a_touched_object_that_changed_outside(approved):
    approved.box.edit_session(session_id(approved, "Yoga"), description="changed at the desk", spaces=7)
    approved.box.edit_resource(resource_id(approved, "Court 1"), description="new floor")
    refused(
        approved,
        "Session/yoga: description was",
        "and is changed at the desk now",
        "Session/yoga: spaces was 1 when the plan was made, and is 7 now",
        "Resource/court-1: description was",
        "and is new floor now",
    )


def test_a_touched_object_that_was_deleted_outside(approved):
    approved.box.delete("session", session_id(approved, "Yoga"))
    done = refused(
        approved, "Session/yoga: the live object no longer exists", "the planned action was update, and is create now"
    )
    assert "court" not in done.err


def test_what_somebody_else_did_already_does_not_count_as_deleted(approved):
    """A document leaves out the live values of what a plan leaves as it is."""
    approved.box.edit_resource(resource_id(approved, "Court 1"), name="Court One")
    done = refused(approved, "Resource/court-1: the planned action was update, and is record now")
    assert "no longer exists" not in done.err
    approved.declare("Resource", "court-1", {"name": "Court 1", "email": "a@example.com"})
    approved.box.edit_resource(resource_id(approved, "Court One"), name="Court 1")
    assert "no longer exists" not in refused(approved, "Resource/court-1: its manifest changed").err


def test_a_plan_in_a_pipe_is_not_said_to_be_one_to_apply(desk):
    desk.session()
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        text = pool.submit(pipe.read_text, encoding="utf-8")
        done = desk.run("plan", "--out", "pipe", code=0)
        assert json.loads(text.result(timeout=30))["summary"]["create"] == 1
    assert "Saved to pipe" not in done.err


def test_a_touched_slot_that_moved_outside(approved):
    slot = approved.box.sessions()
    slot = next(item for item in slot if item["name"] == "Yoga")["slots"][2]
    approved.box.edit_slot(slot["id"], date="2027-03-16")
    refused(
        approved, f"Session/yoga: slots[{slot['id']}].date was 2027-03-15 when the plan was made, and is 2027-03-16"
    )


def test_bookings_that_put_a_change_at_risk(approved):
    slot = next(item for item in approved.box.sessions() if item["name"] == "Yoga")["slots"][1]
    approved.box.book(slot["id"], places=2)
    refused(approved, "Session/yoga: there is a new risk (booked-slot-moved)", "2 booked")


@pytest.mark.parametrize(
    "change",
    [
        lambda document: of(document, "Session/yoga").update(reason="harmless"),
        lambda document: (
            document["changes"].remove(of(document, "Session/swim"))
            or document["summary"].update(noop=document["summary"]["noop"] - 1)
        ),
    ],
)
def test_a_document_that_was_edited(approved, change):
    edit(approved, change, sealed=False)
    refused(approved, "the document was edited after it was made")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda item: item["calls"].pop(), "different in a new plan: calls"),
        (lambda item: item["calls"][0].update(path="/api/sessions/1.xml"), "different in a new plan: calls"),
        (lambda item: item["fields"].pop(), "different in a new plan: fields"),
        (lambda item: item["fields"][0].update(after="1.00"), "different in a new plan: fields"),
        (lambda item: item.update(connection="admin"), "different in a new plan: connection"),
        (lambda item: item.update(remote_id="999"), "its id was 999 and is"),
        (lambda item: item["risks"].append(RISK), "different in a new plan: risks"),
        (lambda item: item["live"].update(spaces=9), "spaces was 9 when the plan was made"),
        (
            lambda item: item.update(digest="sha256:" + "0" * 64),
            "the calls or the last applied values are different in a new plan",
        ),
        (lambda item: item.update(unverified=["price"]), "different in a new plan: unverified"),
        (lambda item: item.update(expired=True), "different in a new plan: expired"),
    ],
)
def test_a_document_that_was_edited_with_its_digest(approved, change, words):
    edit(approved, lambda document: change(of(document, "Session/yoga")))
    done = approved.run("apply", "saved.plan", "--yes", code=5)
    assert f"Session/yoga: {words}" in done.err
    assert approved.calls() == []


def take_out(document, address):
    """Remove a change from a document, with what counts it."""
    item = of(document, address)
    document["changes"].remove(item)
    document["summary"][item["action"]] -= 1


def test_a_forged_plan_to_destroy_deletes_nothing(approved):
    """No command saves one: the manifests of these objects are unchanged."""

    def forge(document):
        document["purpose"] = "destroy"
        for item in document["changes"]:
            kind, identity = item["kind"], item["remote_id"]
            path = f"/api/sessions/{identity}.xml" if kind == "Session" else f"/api/v1/admin/37004/resources/{identity}"
            item.update(action="delete", fields=[], risks=[], bookings=[], stake=None)
            item["calls"] = [{"method": "DELETE", "path": path}]
        document["summary"] = {**dict.fromkeys(document["summary"], 0), "delete": len(document["changes"])}
        totals = {"slots": 0, "booked": 0, "reserved": 0, "unknown": 0, "unpriced": 0}
        document["bookings"] = {**document["bookings"], **totals, "amount": None}

    edit(approved, forge)
    for flags in ((), ("--max-deletes", "99", "--max-change-percent", "100")):
        done = approved.run("apply", "saved.plan", "--yes", *flags, code=5)
        assert "a saved plan to destroy is never applied; nothing was written" in done.err
        assert "reconciler destroy" in done.err
    assert approved.calls() == []


def test_a_change_that_was_taken_out(approved):
    edit(approved, lambda document: take_out(document, "Resource/court-1"))
    refused(approved, "Resource/court-1: the saved plan does not contain it; the planned action is update now")


def test_an_unchanged_object_that_was_taken_out(approved):
    edit(approved, lambda document: take_out(document, "Session/swim"))
    refused(approved, "Session/swim: the saved plan does not contain it")


def test_a_change_that_was_taken_out_with_the_selection(approved):
    """The selection is part of what the approved plan says; a narrower one is shown, and approved as such."""
    edit(approved, lambda document: document.update(selection={"targets": ["Session/*"], "excludes": []}))
    refused(approved, "Resource/court-1: nothing is left to update")
    edit(approved, lambda document: document.update(selection={"targets": ["Session/nothing"], "excludes": []}))
    refused(approved, "--target Session/nothing matches no object")


def test_a_selection_holds_when_the_plan_is_applied(approved):
    approved.run("plan", "--target", "Session/*", "--exclude", "Session/swim", "--out", "saved.plan", code=0)
    done = approved.run("apply", "saved.plan", "--yes", code=0)
    assert "only Session/*, without Session/swim" in done.out
    assert not [call for call in approved.calls() if "resources" in call]
    assert "Resource/court-1" in approved.run("plan", code=0).out


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document["changes"].reverse(), "not in the order of their addresses"),
        (lambda document: document["bookings"].update(slots=9), "its bookings do not match the rest of it"),
        (lambda document: document["summary"].update(update=1), "its summary does not match its changes"),
    ],
)
def test_a_document_that_cannot_have_been_written(approved, change, words):
    edit(approved, change)
    assert words in approved.run("apply", "saved.plan", "--yes", code=1).err
    assert words in approved.run("show", "saved.plan", code=1).err
    assert approved.calls() == []


def test_a_plan_of_a_state_that_had_more_runs(approved):
    edit(approved, lambda document: document.update(runs=99))
    refused(approved, "the state has had fewer runs than when the plan was made")


def test_a_problem_that_was_added_or_removed(approved):
    problem = {"severity": "warning", "code": "x", "message": "x", "hint": None, "source": None, "address": None}
    edit(approved, lambda document: document["problems"].append(problem))
    refused(approved, "the warning x is no longer found")


def test_nothing_in_a_document_allows_anything(approved):
    """Guards know the flags of the run that applies it; the document has no member for them."""
    slot = next(item for item in approved.box.sessions() if item["name"] == "Yoga")["slots"][1]
    approved.box.book(slot["id"], places=2)
    approved.run("plan", "--out", "saved.plan", "--allow-booked", "Session/yoga", code=0)
    approved.calls()
    approved.run("apply", "saved.plan", "--yes", code=4)
    edit(approved, lambda document: of(document, "Session/yoga").update(guarded=[]))
    approved.run("apply", "saved.plan", "--yes", code=4)
    edit(approved, lambda document: document.update(allow_booked=["Session/yoga"]))
    assert "unknown key 'allow_booked'" in approved.run("apply", "saved.plan", "--yes", code=1).err
    assert approved.calls() == []


RISK = {"code": "x", "level": "warn", "message": "x", "slots": [], "booked": 0, "reserved": 0}


@pytest.mark.parametrize("change", ["manifest", "tool", "target", "environment"])
def test_a_plan_that_does_nothing_is_stale_too(approved, change):
    approved.run("apply", "--yes", code=0)
    approved.run("plan", "--out", "saved.plan", code=0)
    approved.box.clear_log()
    arguments = ()
    if change == "manifest":
        approved.declare("Resource", "court-2", {"name": "Court Two"})
    elif change == "tool":
        edit(approved, lambda document: document.update(tool_version="0.0.9"))
    elif change == "target":
        project(approved, host=("127.0.0.1", "localhost"))
    else:
        arguments = ("--env", "prod")
    refused(approved, arguments=arguments)


# It runs once


def runs(desk):
    connection = sqlite3.connect(desk.folder / ".reconciler" / "state.db")
    try:
        return connection.execute(
            "select run_id, ended, plan_digest from reconciler_runs order by started_at"
        ).fetchall()
    finally:
        connection.close()


def test_a_plan_that_was_applied(approved):
    accepted(approved)
    run_id = next(row[0] for row in runs(approved) if row[2] == saved_digest(approved))
    done = refused(approved, f"it was already applied by run {run_id} at 20")
    assert "what is left" not in done.err


def saved_digest(desk):
    return json.loads((desk.folder / "saved.plan").read_text(encoding="utf-8"))["digest"]


def test_a_plan_that_came_through_in_part(approved):
    approved.box.fault(Fault(kind="status_before", match_method="PUT", match_path="/api/sessions", status=422))
    approved.run("apply", "saved.plan", "--yes", code=3)
    approved.calls()
    refused(approved, "it was already applied", "which left objects failed, blocked or unknown", "what is left")
    approved.run("apply", "--yes", code=0)
    approved.settled()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_plan_whose_run_was_cut_off(approved, number):
    approved.hold("PUT")
    process = approved.start("apply", "saved.plan", "--yes", "--parallelism", "1")
    until(lambda: approved.asked("PUT"), process)
    if number == signal.SIGTERM:
        interrupt(process, number)
    else:
        process.kill()
    approved.box.clear_faults()
    process.communicate(timeout=60)
    assert process.returncode in {130, -signal.SIGKILL}
    approved.calls()
    words = "was interrupted" if number == signal.SIGTERM else "did not finish"
    refused(approved, "it was already started", words, "a new plan shows what is left")
    approved.run("apply", "--yes", "--wait", code=0)
    approved.settled()


def test_a_plan_of_which_nothing_was_written_can_still_be_applied(approved):
    approved.box.fault(Fault(kind="status_before", match_method="PUT", status=422, times=None))
    approved.run("apply", "saved.plan", "--yes", code=3)
    approved.box.clear_faults()
    approved.calls()
    accepted(approved)


def test_a_guard_that_refuses_and_a_question_that_is_not_answered_use_no_plan(approved):
    approved.run("apply", "saved.plan", code=4)
    approved.run("apply", "saved.plan", "--yes", "--max-deletes", "0", "--max-change-percent", "0", code=0)


def test_a_plan_of_the_same_content_made_later_is_another_plan(desk):
    desk.session()
    for _ in range(2):
        desk.run("plan", "--out", "saved.plan", code=0)
        desk.run("apply", "saved.plan", "--yes", code=0)
        desk.box.delete("session", desk.box.sessions()[0]["id"])
        desk.run("state", "rm", "Session/yoga", code=0)
    assert len(runs(desk)) == 2


# What it need not notice


def test_comments_order_and_another_file(approved):
    old = approved.folder / "manifests" / "session-yoga.json"
    document = json.loads(old.read_text(encoding="utf-8"))
    document["spec"] = dict(reversed(document["spec"].items()))
    old.unlink()
    approved.manifest("classes.yaml", "# reviewed\n\n" + json.dumps(dict(reversed(document.items()))))
    accepted(approved)


def test_an_untouched_object_that_changed_or_went(approved):
    approved.box.edit_session(session_id(approved, "Swim"), price="1.00")
    approved.box.delete("resource", resource_id(approved, "Court 2"))
    done = approved.run("apply", "saved.plan", "--yes", code=0)
    for address in ("Session/swim", "Resource/court-2"):
        assert f"{address}: warning: changed outside reconciler since the plan was saved" in done.out
    assert sorted(call.split("/")[-2] for call in approved.calls()) == ["resources", "sessions", "slots"]
    approved.run("plan", "--detailed-exitcode", code=2)


def test_everyday_bookings(approved):
    for item in approved.box.sessions():
        approved.box.book(item["slots"][0]["id"], places=3)
    accepted(approved)


@pytest.mark.parametrize("order", [{"slot_order": "id"}, {"list_order": "newest"}, {"time_style": "unpadded"}])
def test_another_order_or_spelling_of_answers(desk, order):
    desk.box.set_options(show_fields="all")
    desk.session(slots=list(reversed(SLOTS)))
    desk.run("apply", "--yes", code=0)
    slots = desk.box.sessions()[0]["slots"]
    desk.box.edit_slot(slots[0]["id"], date="2027-04-01")  # now ids and dates go in different orders
    desk.session(slots=list(reversed(SLOTS)), price=36)
    desk.run("plan", "--out", "saved.plan", code=0)
    desk.box.set_options(**order)
    desk.run("apply", "saved.plan", "--yes", code=0)
    desk.settled()


# What else holds


def test_a_saved_plan_takes_no_selection(approved):
    for option in ("--target", "--exclude"):
        assert approved.run("apply", "saved.plan", "--yes", option, "Session/yoga", code=64).err
    assert approved.calls() == []


def test_a_saved_plan_is_private_and_holds_no_secret(approved):
    path = approved.folder / "saved.plan"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert not [secret for name, secret in approved.env.items() if name.startswith("BB_") and secret in text]


def test_a_system_that_does_not_answer_is_no_stale_plan(approved):
    approved.box.fault(Fault(kind="status_before", match_path="/api/sessions", status=500, times=None))
    done = approved.run("apply", "saved.plan", "--yes", code=1)
    assert "Session/yoga" in done.err
    assert "stale" not in done.err
    assert approved.calls() == []


def test_a_blocked_plan_is_applied_with_the_override_that_allows_it(approved):
    slot = next(item for item in approved.box.sessions() if item["name"] == "Yoga")["slots"][1]
    approved.box.book(slot["id"], places=2)
    approved.run("plan", "--out", "saved.plan", code=0)
    approved.calls()
    approved.run("apply", "saved.plan", "--yes", code=4)
    assert approved.calls() == []
    approved.run("apply", "saved.plan", "--yes", "--allow-booked", "Session/yoga", code=0)


# Signatures

KEY = {"RECONCILER_PLAN_KEY": "0123456789abcdef" * 4}


def test_with_a_key_a_plan_is_signed_and_applied(approved):
    done = approved.run("plan", "--out", "saved.plan", code=0, **KEY)
    assert "Saved to saved.plan, signed." in done.err
    shown = approved.run("show", "saved.plan", code=0, **KEY)
    assert "The plan is signed, and the signature is valid." in shown.err
    assert "so the signature was not checked" in approved.run("show", "saved.plan", code=0).err
    assert approved.run("show", "saved.plan", "-q", code=0).err == ""
    approved.run("apply", "saved.plan", "--yes", code=0, **KEY)
    approved.calls()
    refused(approved, "it was already applied")


def test_without_the_key_a_signed_plan_is_applied_with_a_note(approved):
    approved.run("plan", "--out", "saved.plan", code=0, **KEY)
    done = approved.run("apply", "saved.plan", "--yes", code=0)
    assert "RECONCILER_PLAN_KEY is not set, so the signature was not checked" in done.err


def test_with_a_key_only_a_plan_that_it_signed_is_applied(approved):
    refused(approved, "it is not signed, but RECONCILER_PLAN_KEY is set", env=KEY)
    assert "Apply would refuse the plan: it is not signed" in approved.run("show", "saved.plan", code=0, **KEY).err
    approved.run("plan", "--format", "json", "--output", "saved.plan", code=0, **KEY)  # only --out signs
    refused(approved, "it is not signed, but RECONCILER_PLAN_KEY is set", env=KEY)
    approved.run("plan", "--out", "saved.plan", code=0, RECONCILER_PLAN_KEY="f" * 64)
    refused(approved, "its signature does not match", env=KEY)
    approved.run("plan", "--out", "saved.plan", code=0, **KEY)
    edit(approved, lambda document: document.update(runs=0))
    refused(approved, "its signature does not match", env=KEY)
    approved.run("apply", "saved.plan", "--yes", code=1, RECONCILER_PLAN_KEY="")
    assert approved.calls() == []


def test_a_key_that_is_empty_or_short_stops_the_commands_that_need_it(approved):
    for key in ("", "hunter2"):
        env = {"RECONCILER_PLAN_KEY": key}
        for command in (("plan", "--out", "other.plan"), ("apply", "saved.plan", "--yes"), ("show", "saved.plan")):
            done = approved.run(*command, code=1, **env)
            assert "RECONCILER_PLAN_KEY" in done.err
            assert "hunter2" not in done.out + done.err
        approved.run("plan", code=0, **env)
    assert not (approved.folder / "other.plan").exists()
    assert approved.calls() == []


def test_the_key_is_no_credential_and_reaches_no_credential_command(approved):
    project(approved, auth=("{env: BB_PASSWORD}", "{env: RECONCILER_PLAN_KEY}"))
    done = approved.run("plan", "--out", "other.plan", code=1, **KEY)
    assert 'sends RECONCILER_PLAN_KEY as "password", but it signs plans' in done.err
    script = approved.folder / "password"
    script.write_text('#!/bin/sh\nprintenv > seen\necho "$BB_PASSWORD"\n', encoding="utf-8")
    script.chmod(0o755)
    project(approved, auth=("{env: BB_PASSWORD}", f"{{command: [{script}]}}"))
    approved.run("plan", "--out", "other.plan", code=0, **KEY)
    seen = (approved.folder / "seen").read_text(encoding="utf-8")
    assert "BB_PASSWORD" in seen
    assert "RECONCILER_PLAN_KEY" not in seen
