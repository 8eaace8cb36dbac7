"""An id belongs to one system: another one is never written with it, and another spelling of it is no other one."""

from __future__ import annotations

import json
import sqlite3
from urllib.parse import urlsplit

import pytest
from desk import PROJECT

from reconciler.sandbox import Fault, Sandbox

COURT = {"name": "Court 1", "description": "Clay"}


@pytest.fixture
def applied(desk):
    """Two sessions and a resource, managed."""
    desk.session("yoga", name="Yoga")
    desk.session("spin", name="Spin")
    desk.declare("Resource", "court", COURT)
    desk.run("apply", "--yes", code=0)
    desk.calls()
    return desk


def asked(desk):
    """Return what was asked of the sandbox, reads and writes."""
    found = [f"{item.method} {item.path}" for item in desk.box.log()]
    desk.box.clear_log()
    return found


def refuses(desk, said, *arguments, **env):
    done = desk.run(*arguments, code=1, **env)
    assert "is managed at " in done.out + done.err
    assert said in done.out + done.err
    return done


@pytest.mark.parametrize("there", ["{url}/branch-b", "{scheme}://localhost:{port}", "{scheme}://127.0.0.1:1"])
def test_another_path_host_or_port_is_another_system(applied, there):
    parts = urlsplit(applied.box.url)
    url = there.format(url=applied.box.url, scheme=parts.scheme, port=parts.port)
    applied.project(PROJECT.format(url=url))
    applied.run("plan", "--out", "new.plan", code=1)
    for command in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        refuses(applied, f"now points to {url}", *command)
    drift = applied.run("drift", "--format", "json", code=1).json
    assert {item["status"] for item in drift["objects"]} == {"unknown"}
    assert asked(applied) == []


def test_another_user_of_the_sessions_api_is_another_account(applied):
    applied.box.set_options(username="branch-b")
    before = applied.box.sessions()
    for command in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        done = refuses(applied, "check the credentials of the connection", *command, BB_USERNAME="branch-b")
        assert "branch-b" not in done.out + done.err
    assert applied.calls() == []
    assert applied.box.sessions() == before
    applied.box.set_options(username=applied.env["BB_USERNAME"])
    applied.settled()


def test_another_company_is_another_account(applied):
    text = PROJECT.format(url=applied.box.url)
    applied.box.set_options(company_alias=99)
    applied.project(text.replace("company_id: 37004", "company_id: 99"))
    for command in (("plan",), ("apply", "--yes"), ("destroy", "--yes")):
        done = refuses(applied, "check company_id", *command)
        assert "check the credentials" not in done.out + done.err
    assert applied.calls() == []


def test_another_password_is_the_same_account(applied):
    applied.box.set_options(password="changed")
    applied.run("plan", "--detailed-exitcode", code=0, BB_PASSWORD="changed")


def test_a_saved_plan_is_stale_at_another_account(applied):
    applied.session("new", name="New")
    applied.run("plan", "--out", "new.plan", code=0)
    assert applied.env["BB_USERNAME"] not in (applied.folder / "new.plan").read_text(encoding="utf-8")
    applied.box.set_options(username="branch-b")
    done = applied.run("apply", "new.plan", "--yes", code=5, BB_USERNAME="branch-b")
    assert "connection sessions pointed to" in done.err
    assert applied.calls() == []


@pytest.mark.parametrize("spelled", ["{url}/", "{upper}", "{url}/x/..", "{url}/./"])
def test_another_spelling_of_one_system_changes_nothing(applied, spelled):
    parts = urlsplit(applied.box.url)
    url = spelled.format(url=applied.box.url, upper=f"HTTP://{parts.netloc}".upper())
    applied.project(PROJECT.format(url=url))
    applied.run("plan", "--detailed-exitcode", code=0)
    applied.run("drift", code=0)


def test_two_systems_behind_one_host_are_two(desk, tmp_path):
    """Two projects in one state, at two ports of one host: equal ids mean nothing."""
    state = f"state: sqlite:///{tmp_path}/shared.db"
    desk.project(PROJECT.format(url=desk.box.url) + f"  {state}\n")
    desk.declare("Resource", "court", COURT)
    desk.run("apply", "--yes", code=0)
    (mine,) = desk.box.resources()
    with Sandbox() as other:
        assert other.add_resource(COURT) == mine["id"]
        desk.project(PROJECT.format(url=other.url).replace("name: acme", "name: beta") + f"  {state}\n")
        desk.run("adopt", "--all", code=0)
        desk.declare("Resource", "court", {**COURT, "description": "Grass"})
        desk.run("apply", "--yes", code=0)
        (theirs,) = other.resources()
    assert theirs["description"] == "Grass"
    assert desk.box.resources() == [mine]


def older(desk, *, url=None):
    """Write the targets of the state as older versions did: only the host, and a company."""
    host = urlsplit(url or desk.box.url).hostname
    with sqlite3.connect(desk.folder / ".reconciler" / "state.db") as database:
        database.execute("update reconciler_objects set target = ? where kind = 'Session'", (host,))
        database.execute("update reconciler_objects set target = ? where kind != 'Session'", (f"{host} company 37004",))


