from importlib.metadata import EntryPoint

import pytest

from reconciler import registry
from reconciler.errors import ReconcilerError
from reconciler.kinds.session.kind import KIND
from reconciler.providers.bookingbug_sessions.provider import SPEC


@pytest.fixture
def installed(monkeypatch):
    """Install entry points for one test: `{group: [(name, object reference)]}`."""
    points = []

    def entry_points(group):
        return [point for point in points if point.group == group]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    registry.kinds.cache_clear()
    registry.providers.cache_clear()
    yield lambda group, name, value: points.append(EntryPoint(name=name, value=value, group=group))
    registry.kinds.cache_clear()
    registry.providers.cache_clear()


def test_every_kind_and_provider_is_found_by_its_own_name(installed):
    assert registry.kinds()["Session"] is KIND
    assert registry.providers()["bookingbug-sessions"] is SPEC
    assert {"Session", "Resource", "Block"} <= set(registry.kinds())
    assert all(name == kind.name for name, kind in registry.kinds().items())


def test_every_kind_has_a_provider_and_every_provider_has_a_kind(installed):
    kinds, providers = registry.kinds(), registry.providers()
    assert {kind.provider for kind in kinds.values()} == set(providers)


def test_what_is_found_cannot_be_changed(installed):
    with pytest.raises(TypeError):
        registry.kinds()["Other"] = KIND


def test_another_package_brings_a_kind_through_an_entry_point(installed, monkeypatch):
    monkeypatch.setattr(registry, "_KINDS", ("resource", "block"))
    installed("reconciler.kinds", "mine", "reconciler.kinds.session.kind:KIND")
    assert registry.kinds()["Session"] is KIND


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("reconciler.kinds.session.kind:KIND", "already exists"),
        ("reconciler.kinds.session.kind:canonical", "is not a Kind"),
        ("reconciler.kinds.nosuch:KIND", "cannot be loaded"),
        ("reconciler.kinds.session.kind:NOSUCH", "cannot be loaded"),
    ],
)
def test_a_package_that_brings_something_bad_is_named(installed, value, words):
    installed("reconciler.kinds", "theirs", value)
    with pytest.raises(ReconcilerError, match=words) as caught:
        registry.kinds()
    assert "theirs" in caught.value.message
    assert value in caught.value.message
    assert caught.value.hint


def test_a_kind_is_no_provider(installed):
    installed("reconciler.providers", "theirs", "reconciler.kinds.session.kind:KIND")
    with pytest.raises(ReconcilerError, match="is not a ProviderSpec"):
        registry.providers()
