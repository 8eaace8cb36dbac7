"""The address that was meant: only one whose name is alike, never one that merely shares a kind."""

import difflib

import pytest

from reconciler.model.nearest import Names, nearest_address

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


def test_among_many_names_the_near_one_is_found_by_its_letters():
    many = [f"yoga-class-{number:05}" for number in range(5_000)] + ["spring-swim", "Aqua-Fit", "x"]
    names = Names(many)
    assert names.nearest("sprng-swim") == "spring-swim"
    assert names.nearest("aquafit") == "Aqua-Fit"
    assert names.nearest("yoga-class-0420") in many
    assert names.nearest("entirely else") is None
    assert names.did_you_mean("spring-swimm") == '; did you mean "spring-swim"?'


def test_after_many_mistakes_among_many_names_nothing_is_suggested():
    names = Names([*map(str, range(10_000, 10_200)), "spring-swim"])
    found = [names.nearest("spring-swin") for _ in range(1_001)]
    assert found == ["spring-swim"] * 1_000 + [None]
    few = Names(["spring-swim"])
    assert [few.nearest("spring-swin") for _ in range(1_100)] == ["spring-swim"] * 1_100


def test_only_some_of_many_names_are_compared(monkeypatch):
    compared = []
    monkeypatch.setattr(difflib, "get_close_matches", lambda _word, known, **_: compared.append(len(known)) or [])
    names = Names(f"yoga-{number}" for number in range(3_000))
    assert names.nearest("yogaa-17") is None
    assert compared == [12]