def targets(desk):
    listed = desk.run("state", "list", "--format", "json", code=0).json["objects"]
    return {item["target"] for item in listed}


def test_an_older_state_keeps_working_and_names_its_systems_from_the_next_apply_on(applied):
    now = targets(applied)
    older(applied)
    assert targets(applied) != now
    applied.run("drift", code=0)
    applied.run("apply", "--yes", code=0)
    assert applied.calls() == []
    assert targets(applied) == now
    applied.settled()


def test_an_older_state_of_another_host_or_company_is_refused(applied):
    older(applied, url="https://elsewhere.example")
    refuses(applied, "is managed at elsewhere.example", "apply", "--yes")
    assert json.loads(applied.run("drift", "--format", "json", code=1).out)["summary"]["unknown"] == 3


@pytest.fixture
def reset(applied):
    """The server was set up again: the same address and account, and other objects behind the same ids."""
    others = {"Yoga": "Pottery", "Spin": "Chess"}
    for session in applied.box.sessions():
        applied.box.edit_session(session["id"], name=others[session["name"]], group="Club")
    (court,) = applied.box.resources()
    applied.box.edit_resource(court["id"], name="Sauna", description="Finnish")
    applied.box.clear_log()
    return applied


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("destroy", "--yes")])
def test_an_object_that_has_nothing_in_common_with_the_applied_one_is_left_alone(reset, command):
    done = reset.run(*command, code=1)
    for words in ("it had name 'Yoga', group 'Body & Mind'", "now has name 'Pottery', group 'Club'", "name 'Sauna'"):
        assert words in done.out + done.err
    assert "stop managing this id: `reconciler state rm Session/yoga`" in done.out + done.err
    assert reset.calls() == []


def test_removed_manifests_do_not_delete_other_objects(reset):
    for kind, name in (("Session", "yoga"), ("Resource", "court")):
        reset.forget(kind, name)
    reset.run("apply", "--yes", code=1)
    assert reset.calls() == []


def test_drift_says_that_it_may_be_another_object(reset):
    drift = reset.run("drift", "--format", "json", code=2).json
    assert {item["status"] for item in drift["objects"]} == {"changed"}
    assert "nothing in common with what was last applied" in reset.run("drift", code=2).out


def test_the_commands_that_the_refusal_names_lead_on(reset):
    hint = next(line for line in reset.run("apply", "--yes", code=1).err.splitlines() if "adopt Session/yoga" in line)
    named = hint.rpartition("then: `reconciler ")[2].removesuffix("`").split()
    reset.run("state", "rm", "Session/yoga", "Session/spin", "Resource/court", code=0)
    reset.run(*named, code=0)
    reset.run("plan", "--target", "Session/yoga", "--detailed-exitcode", code=2)
    reset.run("apply", "--yes", "--target", "Session/yoga", code=0)
    assert {item["name"] for item in reset.box.sessions()} == {"Yoga", "Chess"}


@pytest.mark.parametrize("edit", [{"name": "Gentle Yoga"}, {"group": "Wellness"}, {"name": "Gentle", "price": 99}])
def test_a_session_that_was_renamed_outside_is_drift(applied, edit):
    session = next(item for item in applied.box.sessions() if item["name"] == "Yoga")
    applied.box.edit_session(session["id"], **edit)
    applied.run("drift", code=2)
    applied.run("apply", "--yes", code=0)
    applied.settled()


def test_a_resource_that_was_renamed_outside_is_drift(applied):
    (court,) = applied.box.resources()
    applied.box.edit_resource(court["id"], name="Centre Court")
    applied.run("apply", "--yes", code=0)
    applied.settled()


@pytest.mark.parametrize("spec", [{}, {"price": 30, "count": 2}, {"disabled": True}])
def test_a_resource_of_which_only_the_name_can_be_compared_is_renamed_again_and_not_deleted(desk, spec):
    desk.declare("Resource", "court", {"name": "Court", **spec})
    desk.run("apply", "--yes", code=0)
    (court,) = desk.box.resources()
    desk.box.edit_resource(court["id"], name="Sauna")
    assert "nothing in common" not in desk.run("drift", code=2).out
    (change,) = desk.run("plan", "--detailed-exitcode", "--format", "json", code=2).json["changes"]
    assert [(item["path"], item["origin"]) for item in change["fields"]] == [("name", "drift")]
    for command in (("destroy", "--yes"), ("apply", "--yes", "--allow-empty")):
        assert "nothing in common" in desk.run(*command, code=1).err
        for file in (desk.folder / "manifests").iterdir():
            file.unlink()
    desk.declare("Resource", "court", {"name": "Court", **spec})
    desk.run("apply", "--yes", code=0)
    desk.settled()


def connections(desk, old, new):
    """Rename the connections of the project file."""
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(f"    {old}:\n", f"    {new}:\n"), encoding="utf-8")


