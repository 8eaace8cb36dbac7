import itertools
from importlib.metadata import EntryPoint

import pytest

from reconciler import registry
from reconciler.errors import ReconcilerError
from reconciler.kinds.session.kind import KIND
from reconciler.providers.bookingbug_sessions import SPEC

NUMBERS = itertools.count()
"""A module is imported once for all tests."""


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


PACKAGE = """
from values import replace
from reconciler.kinds.resource import KIND as RESOURCE
from reconciler.providers.checkfront import SPEC

PROVIDER = replace(SPEC, name="tool-hire", schema="{package}:connection")
TOOL = replace(RESOURCE, name="Tool", provider="tool-hire", schema="{package}:tool")
SHADOW = replace(TOOL, name="Resource")
RESERVED = replace(TOOL, name="Defaults")
ODD = replace(TOOL, name="tool hire")
NUMBERED = replace(TOOL, name="Tool2")
FOREIGN = replace(TOOL, provider="checkfront")
HOMELESS = replace(TOOL, provider="tool-hired")
BORROWED = replace(TOOL, schema="resource")
LOUD = replace(PROVIDER, name="Tool Hire")
BARE = replace(PROVIDER, schema="project")
NO_KIND = RESOURCE.canonical
"""


@pytest.fixture
def package(installed, tmp_path, monkeypatch):
    """A package that brings a provider, and objects that are wrong."""
    name = f"registry_package_{next(NUMBERS)}"
    (tmp_path / f"{name}.py").write_text(PACKAGE.replace("{package}", name), encoding="utf-8")
    (tmp_path / f"{name}_leaves.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    installed("reconciler.providers", "tools", f"{name}:PROVIDER")
    return name


def test_another_package_brings_a_kind_and_its_provider_through_entry_points(installed, package):
    installed("reconciler.kinds", "tool", f"{package}:TOOL")
    assert registry.kinds()["Tool"].provider == "tool-hire"
    assert registry.providers()["tool-hire"].schema == f"{package}:connection"
    assert registry.project_file_schema() == f"project+tool-hire={package}:connection"


@pytest.mark.parametrize(
    ("group", "value", "words"),
    [
        ("kinds", ":SHADOW", "defines 'Resource', which reconciler itself already defines"),
        ("kinds", ":RESERVED", "defines the kind 'Defaults'; expected a name such as Tool"),
        ("kinds", ":ODD", "defines the kind 'tool hire'; expected a name such as Tool"),
        ("kinds", ":NUMBERED", "defines the kind 'Tool2'; expected a name such as Tool"),
        ("kinds", ":HOMELESS", "provider 'tool-hired', which is not installed; did you mean \"tool-hire\"?"),
        ("kinds", ":FOREIGN", "for the provider checkfront, which reads only its own kinds"),
        ("kinds", ":BORROWED", "defines Tool with the schema 'resource'; expected PACKAGE:NAME"),
        ("kinds", ":NO_KIND", "is not a Kind"),
        ("kinds", ":PROVIDER", "is not a Kind"),
        ("kinds", ":MISSING", "cannot be loaded: AttributeError: "),
        ("kinds", "_none:TOOL", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("kinds", "_leaves:TOOL", "cannot be loaded: SystemExit: 3"),
        ("providers", ":PROVIDER", "defines 'tool-hire', which an installed package (entry point "),
        ("providers", ":LOUD", "defines the provider 'Tool Hire'; expected a name such as tool-hire"),
        ("providers", ":BARE", "defines tool-hire with the schema 'project'; expected PACKAGE:NAME"),
        ("providers", ":TOOL", "is not a ProviderSpec"),
    ],
)
def test_a_package_that_brings_something_wrong_is_named(installed, package, group, value, words):
    installed(f"reconciler.{group}", "theirs", f"{package}{value}")
    with pytest.raises(ReconcilerError) as caught:
        getattr(registry, group)()
    assert words in caught.value.message
    assert "theirs" in caught.value.message
    assert f"{package}{value}" in caught.value.message
    assert caught.value.hint


def test_the_distribution_of_a_wrong_entry_point_is_named(tmp_path, monkeypatch):
    folder = tmp_path / "tool_hire-1.2.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: tool-hire\nVersion: 1.2\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text("[reconciler.kinds]\ntool = no_such_package:TOOL\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    registry.kinds.cache_clear()
    with pytest.raises(
        ReconcilerError, match=r"^the package tool-hire 1\.2 \(entry point 'tool', no_such_package:TOOL"
    ):
        registry.kinds()
    registry.kinds.cache_clear()
