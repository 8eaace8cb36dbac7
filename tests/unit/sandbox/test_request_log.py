"""The log of requests: in order of arrival, bounded, and without what cannot be shown."""

from reconciler.sandbox import request_log as module
from reconciler.sandbox.request_log import RequestLog, readable


def opened(log, path):
    return log.open(method="GET", path=path, query="", body=b"", content_type="")


def test_entries_keep_the_order_of_arrival_and_their_numbers_after_a_clear():
    log = RequestLog()
    assert [opened(log, path).number for path in "ab"] == [1, 2]
    assert [entry.path for entry in log.entries()] == ["a", "b"]
    log.clear()
    assert log.entries() == []
    assert opened(log, "c").number == 3


def test_a_request_without_an_answer_has_no_status():
    log = RequestLog()
    entry = opened(log, "a")
    assert log.as_dicts()[0]["status"] is None
    entry.status = 200
    assert log.as_dicts()[0]["status"] == 200


def test_a_body_is_text_of_bounded_size_whatever_its_bytes():
    assert readable(b"\xff{}") == "\ufffd{}"
    assert len(readable(b"x" * 1_000_000)) == module._KEPT_BODY
