"""Errors in a body of the booking/session API, and which of them mean that a session is over."""

import pytest

from reconciler.providers.checkfront import refusals

SESSION = {"resource": "booking", "id": "session"}


def test_errors_stand_in_the_body():
    envelope = {"request": {"status": "ERROR", "error": {"id": "x", "title": "The session has expired"}}}
    assert refusals.refused(envelope).is_over(200)
    assert not refusals.refused({"request": {"status": "ERROR", "error": {"title": "Busy"}}}).is_over(200)
    critical = refusals.refused({"error": "invalid_grant", "error_description": "The access token is invalid."})
    assert (critical.critical, critical.is_over(200)) == (True, False)


@pytest.mark.parametrize(
    "body",
    [
        {"request": {"status": "ERROR", "error": {"id": "x", "title": "Too late", "details": "Too late"}}},
        {"request": {"status": "OK"}, "error": {"title": "Too late"}},
        {"request": {"status": "OK"}, "errors": [{"message": "Too late"}]},
        {"errors": {"slip": ["Too late"]}},
        {"error": "Too late"},
        {"status": "error", "message": "Too late"},
        {"status": 422, "detail": "Too late"},
        {"success": False, "error": True, "message": "Too late"},
        {"request": {"status": "OK"}, "booking": {"session": {"id": "abc", "error": "Too late"}}},
        {"request": {"status": "OK", "error": {"details": "Too late"}}},
    ],
    ids=str,
)
def test_an_error_is_found_wherever_it_is_and_keeps_its_words(body):
    found = refusals.refused(body)
    assert "Too late" in found.words
    assert not found.critical


def test_a_status_that_is_not_ok_is_an_error_without_words():
    assert refusals.refused({"request": {"status": "INVALID_SLIP"}}).words == "status INVALID_SLIP, no message"


@pytest.mark.parametrize(
    "body",
    [
        {"request": {"status": "OK"}, "error": "", "errors": []},
        {"request": {"status": "ok", "error": []}, "booking": {"status": "PEND", "session": {"id": "abc"}}},
        {"booking": {"session": {"id": "abc", "item": []}}},
    ],
    ids=str,
)
def test_no_error_is_found_where_there_is_none(body):
    assert refusals.refused(body) is None


def test_an_error_id_counts_as_words_and_only_oauth_errors_are_about_the_credentials():
    gone = {"request": {"status": "ERROR", "error": {"id": "session_expired", "title": "Oh no"}}}
    assert refusals.refused(gone).is_over(200)
    assert not refusals.refused({"error": "session_gone_missing"}).critical
    assert refusals.refused({"error": "Session expired"}).is_over(200)


def test_a_404_of_booking_session_itself_is_about_the_session_in_any_words():
    body = {"request": {**SESSION, "status": "ERROR", "error": {"title": "Nada"}}}
    assert refusals.refused(body).is_over(404)
    assert not refusals.refused(body).is_over(200)
    assert not refusals.refused({"error": "Nada"}).is_over(404)


@pytest.mark.parametrize("booking", [[], None, {}, {"session": []}, {"session": None}, {"session": {}}])
def test_an_ok_answer_of_booking_session_without_a_session_knows_none(booking):
    assert refusals.shows_no_session({"request": {**SESSION, "status": "OK"}, "booking": booking})
    assert not refusals.shows_no_session({"booking": booking})
    assert not refusals.shows_no_session({"request": {"resource": "item", "status": "OK"}, "booking": booking})


@pytest.mark.parametrize("booking", ["x", {"session": "x"}, {"session": 0}, {"session": {"id": "abc"}}])
def test_an_answer_of_another_shape_does_not_show_that_there_is_no_session(booking):
    assert not refusals.shows_no_session({"request": {**SESSION, "status": "OK"}, "booking": booking})


@pytest.mark.parametrize(
    ("words", "status", "over"),
    [
        ("The session was not found or has expired", 200, True),
        ("Invalid session", 200, True),
        ("session_id is unknown", 200, True),
        ("The session could not be found", 200, True),
        ("Session could not be located", 200, True),
        ("Your session has expired", 410, True),
        ("Session not found", 404, True),
        ("Not found", 404, True),
        ("Unknown resource", 404, False),
        ("Resource not found", 404, False),
        ("Not found", 200, False),
        ("Session storage is temporarily unavailable, try again", 503, False),
        ("The session was not found", 500, False),
        ("Internal error while loading the session", 500, False),
        ("Too many requests in this session", 429, False),
        ("You have no access to this session resource", 200, False),
        ("Your login session has expired, check API key", 200, False),
        ("The session could not be closed, please try again", 200, False),
        ("You may not end this session", 200, False),
        ("Only 2 left", 200, False),
        ("Your session has expired. Please start again", 200, True),
        ("Your session has expired, please try again", 200, True),
        ("Your booking has expired. Please start again.", 200, True),
        ("has expired. Please start again", 200, True),
        ("Invalid session_id", 200, True),
        ("Invalid or expired booking session", 200, True),
        ("Session ******** doesn't exist", 200, True),
        ("Session timed out", 200, True),
        ("Session timeout", 400, True),
        ("Bad Request: Session not found", 400, True),
        ("The API session is no longer available", 200, True),
        ("Timed out", 200, False),
        ("Session request timed out", 200, False),
        ("The session has an invalid item", 200, False),
        ("Invalid item in session", 200, False),
        ("The session contains an item that is not valid", 200, False),
        ("Session is not available right now", 200, False),
        ("Session over limit", 200, False),
        ("This booking is closed for the season", 200, False),
    ],
)
def test_only_words_about_the_session_itself_mean_that_it_is_over(words, status, over):
    assert refusals.Refused(words=words).is_over(status) is over
