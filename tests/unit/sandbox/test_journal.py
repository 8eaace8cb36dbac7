"""The log of requests: in order of arrival, bounded, and without what cannot be shown."""

from reconciler.sandbox.journal import Journal, readable

from reconciler.sandbox import journal as module


def opened(journal, path):
    return journal.open(method="GET", path=path, query="", body=b"", content_type="")


def test_entries_keep_the_order_of_arrival_and_their_numbers_after_a_clear():
    journal = Journal()
    assert [opened(journal, path).number for path in "ab"] == [1, 2]
    assert [entry.path for entry in journal.entries()] == ["a", "b"]
    journal.clear()
    assert journal.entries() == []
    assert opened(journal, "c").number == 3


def test_a_request_without_an_answer_has_no_status():
    journal = Journal()
    entry = opened(journal, "a")
    assert journal.as_dicts()[0]["status"] is None
    entry.status = 200
    assert journal.as_dicts()[0]["status"] == 200


def test_a_body_is_text_of_bounded_size_whatever_its_bytes():
    assert readable(b"\xff{}") == "\ufffd{}"
    assert len(readable(b"x" * 1_000_000)) == module._KEPT_BODY
