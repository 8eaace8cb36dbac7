"""The Python API over a real socket: the same guards as the command line, and the example of its page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_runner import blocks

import reconciler
from reconciler.schema import first_mismatch

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "python-api.md").read_text(encoding="utf-8")


@pytest.fixture
def project(desk, monkeypatch):
    """A project with two applied sessions, one of which has a booking."""
    for name, value in desk.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(desk.folder)
    desk.session("yoga")
    desk.session("swim", name="Swim")
    desk.run("apply", "--yes", code=0)
    swim = next(item for item in desk.box.sessions() if item["name"] == "Swim")
    desk.box.book(swim["slots"][0]["id"], places=4)
    desk.box.clear_log()
    return reconciler.open_project(desk.folder)


def planned(session):
    return reconciler.plan(session, reconciler.declare(session.project))


def test_apply_refuses_a_guarded_plan_with_nothing_sent_until_it_is_overridden(desk, project):
    desk.forget("Session", "swim")
    with reconciler.ProjectSession(project) as session:
        made = planned(session)
        with pytest.raises(reconciler.Refused) as refusal:
            reconciler.apply(session, made)
        assert [problem.code for problem in refusal.value.problems] == ["guard-booked-session-deleted"]
        assert refusal.value.report.refused
        assert refusal.value.report.summary["blocked"] == 1
        assert desk.calls() == []
        assert len(desk.box.sessions()) == 2
        overrides = reconciler.Overrides(allow_booked=("Session/swim",))
        report = reconciler.apply(session, made, overrides=overrides, verify=True)
    assert report.clean
    assert report.verified.left == ()
    (outcome,) = [item for item in report.outcomes if item.state == "applied"]
    assert [item.by for item in outcome.allowed] == ["--allow-booked Session/swim"]
    assert [item["name"] for item in desk.box.sessions()] == ["Yoga"]


@pytest.mark.parametrize(
    ("policy", "override", "code"),
    [
        ("max_deletes: 0", {"max_deletes": 1}, "guard-max-deletes"),
        ("max_deletes: 9", {"allow_empty": True}, "guard-empty"),
    ],
)
def test_each_limit_refuses_in_python_too(desk, project, policy, override, code):
    desk.forget("Session", "swim")
    (swim,) = [item["id"] for item in desk.box.sessions() if item["name"] == "Swim"]
    desk.box.delete("session", swim)
    if code == "guard-empty":
        desk.forget("Session", "yoga")
    else:
        desk.session("more", name="More")
        desk.run("apply", "--yes", code=0)
        desk.forget("Session", "more")
        desk.calls()
    file = desk.folder / "reconciler.yaml"
    file.write_text(file.read_text(encoding="utf-8") + f"  policy: {{{policy}}}\n", encoding="utf-8")
    with reconciler.ProjectSession(reconciler.open_project(desk.folder)) as session:
        made = planned(session)
        with pytest.raises(reconciler.Refused) as refusal:
            reconciler.apply(session, made)
        assert [problem.code for problem in refusal.value.problems] == [code]
        assert desk.calls() == []
        assert reconciler.apply(session, made, overrides=reconciler.Overrides(**override)).clean


def test_destroy_is_guarded_in_python_too(desk, project):
    with reconciler.ProjectSession(project) as session:
        made = reconciler.plan(session, reconciler.declare(project), destroying=True)
        with pytest.raises(reconciler.Refused):
            reconciler.apply(session, made)
        assert desk.calls() == []
        assert reconciler.apply(session, made, overrides=reconciler.Overrides(allow_booked=("*",))).clean
    assert desk.box.sessions() == []


def test_confirm_is_asked_once_and_a_no_changes_nothing(desk, project):
    desk.session("yoga", price=40)
    asked = []

    def confirm(plan):
        asked.append([str(change.address) for change in plan.effective])
        return len(asked) > 1

    callbacks = reconciler.Callbacks(confirm=confirm)
    with reconciler.ProjectSession(project) as session:
        with pytest.raises(reconciler.ReconcilerError, match="not confirmed"):
            reconciler.apply(session, planned(session), callbacks=callbacks)
        assert desk.calls() == []
        assert reconciler.apply(session, planned(session), callbacks=callbacks).clean
        assert reconciler.apply(session, planned(session), callbacks=callbacks).clean
    assert asked == [["Session/yoga"]] * 2


def test_what_changes_while_a_person_thinks_makes_the_plan_stale(desk, project):
    desk.session("yoga", price=40)

    def confirm(_):
        yoga = next(item for item in desk.box.sessions() if item["name"] == "Yoga")
        desk.box.edit_session(yoga["id"], spaces=99, name="Yoga by hand")
        return True

    with reconciler.ProjectSession(project) as session:
        made = planned(session)
        with pytest.raises(reconciler.StalePlan) as stale:
            reconciler.apply(session, made, callbacks=reconciler.Callbacks(confirm=confirm))
    assert stale.value.reasons
    assert desk.calls() == []


def test_an_older_plan_is_stale_once_another_run_has_written(desk, project):
    desk.session("yoga", price=40)
    with reconciler.ProjectSession(project) as session:
        made = planned(session)
        desk.session("swim", name="Swim", price=41)
        desk.run("apply", "--yes", "--target", "Session/swim", code=0)
        desk.calls()
        with pytest.raises(reconciler.StalePlan):
            reconciler.apply(session, made)
    assert desk.calls() == []


def test_an_override_that_names_no_object_is_wrong_usage(desk, project):
    with reconciler.ProjectSession(project) as session, pytest.raises(reconciler.ReconcilerError) as error:
        reconciler.guard(session, planned(session).plan, reconciler.Overrides(allow_booked=("Session/nobody",)))
    assert error.value.message == "--allow-booked Session/nobody matches no object of this plan"


EXAMPLES = [block.text for block in blocks(PAGE) if block.language == "python"]


def run_example(text):
    exec(compile(text, "python-api.md", "exec"), {})


def test_the_example_of_the_reference_page_runs(desk, project, capsys):
    desk.session("yoga", price=40)
    run_example(EXAMPLES[0])
    assert capsys.readouterr().out.splitlines()[0] == "update Session/yoga"
    desk.forget("Session", "swim")
    run_example(EXAMPLES[0])
    assert "error: refused before the first write" in capsys.readouterr().out
    applying = [text for text in EXAMPLES[2:] if "reconciler.apply(" in text]
    for text in applying:
        run_example(text)
        assert "refused: [" in capsys.readouterr().out
    assert len(applying) == 2
    assert len(desk.box.sessions()) == 2


def test_the_other_examples_of_the_reference_page_run(desk, project, capsys):
    """Each of them finds a change that nobody has applied yet."""
    printed = []
    for price, text in enumerate(EXAMPLES[1:], 40):
        desk.session("yoga", price=price)
        run_example(text)
        printed.append(sorted(capsys.readouterr().out.splitlines()))
    assert printed == [
        ["['Studio 1']"],
        ["Session/swim noop", "Session/yoga applied"],
        [],
        [],
        ["0 managed now; 0 not adopted"],
    ]


def test_the_documents_are_those_of_the_command(desk, project):
    desk.session("yoga", price=40)
    with reconciler.open_session(desk.folder) as session:
        made = reconciler.plan(session)
        assert json.loads(reconciler.to_json(made.plan)) == desk.run("plan", "--format", "json").json
        report = json.loads(reconciler.to_json(reconciler.apply(session, made), made.plan))
        assert first_mismatch("report", report) is None
        assert json.loads(reconciler.to_json(reconciler.drift(session)))["summary"]["in_sync"] == 2
        with pytest.raises(TypeError, match="needs the plan"):
            reconciler.to_json(report)


def test_a_session_can_be_closed_without_a_block(desk, project):
    session = reconciler.open_session(desk.folder)
    assert reconciler.plan(session).plan.effective == ()
    session.close()
    session.close()


def test_the_kit_says_which_extra_it_needs():
    script = "import sys; sys.modules['uvicorn'] = None; import reconciler.testing"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr.endswith(
        "ImportError: reconciler.testing needs uvicorn: pip install 'booking-reconciler[sandbox]'\n"
    )


def test_every_public_name_is_offered_by_completion():
    assert set(reconciler.__all__) <= set(dir(reconciler))


@pytest.mark.parametrize("name", [name for name in reconciler.__all__ if name != "__version__"])
def test_every_public_name_is_there(name):
    assert getattr(reconciler, name).__name__ == name


def test_the_types_of_every_value_can_be_looked_up():
    script = """if True:
        import typing, dataclasses, msgspec, reconciler
        seen = set()
        def look(kind):
            for part in kind if isinstance(kind, list) else typing.get_args(kind):
                look(part)
            if dataclasses.is_dataclass(kind) or (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
                if kind not in seen:
                    seen.add(kind)
                    look(list(typing.get_type_hints(kind).values()))
        look([getattr(reconciler, name) for name in reconciler.__all__])
        print(*sorted(kind.__name__ for kind in seen))
    """
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert {"Change", "Policy", "Window"} <= set(found)


def test_the_reference_page_names_every_public_name_and_no_other_function():
    assert [name for name in reconciler.__all__ if name != "__version__" and f"`{name}" not in PAGE] == []
    assert set(re.findall(r"`(\w+)\(", PAGE)) <= set(reconciler.__all__)
