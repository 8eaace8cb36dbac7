"""The address that was meant: only one whose name is alike, never one that merely shares a kind."""

import pytest

from reconciler.model.nearest import nearest_address

KNOWN = ["Session/spring-yoga", "Session/spin", "Resource/court-1"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Session/spring-yogs", "Session/spring-yoga"),
        ("Sesion/spin", "Session/spin"),
        ("Resource/court-2", "Resource/court-1"),
        ("Session/judo", None),
        ("Session/x", None),
        ("", None),
    ],
)
def test_an_address_is_suggested_where_its_name_is_alike(text, meant):
    assert nearest_address(text, KNOWN) == meant


def test_the_suggestion_does_not_depend_on_the_order_of_what_is_known():
    twins = ["Session/yoga-1", "Session/yoga-2"]
    assert nearest_address("Session/yoga-", twins) == nearest_address("Session/yoga-", twins[::-1])
