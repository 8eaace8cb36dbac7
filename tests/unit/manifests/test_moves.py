"""Former names and forgotten objects: what validation says about them, each with its place."""

import pytest
from manifest_fakes import KINDS, manifest_text

from reconciler.manifests.load import load_text
from reconciler.manifests.moves import read_removed
from reconciler.manifests.validate import validate
from reconciler.model.objects import Address

SESSION = "{group: Wellness}"
BLOCK = "{resource: %s, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}"


def removed_text(*addresses, name="gone", **metadata):
    return manifest_text("Removed", name, f"{{forget: [{', '.join(addresses)}]}}", **metadata)


def checked(*texts):
    """Return the manifests, what is to be forgotten, and the problems in words."""
    loaded = load_text("---\n".join(texts), "f.yaml")
    removed, unusable = read_removed(loaded.documents, KINDS)
    manifests, problems = validate(loaded.documents, KINDS, removed)
    return manifests, removed, [str(problem) for problem in (*loaded.problems, *unusable, *problems)]


def test_a_former_name_is_a_word_or_a_list():
    manifests, _, problems = checked(
        manifest_text("Session", "a", SESSION, moved_from="b"),
        manifest_text("Session", "c", SESSION, moved_from="[d, e]", forget="true"),
    )
    assert problems == []
    assert [(item.moved_from, item.forget) for item in manifests] == [(("b",), False), (("d", "e"), True)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("5", "metadata.moved_from is 5; expected the previous metadata.name"),
        ("Old", 'metadata.moved_from is "Old"; expected'),
        ("[]", "expected the previous metadata.name, or a list"),
        ("[b, B]", 'metadata.moved_from[1] is "B"; expected a previous metadata.name'),
        ("[b, b]", 'metadata.moved_from names "b" twice; expected the previous metadata.name, or a list of'),
    ],
)
def test_what_is_no_name_is_refused(given, words):
    _, _, (problem,) = checked(manifest_text("Session", "a", SESSION, moved_from=given))
    assert problem.startswith("f.yaml:3:")
    assert words in problem


def test_forget_is_true_or_false():
    _, _, (problem,) = checked(manifest_text("Session", "a", SESSION, forget="yes"))
    assert problem == 'f.yaml:3:29: Session/a: metadata.forget is "yes"; expected true or false; did you mean true?'


def test_a_name_that_is_still_declared_cannot_have_been_moved():
    _, _, (problem,) = checked(
        manifest_text("Session", "a", SESSION), manifest_text("Session", "b", SESSION, moved_from="a")
    )
    assert problem == (
        "f.yaml:8:33: Session/b: is moved from Session/a, which is still declared at f.yaml:3:18; "
        "expected one of the two"
    )


def test_two_objects_cannot_be_moved_from_one():
    _, _, (problem,) = checked(
        manifest_text("Session", "a", SESSION, moved_from="x"), manifest_text("Session", "b", SESSION, moved_from="x")
    )
    assert problem == (
        "f.yaml:8:33: Session/b: is moved from Session/x, and so is Session/a at f.yaml:3:33; expected one of the two"
    )


def test_an_object_cannot_be_moved_from_itself():
    _, _, (problem,) = checked(manifest_text("Session", "a", SESSION, moved_from="[b, a]"))
    assert "f.yaml:3:37: Session/a: moved_from is the object's own name a" in problem


def test_moves_do_not_go_round_in_a_circle():
    _, _, problems = checked(
        manifest_text("Session", "a", SESSION, moved_from="b"), manifest_text("Session", "b", SESSION, moved_from="a")
    )
    assert [problem.split("; ")[0] for problem in problems] == [
        "f.yaml:3:33: Session/a: moved_from forms a cycle that leads back to Session/a",
        "f.yaml:8:33: Session/b: moved_from forms a cycle that leads back to Session/b",
    ]


def test_a_reference_to_a_former_name_names_the_new_one():
    _, _, (problem,) = checked(
        manifest_text("Resource", "hall", "{name: Hall}", moved_from="room"),
        manifest_text("Block", "closed", BLOCK % "room"),
    )
    assert problem.endswith('resource names Resource/room, which is not declared; it was moved to "hall"')


def test_what_is_removed_is_read_with_its_places():
    _, removed, problems = checked(removed_text("Session/old", "Block/roof"))
    assert problems == []
    assert [(item.address, str(item.where)) for item in removed] == [
        (Address("Session", "old"), "f.yaml:4:17"),
        (Address("Block", "roof"), "f.yaml:4:30"),
    ]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([removed_text("old")], 'forget[0] is "old"; expected an address such as Session/spring-yoga'),
        ([removed_text("Session/a", "Session/a")], 'forget names "Session/a" twice; expected a list of'),
        ([manifest_text("Removed", "gone", "{}")], "forget is missing"),
        ([removed_text("Sesion/old")], "f.yaml:4:17: Removed/gone: Sesion/old: unknown kind Sesion"),
        ([removed_text("Sesion/old")], 'did you mean "Session"?'),
        ([removed_text("Session/old", protect="true")], "metadata.protect is not allowed here"),
        ([removed_text("Session/a"), removed_text("Session/b")], "Removed/gone: is declared twice"),
        ([removed_text("Session/a"), removed_text("Session/a", name="more")], "Session/a: is listed as removed twice"),
        (
            [manifest_text("Session", "a", SESSION), removed_text("Session/a")],
            "f.yaml:9:17: Session/a: is listed as removed, but declared at f.yaml:3:18; expected one of the two",
        ),
        (
            [manifest_text("Session", "a", SESSION, moved_from="b"), removed_text("Session/b")],
            "Session/b: is listed as removed, but Session/a was moved from it",
        ),
        (
            [manifest_text("Block", "closed", BLOCK % "room"), removed_text("Resource/room")],
            "resource names Resource/room, which is not declared; it is listed as removed at f.yaml:9:17",
        ),
        (
            [
                manifest_text("Resource", "room", "{name: Room}", forget="true"),
                manifest_text("Block", "closed", BLOCK % "room"),
            ],
            "resource names Resource/room, which is no longer managed (metadata.forget); expected a managed object",
        ),
    ],
)
def test_a_removal_that_cannot_be_meant_is_refused(texts, words):
    _, _, (problem,) = checked(*texts)
    assert words in problem


def test_an_object_that_is_forgotten_itself_may_refer_to_a_forgotten_one():
    _, _, problems = checked(
        manifest_text("Block", "closed", BLOCK % "room", forget="true"), removed_text("Resource/room")
    )
    assert problems == []


def test_the_kind_removed_is_offered_to_who_mistypes_it():
    _, _, (problem,) = checked(manifest_text("Removd", "gone", "{forget: [Session/a]}"))
    assert problem.endswith('did you mean "Removed"?')
