"""A page for people in place of an API's answer proves nothing: the call may never have reached the API."""

from __future__ import annotations

import pytest

from reconciler.sandbox import Fault

SWIM = {"name": "Swim", "group": "Pool", "type": "event", "start_date": "2027-03-01", "time": "10:00", "price": 5}
COURT = {"name": "Court", "description": "Indoors"}
NIGHT = {"resource": "court", "start": "2027-03-01T20:00Z", "end": "2027-03-01T22:00Z"}


def answer_with_pages(desk, method):
    desk.box.fault(Fault(kind="page_before", match_method=method, times=None))
    done = desk.run("apply", "--yes", "--allow-empty", code=3)
    assert "HTML page" in done.out + done.err
    desk.box.clear_faults()
    desk.run("apply", "--yes", "--allow-empty", code=0)
    desk.settled()


def test_an_update_answered_with_a_page_is_sent_again_even_where_no_look_could_tell(desk):
    desk.declare("Session", "swim", SWIM)
    desk.run("apply", "--yes", code=0)
    desk.declare("Session", "swim", {**SWIM, "price": 6})  # which the session's show does not answer
    answer_with_pages(desk, "PUT")
    assert [item["price"] for item in desk.box.sessions()] == ["6.00"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_create_answered_with_a_page_is_sent_again_where_no_look_finds_its_object(desk, method):
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", COURT)
    desk.declare("Block", "night", NIGHT)
    answer_with_pages(desk, method)
    assert len(desk.box.sessions()) == len(desk.box.resources()) == len(desk.box.slots()) == 1


def test_the_next_run_finds_what_a_create_made_whose_answer_is_a_page(desk):
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", COURT)
    desk.declare("Block", "night", NIGHT)
    for method in ("POST", "PUT"):
        desk.box.fault(Fault(kind="garbage", match_method=method, times=None))
    desk.run("apply", "--yes", code=3)
    desk.run("apply", "--yes", code=3)
    desk.box.clear_faults()
    desk.run("apply", "--yes", code=0)
    desk.settled()
    assert len(desk.box.sessions()) == len(desk.box.resources()) == len(desk.box.slots()) == 1


@pytest.mark.parametrize(("kind", "name", "spec"), [("Session", "swim", SWIM), ("Resource", "court", COURT)])
def test_a_deletion_answered_with_a_page_leaves_nothing_behind(desk, kind, name, spec):
    desk.declare(kind, name, spec)
    desk.run("apply", "--yes", code=0)
    desk.forget(kind, name)
    answer_with_pages(desk, "DELETE")
    assert desk.box.sessions() == []
    assert all(item["deleted"] for item in desk.box.resources())


def test_a_block_whose_deletion_is_answered_with_a_page_is_lifted_by_the_next_run(desk):
    desk.declare("Resource", "court", COURT)
    desk.declare("Block", "night", NIGHT)
    desk.run("apply", "--yes", code=0)
    desk.forget("Block", "night")
    answer_with_pages(desk, "DELETE")
    assert [slot for slot in desk.box.slots() if slot["status"] == 3] == []


def test_a_refusal_under_a_status_of_success_is_told_with_the_servers_words_and_sent_again(desk):
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", COURT)
    desk.declare("Block", "night", NIGHT)
    for method in ("POST", "PUT", "DELETE"):
        desk.box.fault(Fault(kind="refusal_before", match_method=method, times=None))
        done = desk.run("apply", "--yes", "--allow-empty", code=3)
        assert "200: refused by request" in done.out
        desk.box.clear_faults()
        desk.run("apply", "--yes", "--allow-empty", code=0)
        desk.settled()
        desk.declare("Session", "swim", {**SWIM, "price": 6})  # neither is answered
        desk.declare("Resource", "court", {**COURT, "count": 2})
        if method == "PUT":
            for kind, name in (("Session", "swim"), ("Block", "night"), ("Resource", "court")):
                desk.forget(kind, name)
    assert desk.box.sessions() == []
    assert [slot for slot in desk.box.slots() if slot["status"] == 3] == []


@pytest.mark.parametrize("path", [r"/api/sessions\.xml", r"/resources$", r"/slots$"])
def test_a_refusal_in_place_of_a_list_creates_nothing(desk, path):
    desk.declare("Session", "swim", SWIM)
    desk.declare("Resource", "court", COURT)
    desk.declare("Block", "night", {**NIGHT, "resource": None, "resource_id": desk.box.add_resource({"name": "Hall"})})
    desk.box.fault(Fault(kind="refusal_before", match_method="GET", match_path=path, times=None))
    done = desk.run("plan", "--format", "json", code=1)
    unknown = [change for change in done.json["changes"] if change["action"] == "unknown"]
    assert [change["reason"].endswith("the server reported an error: refused by request") for change in unknown] == [
        True
    ]