@pytest.mark.parametrize("saved", [True, False], ids=["saved plan", "direct apply"])
def test_a_connection_that_was_renamed_keeps_its_objects(applied, saved):
    connections(applied, "sessions", "classes")
    connections(applied, "admin", "company")
    plan = applied.run("plan", "--detailed-exitcode", "--format", "json", "--out", "new.plan", code=2).json
    assert {(item["action"], *item["record"]) for item in plan["changes"]} == {("noop", "moved")}
    assert [item["calls"] for item in plan["changes"]] == [[]] * 3
    assert "moved from connection sessions" in applied.run("plan").out
    applied.run("drift", code=0)
    applied.run("apply", *(["new.plan"] if saved else []), "--yes", code=0)
    assert applied.calls() == []
    listed = applied.run("state", "list", "--format", "json", code=0).json["objects"]
    assert {item["connection"] for item in listed} == {"classes", "company"}
    applied.settled()


def test_a_connection_that_was_renamed_with_a_change_updates_and_one_removed_deletes(applied):
    applied.session("yoga", name="Yoga", price=40)
    applied.forget("Session", "spin")
    connections(applied, "sessions", "classes")
    applied.run("apply", "--yes", code=0)
    assert sorted(call.split()[0] for call in applied.calls()) == ["DELETE", "PUT"]
    applied.settled()


def test_an_object_moves_between_two_connections_to_one_system_without_a_call(applied):
    text = (applied.folder / "reconciler.yaml").read_text(encoding="utf-8")
    start, end = text.index("    admin:\n"), len(text)
    applied.project(text + text[start:end].replace("    admin:\n", "    office:\n").replace("127.0.0.1", "127.0.0.1"))
    applied.declare("Resource", "court", COURT, connection="office")
    plan = applied.run("plan", "--format", "json", code=0).json
    (court,) = [item for item in plan["changes"] if item["kind"] == "Resource"]
    assert (court["action"], court["record"], court["calls"]) == ("noop", ["moved"], [])
    applied.declare("Resource", "second", {"name": "Court 2"}, connection="admin")
    applied.run("apply", "--yes", code=0)
    assert [call.split()[0] for call in applied.calls()] == ["POST"]
    applied.settled()


def test_a_renamed_connection_to_another_system_is_refused(applied):
    connections(applied, "sessions", "classes")
    applied.box.set_options(username="branch-b")
    done = applied.run("apply", "--yes", code=1, BB_USERNAME="branch-b")
    assert "connection 'sessions', which is not in the project file" in done.out + done.err
    assert applied.calls() == []


def test_the_name_of_a_connection_that_leads_elsewhere_now_does_not_take_its_objects_along(applied):
    """The old name points to a new system, and a new name to the old one: only the manifest says what is meant."""
    text = (applied.folder / "reconciler.yaml").read_text(encoding="utf-8")
    admin = text[text.index("    admin:\n") :]
    elsewhere = admin.replace("company_id: 37004", "company_id: 99")
    applied.project(text.replace(admin, elsewhere) + admin.replace("    admin:\n", "    old:\n"))
    applied.declare("Resource", "court", COURT, connection="admin")
    done = applied.run("apply", "--yes", code=1)
    assert "now points to" in done.out + done.err
    applied.declare("Resource", "court", COURT, connection="old")
    applied.run("apply", "--yes", code=0)
    assert applied.calls() == []
    applied.settled()


def test_an_interrupted_create_is_found_through_a_renamed_connection(applied):
    applied.box.fault(Fault(kind="drop_after", match_method="POST", times=1))
    applied.declare("Resource", "new", {"name": "Court 2"})
    applied.run("apply", "--yes", code=3)
    applied.box.clear_faults()
    connections(applied, "admin", "company")
    applied.calls()
    applied.run("apply", "--yes", code=0)
    assert applied.calls() == []
    assert len(applied.box.resources()) == 2
    applied.settled()


def test_an_export_after_a_renamed_connection_keeps_the_addresses(applied):
    connections(applied, "admin", "company")
    done = applied.run("export", "--kind", "Resource", "--out", "exported", code=0)
    assert [path.stem for path in (applied.folder / "exported").rglob("*.yaml")] == ["court"], done


def test_adopt_all_sees_both_of_two_systems_behind_one_host(desk):
    """Two branches in one project: equal ids at another port are other objects."""
    with Sandbox() as other:
        branches = {"north": desk.box, "south": other}
        text = PROJECT.format(url=desk.box.url)
        admin = text[text.index("    admin:\n") :]
        urls = {
            name: admin.replace("admin:", f"{name}:").replace(desk.box.url, box.url) for name, box in branches.items()
        }
        desk.project(text[: text.index("    sessions:\n")] + "".join(urls.values()))
        for name, box in branches.items():
            box.add_resource(COURT)
            desk.declare("Resource", f"court-{name}", COURT, connection=name)
        desk.run("adopt", "--all", code=0)
        listed = desk.run("state", "list", "--format", "json", code=0).json["objects"]
        assert {item["connection"]: item["remote_id"] for item in listed} == {
            name: str(box.resources()[0]["id"]) for name, box in branches.items()
        }
        desk.run("export", "--out", "exported", code=0)
        assert len(list((desk.folder / "exported").rglob("*.yaml"))) == 2
