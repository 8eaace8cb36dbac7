"""One comment and one issue, updated in place, whatever others write."""

from __future__ import annotations

import itertools

from forge_github import BOT

from reconciler.forge import sticky

MARKER = "<!-- reconciler: plan-a -->"


def _text(page, longest=65536):
    return sticky.body("plan a", page, "https://example.com/run", longest)


def test_a_comment_is_written_once_and_then_updated(served, forge):
    pull = served.open("a")
    served.page = 2  # the comment is on the second page
    for number in range(3):
        served.say(pull.number, "ben", f"Comment {number}")
    assert sticky.comment(forge, pull.number, "plan a", _text("## 1 change"))
    assert not sticky.comment(forge, pull.number, "plan a", _text("## 2 changes"))
    mine = [item for item in served.comments[pull.number] if item["user"]["login"] == BOT]
    assert [item["body"] for item in mine] == [f"{MARKER}\n## 2 changes\n\n[Run](https://example.com/run)\n"]


def test_the_marker_of_somebody_else_is_not_followed(served, forge):
    pull = served.open("a")
    served.say(pull.number, "eve", f"{MARKER}\n## Nothing changes")
    assert sticky.comment(forge, pull.number, "plan a", _text("## 1 change"))
    assert [item["user"]["login"] for item in served.comments[pull.number]] == ["eve", BOT]


def test_a_marker_inside_of_an_own_comment_is_none(served, forge):
    pull = served.open("a")
    sticky.comment(forge, pull.number, "plan b", sticky.body("plan b", f"Name\n{MARKER}\n", None, 65536))
    assert sticky.comment(forge, pull.number, "plan a", _text("## 1 change"))


def test_what_has_not_changed_is_not_written_again(served, forge):
    pull = served.open("a")
    for _ in range(2):
        sticky.comment(forge, pull.number, "plan a", _text("## 1 change"))
    assert [name for name in served.described.seen if name.startswith(("POST", "PATCH"))] == [
        "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
    ]


def test_a_page_that_is_too_long_is_replaced_by_the_way_to_it():
    text = _text("## 2000 changes\n" + "x" * 70000)
    assert text.startswith(f"{MARKER}\n## 2000 changes\n\nThe page is too long")
    assert text.endswith("[Run](https://example.com/run)\n")
    assert len(text) < 500


def test_an_issue_is_opened_updated_and_closed(served, forge):
    for page in ("one", "two"):
        address = sticky.open_issue(forge, "plan a", "Drift", _text(page))
    assert address.startswith("https://github.com/acme/timetable/issues/")
    (issue,) = served.issues.values()
    assert (issue["title"], issue["state"]) == ("Drift", "open")
    assert "two" in issue["body"]
    assert sticky.close_issues(forge, "plan b", "Done") == []
    assert sticky.close_issues(forge, "plan a", "Done") == [issue["number"]]
    assert issue["state"] == "closed"
    assert served.comments[issue["number"]][0]["body"] == "Done"
    sticky.open_issue(forge, "plan a", "Drift", _text("three"))
    assert len(served.issues) == 2


def test_a_log_cannot_end_its_block():
    page = sticky.failed_page("Plan failed", "error: ```\n# @everyone\n````\n")
    fence = "`" * 5
    assert page == f"## Plan failed\n\n{fence}text\nerror: ```\n# @everyone\n````\n{fence}"


def test_a_key_makes_a_marker_that_nothing_can_end():
    for key in ("a --> b", "<!-- x", "a\nb", *map("".join, itertools.product("->!", repeat=3))):
        assert sticky.marker(key).count("-->") == 1
        assert "\n" not in sticky.marker(key)
