"""Who may allow what affects bookings: each way in which somebody without that right could try."""

from __future__ import annotations

import pytest

from reconciler.errors import UsageError
from reconciler.forge.decisions import decided, lines
from reconciler.model.decision import Decision

LINE = "/allow-booked Session/yoga"
FORK = "eve/timetable"


def _found(forge, pull, by="write"):
    found = decided(forge, [forge.request(pull.number)], by)
    return [(item.address, item.by) for item in found.decisions], [words.partition(": ")[2] for words in found.ignored]


def test_the_description_of_who_has_write_access_decides(served, forge):
    pull = served.open("a", author="ben", body=f"Cheaper.\r\n\r\n{LINE}\r\n/allow-booked Block/x")
    found = decided(forge, [forge.request(pull.number)], "write")
    url = f"https://github.com/acme/timetable/pull/{pull.number}"
    assert found.decisions == (
        Decision(address="Block/x", by="ben", url=url),
        Decision(address="Session/yoga", by="ben", url=url),
    )
    assert found.ignored == ()


def test_a_label_decides_for_who_set_it(served, forge):
    pull = served.open("a", author="ben")
    served.label(pull, "ben", "allow-booked Session/yoga")
    served.label(pull, "ana", "bug")
    assert _found(forge, pull) == ([("Session/yoga", "ben")], [])
    served.label(pull, "tim", "allow-booked Session/yoga", "unlabeled")
    assert _found(forge, pull) == ([], [])
    served.label(pull, "tim", "allow-booked Session/yoga")  # the right to set labels (triage) is not the right to write
    assert _found(forge, pull) == ([], ["/allow-booked Session/yoga in a label: tim has no write access"])


@pytest.mark.parametrize("by", ["write", "review"])
def test_an_approval_of_the_head_decides_even_for_a_fork(served, forge, by):
    pull = served.open("a", author="eve", repository=FORK)
    served.review(pull, "ana", f"Fine.\n{LINE}")
    assert _found(forge, pull, by) == ([("Session/yoga", "ana")], [])


ATTACKS = {
    "the author of a fork writes the line": lambda served, pull: (served, pull),
    "a reader approves": lambda served, pull: served.review(pull, "tim", LINE),
    "an approval is dismissed": lambda served, pull: (
        served.review(pull, "ana", LINE),
        served.review(pull, "ana", LINE, "DISMISSED"),
    ),
    "a maintainer requests changes after the approval": lambda served, pull: (
        served.review(pull, "ana", LINE),
        served.review(pull, "ana", "", "CHANGES_REQUESTED"),
    ),
    "a maintainer only comments": lambda served, pull: served.review(pull, "ana", LINE, "COMMENTED"),
    "a label on a fork, whose branch may change after it": lambda served, pull: served.label(
        pull, "ana", "allow-booked Session/yoga"
    ),
    "a comment": lambda served, pull: served.say(pull.number, "ana", LINE),
    "an account that was deleted": lambda served, pull: (
        served.review(pull, "ana", LINE),
        pull.reviews[0].update(user=None),
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_else_decides(served, forge, attack):
    pull = served.open("a", author="eve", body=LINE, repository=FORK)
    ATTACKS[attack](served, pull)
    decisions, ignored = _found(forge, pull)
    assert decisions == []
    assert ignored


def test_an_approval_ends_with_the_commit_that_it_approves(served, forge):
    pull = served.open("a", author="eve", repository=FORK)
    served.review(pull, "ana", LINE)
    pull.branch = "b"  # the fork pushes another commit after the review
    assert _found(forge, pull) == (
        [],
        ["/allow-booked Session/yoga in a review: the review by ana approves another commit"],
    )


def test_only_reviews_count_where_the_workflow_says_so(served, forge):
    pull = served.open("a", author="ben", body=LINE)
    served.label(pull, "ana", "allow-booked Session/x")
    assert _found(forge, pull, "review") == (
        [],
        [
            "/allow-booked Session/yoga in a description: only an approving review counts here",
            "/allow-booked Session/x in a label: only an approving review counts here",
        ],
    )
    served.review(pull, "ben", LINE)
    assert _found(forge, pull, "review")[0] == []


def test_a_forge_that_cannot_tell_what_a_review_approves_refuses_the_choice(forge):
    forge.kinds = frozenset({"description"})
    with pytest.raises(UsageError, match="does not say which commit a review approves"):
        decided(forge, [], "review")


@pytest.mark.parametrize(
    "words",
    [
        "> /allow-booked Session/yoga",
        "Write /allow-booked Session/yoga",
        "<!-- \n/allow-booked Session/yoga\n-->",
        "<!--\n/allow-booked Session/yoga",
        "```\n/allow-booked Session/yoga\n```",
        "~~~\n/allow-booked Session/yoga",
        "/allow-bookedSession/yoga",
        "/allow-booked Session/yoga and more",
        "/allow-booked",
    ],
)
def test_what_is_not_a_visible_line_of_its_own_is_none(words):
    assert list(lines(words)) == []


@pytest.mark.parametrize("address", ["*", "Session/*", "--yes", "Session/yoga;id", "Session/y?", "Session/\u202eyoga"])
def test_only_exact_addresses_are_decided(served, forge, address):
    pull = served.open("a", author="ben", body=f"/allow-booked {address}")
    decisions, ignored = _found(forge, pull)
    assert decisions == []
    assert "expected the exact address of one object" in ignored[0]
