"""Held bookings end to end: creation, edits, expiry in each form, doubt, refusals, and what is never shown."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import httpx
import pytest
from holding import ALL, BIKES, CREDENTIALS, FAMILY, KAYAKS, ROOM, SAIL, expected

from reconciler.providers.http import client
from reconciler.sandbox import Fault, Options

# What is sent


def test_each_call_of_the_seed_is_seen_with_its_documented_encoding(shop):
    shop.declare("BookingSession", "group", {"items": ALL})
    plan = shop.run("plan", "--format", "json", code=0).json["changes"][0]
    assert [call["method"] for call in plan["calls"]] == ["GET"] * 5 + ["POST", "POST"]
    assert {"method": "GET", "path": "/api/3.0/item/21?start_date=20310708&end_date=20310709&param%5Bqty%5D=3"} in plan[
        "calls"
    ]
    shop.run("apply", "--yes", code=0)
    shop.declare("BookingSession", "group", {"items": [{**ROOM, "params": {"guests": 3}}, {**BIKES, "quantity": 5}]})
    shop.run("apply", "--yes", code=0)
    shop.declare("BookingSession", "group", {"items": []})
    shop.run("apply", "--yes", code=0)
    shop.forget("BookingSession", "group")
    shop.run("destroy", "--yes", code=0)
    log = [entry for entry in shop.box.log() if "booking/session" in entry.path]
    sent = [(entry.path, parse_qsl(entry.request_body)) for entry in log if entry.method == "POST"]
    assert {entry.content_type for entry in log if entry.method == "POST"} == {"application/x-www-form-urlencoded"}
    assert [path.removeprefix("/api/3.0/booking/session") for path, _ in sent] == [
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "/clear",
        "/end",
    ]
    first, *others = [form for _, form in sent]
    assert [name for name, _ in first] == ["slip[]"] * 5
    assert all(form[0][0] == "session_id" for form in others)
    names = [tuple(name.partition("[")[0] for name, _ in form[1:]) for form in others]
    assert names == [("alter", "alter"), ("alter",), ("line_id", "slip"), *[("alter",)] * 3, (), ()]
    assert dict(others[0][1:]) == {"alter[2.1]": "optin", "alter[2.2]": "optout"}
    assert [value for form in others[3:6] for name, value in form[1:]] == ["remove"] * 3
    reads = [entry.query for entry in log if entry.method == "GET"]
    assert reads
    assert all(query.startswith("session_id=") and "&" not in query for query in reads)


def test_on_behalf_is_sent_and_nothing_of_it_is_needed_to_read_back(holding, monkeypatch):
    file = holding.folder / "reconciler.yaml"
    file.write_text(file.read_text().replace("provider: checkfront\n", "provider: checkfront\n      on_behalf: '12'\n"))
    seen = []
    send = client.HttpClient._carry
    monkeypatch.setattr(client.HttpClient, "_carry", lambda *a: seen.append(a[1].headers) or send(*a))
    holding.hold([ROOM])
    holding.applied()
    assert {headers["X-On-Behalf"] for headers in seen} == {"12"}


def test_lines_go_from_the_highest_down_with_a_look_before_each(holding):
    holding.box.set_options(line_renumber="renumber")
    holding.hold(ALL)
    holding.applied()
    holding.box.clear_log()
    holding.hold([KAYAKS])
    assert holding.apply().clean
    log = [entry for entry in holding.box.log() if "booking/session" in entry.path]
    assert [entry.method for entry in log] == ["GET", *["GET", "POST"] * 4, "GET"]
    removed = [dict(parse_qsl(entry.request_body)) for entry in log if entry.method == "POST"]
    assert [next(name for name in form if name.startswith("alter")) for form in removed] == [
        "alter[5]",
        "alter[4]",
        "alter[2]",
        "alter[1]",
    ]
    assert holding.lines() == expected([KAYAKS])


@pytest.mark.parametrize("answer", Options.choices()["clear_answer"])
def test_a_session_is_emptied_whatever_the_answer_shows(holding, answer):
    holding.box.set_options(clear_answer=answer)
    holding.hold([ROOM, BIKES])
    holding.applied()
    holding.hold([])
    holding.applied()
    assert holding.lines() == []


def test_a_renamed_key_sends_nothing_and_two_items_alike_stay_two(holding):
    holding.box.set_options(slip_style="opaque")
    holding.hold([ROOM, {**ROOM, "key": "room-2"}])
    holding.applied()
    holding.box.clear_log()
    holding.hold([{**ROOM, "key": "twin"}, {**ROOM, "key": "room-2"}])
    holding.applied()
    assert holding.writes() == []
    holding.settled()
    holding.hold([{**ROOM, "key": "twin"}])
    holding.applied()
    assert holding.lines() == expected([ROOM])


def test_alike_packages_with_different_choices_keep_them_apart(holding):
    one, two = {**FAMILY, "params": {"families": 1}}, {**FAMILY, "params": {"families": 1}, "key": "other"}
    holding.hold([one, {**two, "options": {"31": "out", "32": "out"}}])
    holding.applied()
    holding.hold([{**one, "options": {"31": "out", "32": "in"}}, {**two, "options": {"31": "in", "32": "in"}}])
    holding.applied()
    assert sorted(line["options"]["31"] for line in holding.lines()) == ["in", "out"]


def test_a_slip_of_the_users_own_is_passed_on_as_it_is(holding):
    slip = "21.20310708X1-1"
    holding.hold([{"key": "own", "slip": slip, "quantity": 4}])
    report = holding.applied()
    assert report.summary["applied"] == 1
    assert holding.box.holds()[0]["lines"][0]["params"] == {"qty": 4}
    holding.hold([{"key": "own", "slip": "17.20310708X1-guests.2"}])
    holding.applied()
    assert [line["item_id"] for line in holding.lines()] == [17]


@pytest.mark.parametrize("bad_slip", ["error", "silent"])
def test_a_slip_that_is_none_fails_in_words(holding, bad_slip):
    holding.box.set_options(bad_slip=bad_slip)
    holding.hold([ROOM, {"key": "own", "slip": "17.nonsense"}])
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "failed"
    assert "not valid" in outcome.error or "items[own]" in outcome.error
    holding.hold([ROOM])
    holding.applied()
    assert holding.lines() == expected([ROOM])


@pytest.mark.parametrize("over_quantity", ["error", "silent"])
def test_what_is_sold_out_fails_that_object_alone_in_the_servers_words(holding, over_quantity):
    holding.box.set_options(over_quantity=over_quantity)
    cruise = {"key": "cruise", "item_id": 40, "start_date": "2031-07-08", "end_date": "2031-07-08"}
    holding.hold([ROOM, cruise], name="cruise")
    holding.hold([{**KAYAKS, "params": {"adults": 40}}], name="crowd")
    holding.hold([BIKES], name="fine")
    outcomes = {str(item.address): item for item in holding.apply().outcomes}
    assert {name: item.state for name, item in outcomes.items()} == {
        "BookingSession/cruise": "failed",
        "BookingSession/crowd": "failed",
        "BookingSession/fine": "applied",
    }
    assert outcomes["BookingSession/cruise"].error == "items[cruise]: item 40: Sold out"
    assert outcomes["BookingSession/crowd"].error == "items[kayaks]: item 18: Only 15 available"
    assert [line["item_id"] for line in holding.lines()] == [21]


@pytest.mark.parametrize("shape", Options.choices()["error_shape"])
@pytest.mark.parametrize("start", Options.choices()["refused_start"])
def test_a_refused_start_that_names_a_session_leaves_no_second_one(holding, start, shape):
    holding.box.set_options(refused_start=start, error_shape=shape)
    rooms = [{**ROOM, "key": f"room-{number}"} for number in range(3)]
    holding.hold(rooms)
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "failed"
    assert "Sold out" in outcome.error
    made = [hold["id"] for hold in holding.box.holds()]
    assert len(made) == (1 if start == "kept" else 0)
    assert len(holding.records()) == len(made)
    holding.hold(rooms[:2])
    holding.applied()
    assert holding.lines() == expected([ROOM, ROOM])
    assert made in ([], [holding.session_id])


def test_a_refused_start_whose_session_cannot_be_read_is_looked_at_by_the_next_run(holding):
    holding.box.set_options(refused_start="kept")
    rooms = [{**ROOM, "key": f"room-{number}"} for number in range(3)]
    holding.hold(rooms)
    holding.box.fault(Fault(kind="status_before", match_method="GET", match_path="session", status=500, times=4))
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "unknown"
    assert "Sold out" in outcome.error
    holding.box.clear_faults()
    holding.hold(rooms[:2])
    holding.applied()
    assert holding.lines() == expected([ROOM, ROOM])


@pytest.mark.parametrize("over_quantity", ["error", "silent"])
def test_items_that_do_not_fit_together_are_reported_and_the_rest_is_recorded(holding, over_quantity):
    holding.box.set_options(over_quantity=over_quantity)
    rooms = [{**ROOM, "key": f"room-{number}"} for number in range(3)]
    holding.hold(rooms)
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "failed"
    assert "Sold out" in outcome.error or "items[room-" in outcome.error
    holding.hold(rooms[:2])
    holding.applied()
    assert holding.lines() == expected([ROOM, ROOM])


def test_a_quantity_that_does_not_fit_is_refused_and_nothing_is_lost(holding):
    for over_quantity in ("error", "silent"):
        holding.box.set_options(over_quantity=over_quantity)
        holding.hold([BIKES])
        holding.applied()
        holding.hold([{**BIKES, "quantity": 11}])
        (outcome,) = holding.apply().outcomes
        assert outcome.state == "failed"
        assert "available" in outcome.error
        assert holding.lines() == expected([BIKES])


def test_a_line_is_kept_where_its_replacement_needs_the_same_stock(holding):
    rooms = [ROOM, {**ROOM, "key": "room-2"}]
    holding.hold(rooms)
    holding.applied()
    holding.hold([{**ROOM, "params": {"guests": 3}}, rooms[1]])
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "failed"
    assert "Sold out" in outcome.error
    assert "its current line also uses the available stock" in outcome.error
    assert holding.lines() == expected(rooms)


# What is rated is what is asked for

MAY = {**ROOM, "start_date": "2031-05-01", "end_date": "2031-05-31"}


@pytest.mark.parametrize("style", Options.choices()["slip_style"])
@pytest.mark.parametrize(
    ("ignored", "item", "words"),
    [
        ("days", MAY, "end_date is 2031-05-31 in the manifest"),
        ("params", {**KAYAKS, "params": {"adults": 5, "children": 3}}, "params.adults is 5 in the manifest"),
        ("params", BIKES, "quantity is 3 in the manifest"),
        ("times", {**SAIL, "start_time": "19:30"}, "start_time is 19:30 in the manifest, but the server rated 17:00"),
        ("discount", SAIL, "discount_code is SUMMER10 in the manifest, but the server rated no discount"),
    ],
    ids=str,
)
def test_an_answer_for_something_else_than_asked_is_refused_before_anything_is_held(
    holding, ignored, item, words, style
):
    holding.box.set_options(rates=ignored, slip_style=style)
    holding.hold([ROOM, item | {"key": "other"}])
    (outcome,) = holding.apply().outcomes
    assert outcome.state == "failed"
    assert words in outcome.error
    assert outcome.error.startswith("manifests/group.json:1:1: items[other]: ")
    assert holding.box.holds() == []
    assert holding.writes() == []
    holding.box.set_options(rates="")
    holding.applied()


def test_a_changed_line_stays_where_its_new_rate_is_for_something_else(holding):
    holding.hold([ROOM])
    holding.applied()
    holding.box.set_options(rates="params")
    holding.hold([{**ROOM, "params": {"guests": 4}}])
    assert "params.guests is 4 in the manifest, but the server rated 1" in holding.apply().outcomes[0].error
    assert holding.lines() == expected([ROOM])


def test_a_parameter_that_the_item_does_not_have_is_named_with_what_was_meant(holding):
    holding.hold([{**ROOM, "params": {"guets": 4}}])
    (outcome,) = holding.apply().outcomes
    assert "items[room]: item 17: params.guets is not a parameter" in outcome.error
    assert 'did you mean "guests"?' in outcome.error
    assert holding.box.holds() == []


def test_a_rate_status_is_reported_in_its_own_words(holding):
    holding.box.set_options(rate_status="INVALID_DURATION")
    holding.hold([ROOM])
    assert "items[room]: item 17: INVALID_DURATION" in holding.apply().outcomes[0].error


def test_only_a_shortage_is_explained_by_the_line_that_is_changed(holding):
    holding.hold([ROOM])
    holding.applied()
    holding.hold([{**ROOM, "params": {"guests": 9}}])
    (outcome,) = holding.apply().outcomes
    assert "guests must be 1 to 4" in outcome.error
    assert "available stock" not in outcome.error


@pytest.mark.parametrize("listed", Options.choices()["rated_params"])
@pytest.mark.parametrize("style", Options.choices()["slip_style"])
def test_the_quantity_of_a_simple_item_needs_no_list_of_parameters(holding, style, listed):
    holding.box.set_options(rated_params=listed, slip_style=style)
    holding.hold([BIKES])
    holding.applied()
    assert holding.lines() == expected([BIKES])


# What is known and what is not


def test_state_and_drift_show_what_was_verified_and_never_the_id(shop):
    shop.declare("BookingSession", "group", {"items": [ROOM, SAIL]})
    said = [shop.run("apply", "--yes", "-v", code=0)]
    (session,) = shop.box.holds()
    drift = shop.run("drift", "--format", "json", code=0).json
    # room: 4 fields, sail: 6 (the code cannot be seen), and owner, expiry and stock of the whole.
    assert drift["coverage"] == {"fields": 4 + 6 + 3, "verifiable": 4 + 5}
    shop.declare("BookingSession", "group", {"items": [{**ROOM, "params": {"guests": 1}}, SAIL]})
    forms = ("text", "json", "markdown", "html")
    said += [shop.run("plan", "-v", "--format", form, code=0) for form in forms]
    said.append(shop.run("plan", "--out", "saved.json", code=0))
    said += [shop.run("drift", "-v", code=0), shop.run("state", "list", code=0)]
    said += [shop.run("state", "show", "BookingSession/group", *more, code=0) for more in ((), ("--format", "json"))]
    said.append(shop.run("apply", "saved.json", "--yes", "--format", "json", code=0))
    shop.box.expire_session(session["id"])
    said += [
        shop.run("drift", code=2),
        shop.run("plan", "-v", code=0),
        shop.run("state", "rm", "BookingSession/group", code=0),
    ]
    everything = "".join(item.out + item.err for item in said) + (shop.folder / "saved.json").read_text()
    assert session["id"] not in everything
    assert f"{session['id'][:4]}…" in everything
    assert CREDENTIALS["CF_SECRET"] not in everything
    assert "now room: 2 available" in everything


def test_outside_edits_of_a_booking_session_are_drift_and_are_repaired(holding):
    holding.hold([ROOM, KAYAKS, FAMILY])
    holding.applied()
    session_id = holding.session_id
    by_item = {line["item_id"]: line["line_id"] for line in holding.box.holds()[0]["lines"]}
    holding.box.edit_line(session_id, by_item[17], params={"guests": 4})
    holding.box.edit_line(session_id, by_item[30], options={"31": "out"})
    holding.box.remove_line(session_id, by_item[18])
    (drifted,) = holding.drift().objects
    assert {(field.path, field.origin) for field in drifted.fields} == {
        ("items[family].options.31", "drift"),
        ("items[kayaks]", "drift"),
        ("items[room].params", "drift"),
    }
    assert holding.change().reason.startswith("changed outside reconciler since the last apply")
    holding.applied()
    assert holding.lines() == expected([ROOM, KAYAKS, FAMILY])


@pytest.mark.parametrize("style", Options.choices()["slip_style"])
@pytest.mark.parametrize("numeric", Options.choices()["numeric_alter"])
def test_a_quantity_changed_outside_is_drift_where_only_the_rate_shows_it(holding, style, numeric):
    holding.box.set_options(altered_slip="kept", line_fields="all", slip_style=style, numeric_alter=numeric)
    holding.hold([BIKES, KAYAKS])
    holding.applied()
    by_item = {line["item_id"]: line["line_id"] for line in holding.box.holds()[0]["lines"]}
    holding.box.edit_line(holding.session_id, by_item[21], params={"qty": 5})
    (drifted,) = holding.drift().objects
    assert [(field.path, field.before, field.after) for field in drifted.fields] == [("items[bikes].quantity", 3, 5)]
    holding.box.edit_line(holding.session_id, by_item[18], params={"children": 3})
    holding.applied()
    assert holding.lines() == expected([BIKES, KAYAKS])
    holding.hold([{**BIKES, "quantity": 4}, KAYAKS])
    holding.applied()
    assert holding.lines() == expected([{**BIKES, "quantity": 4}, KAYAKS])


def test_what_no_rated_answer_and_no_slip_shows_counts_as_not_verifiable(holding):
    holding.box.set_options(slip_style="opaque", rated_fields="slip")
    holding.hold([ROOM])
    holding.applied()
    assert holding.drift().coverage == {"fields": 4 + 3, "verifiable": 1}
    assert holding.change().unverified == ("items.room.start_date", "items.room.end_date", "items.room.params")


def test_a_line_that_somebody_added_goes(holding):
    holding.hold([ROOM])
    holding.applied()
    session = holding.session_id
    form = {"session_id": session, "slip": "21.20310708X1-2"}
    httpx.post(f"{holding.box.url}/api/3.0/booking/session", data=form, auth=tuple(CREDENTIALS.values()))
    assert len(holding.lines()) == 2
    change = holding.change()
    assert [(field.path, field.after) for field in change.fields] == [("items[line 2]", None)]
    holding.applied()
    assert holding.lines() == expected([ROOM])


def test_wrong_credentials_concern_the_whole_connection(holding, monkeypatch):
    holding.hold([ROOM])
    holding.applied()
    monkeypatch.setenv("CF_SECRET", "something else")
    planned = holding.plan()
    assert planned.plan.summary["unknown"] == 1
    assert "wrong credentials" in planned.snapshot.failures["shop"].message


def test_saved_plans_targets_and_excludes_take_this_kind(shop):
    shop.declare("BookingSession", "one", {"items": [ROOM]})
    shop.declare("BookingSession", "two", {"items": [BIKES]})
    shop.run("plan", "--target", "BookingSession/one", "--out", "saved.json", code=0)
    shop.run("apply", "saved.json", "--yes", code=0)
    assert [len(hold["lines"]) for hold in shop.box.holds()] == [1]
    shop.declare("BookingSession", "one", {"items": [{**ROOM, "params": {"guests": 1}}]})
    shop.run("plan", "--exclude", "BookingSession/two", "--out", "saved.json", code=0)
    (session,) = shop.box.holds()
    shop.box.edit_line(session["id"], 1, params={"guests": 4})
    assert "stale" in shop.run("apply", "saved.json", "--yes", code=5).err
    shop.run("apply", "--yes", code=0)
    shop.settled()
    shop.run("destroy", "--yes", code=0)
    assert shop.box.holds() == []
    assert json.loads(shop.run("state", "list", "--format", "json", code=0).out)["objects"] == []
