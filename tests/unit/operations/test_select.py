import pytest

from reconciler.errors import UsageError
from reconciler.model.objects import Address, Desired, SourceRef
from reconciler.model.plan import Selection
from reconciler.operations.select import select


def parse(*texts):
    return {Address.parse(text) for text in texts}


def declared(*texts, **needs):
    found = {}
    for address in parse(*texts):
        depends_on = tuple(sorted(parse(*needs.get(address.name, ()))))
        found[address] = Desired(
            address=address, connection="c", fields={}, source=SourceRef("a.yaml", 1), depends_on=depends_on
        )
    return found


ALL = ("Resource/court", "Resource/hall", "Block/closed", "Session/yoga")
DESIRED = declared(*ALL, closed=("Resource/court",))


def chosen(*targets, excludes=(), existing=(), universe=ALL, desired=DESIRED):
    selection = Selection(targets=targets, excludes=tuple(excludes))
    return {str(item) for item in select(parse(*universe), selection, desired, parse(*existing))}


def test_without_targets_everything_is_chosen():
    assert chosen() == set(ALL)


def test_a_glob_chooses_by_kind_and_by_name():
    assert chosen("Resource/*") == {"Resource/court", "Resource/hall"}
    assert chosen("*/y*", "Resource/hall") == {"Session/yoga", "Resource/hall"}


def test_letters_of_another_case_do_not_match():
    with pytest.raises(UsageError):
        chosen("session/yoga")


def test_excluding_takes_away_from_what_was_chosen():
    assert chosen("Resource/*", excludes=["*/hall"]) == {"Resource/court"}
    assert chosen(excludes=["Session/*"]) == set(ALL) - {"Session/yoga"}


def test_what_a_chosen_object_needs_comes_along_only_where_it_does_not_exist_yet():
    assert chosen("Block/*") == {"Block/closed", "Resource/court"}
    assert chosen("Block/*", existing=["Resource/court"]) == {"Block/closed"}


def test_what_is_excluded_does_not_come_along():
    assert chosen("Block/*", excludes=["Resource/court"]) == {"Block/closed"}


def test_needs_are_followed_through_several_objects():
    desired = declared("A/one", "A/two", "A/three", one=("A/two",), two=("A/three",))
    universe = ("A/one", "A/two", "A/three")
    assert chosen("A/one", universe=universe, desired=desired) == set(universe)


def test_a_circle_of_needs_ends():
    desired = declared("A/one", "A/two", one=("A/two",), two=("A/one",))
    assert chosen("A/one", universe=("A/one", "A/two"), desired=desired) == {"A/one", "A/two"}


@pytest.mark.parametrize(
    ("option", "selection"),
    [("--target", {"targets": ("Session/yogq",)}), ("--exclude", {"excludes": ("Session/yogq",)})],
)
def test_a_pattern_that_matches_nothing_is_wrong_usage_and_a_near_miss_is_named(option, selection):
    with pytest.raises(UsageError) as caught:
        select(parse(*ALL), Selection(**selection), DESIRED, ())
    assert option in caught.value.message
    assert caught.value.hint == "did you mean Session/yoga?"
