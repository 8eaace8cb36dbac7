"""The names that completion offers: read quickly, from the project alone, and nothing a shell could act on."""

import os

import pytest

from reconciler import settings
from reconciler.manifests.outline import DEFAULT_STATE, outline

PROJECT = """
apiVersion: reconciler/v1
kind: Project
metadata: {name: acme}
spec:
  manifests: [manifests, "more/*.yaml"]
  connections:
    sessions: {provider: bookingbug-sessions}
    "$(touch x)": {provider: checkfront}
  environments:
    prod: {connections: {shop: {base_url: https://a.example}}}
    ? test
    : {}
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "reconciler.yaml").write_text(PROJECT)
    (tmp_path / "manifests").mkdir()
    return tmp_path


def _addresses(project, text, name="a.yaml"):
    (project / "manifests" / name).write_text(text)
    return _declared(project)


def _declared(project, **limit):
    return [name for names in outline(project).addresses({}, **limit).values() for name in names or ()]


def test_the_project_file_names_environments_and_connections(project):
    found = outline(project / "reconciler.yaml")
    assert (found.environments, found.connections) == (("prod", "test"), ("sessions", "shop"))
    assert found.manifests == ("manifests", "more/*.yaml")


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("kind: Session\nmetadata:\n  labels: {name: b}\n  name: yoga\nspec: {name: c}", ["Session/yoga"]),
        ('{"kind": "Block", "spec": [{"name": 1}], "metadata": {"name": "a-1"}}', ["Block/a-1"]),
        ("--- {kind: Session, metadata: {name: a}}\n---\nkind: Block\nmetadata: {name: b}", ["Session/a", "Block/b"]),
        (
            "metadata: &m {name: a}\nkind: Session\n---\n: [\n---\nkind: Session\nmetadata: {name: b}",
            ["Session/a", "Session/b"],
        ),
        ("? {a: b}\n: c\nkind: Session\nmetadata: {name: a}", []),
        ('"": 1\n"x": ["", {"": 2}]\nkind: Session\nmetadata: {name: a}', ["Session/a"]),
        ('kind: Session\nmetadata: {name: "yoga-{{ each.key }}"}', []),
        ('kind: Session\nmetadata: {name: "$(touch x)"}\n---\nkind: "`x`"\nmetadata: {name: a}', []),
        ('kind: Session\nmetadata: {name: "a\\n-x"}', []),
        ("kind: Session\nmetadata: {name: -a}", []),
        ("[" * 3000, []),
        ("kind: Session\nmetadata: {name: a\x00}", []),
        ("", []),
    ],
    ids=range(13),
)
def test_addresses_are_found_in_every_form_of_yaml_and_only_if_they_are_valid(project, text, addresses):
    assert _addresses(project, text) == addresses


def test_nothing_outside_the_project_is_read(project, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "b.yaml").write_text("kind: Session\nmetadata: {name: b}")
    (project / "manifests" / "b.yaml").symlink_to(outside / "b.yaml")
    (project / "manifests" / "folder").symlink_to(outside)
    os.mkfifo(project / "manifests" / "pipe.yaml")
    assert _addresses(project, "kind: Session\nmetadata: {name: a}") == ["Session/a"]
    text = PROJECT.replace("[manifests,", f"[{outside}, ../{outside.name},")
    (project / "reconciler.yaml").write_text(text)
    assert _declared(project) == []
    other = tmp_path_factory.mktemp("linked")
    (other / "reconciler.yaml").symlink_to(project / "reconciler.yaml")
    assert outline(other) is None


def test_what_takes_too_long_or_is_too_large_is_left_out(project):
    assert _addresses(project, "kind: Session\nmetadata: {name: a}" + "#" * 1_000_000) == []
    assert _addresses(project, "kind: Session\nmetadata: {name: b}", "b.yaml") == ["Session/b"]
    assert _declared(project, seconds=-1) == []


@pytest.mark.parametrize("text", ["", "a", "[1]", "spec: [a]", "spec: {manifests: a, environments: [b]}", "\xff: {"])
def test_a_broken_project_file_names_nothing(project, text):
    (project / "reconciler.yaml").write_bytes(text.encode("latin-1"))
    found = outline(project)
    assert (found.environments, found.connections, _declared(project)) == ((), (), [])


def test_the_state_is_a_file_of_the_project_and_that_of_the_environment(project, tmp_path_factory):
    assert DEFAULT_STATE == settings.DEFAULT_STATE
    assert outline(project).state(None) is None
    for name in (".reconciler/state.db", "test.db"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).touch()
    text = PROJECT.replace("    : {}", "    : {state: sqlite:///test.db, connections: {state: {}}}")
    (project / "reconciler.yaml").write_text(text)
    states = [outline(project).state(name) for name in (None, "prod", "test")]
    assert [state and state.name for state in states] == ["state.db", "state.db", "test.db"]
    outside = tmp_path_factory.mktemp("outside") / "state.db"
    outside.touch()
    for url in (f"sqlite:///{outside}", f"sqlite:///../{outside.parent.name}/state.db", "postgresql://u@h/d", "x"):
        (project / "reconciler.yaml").write_text(text + f"  state: {url}\n")
        assert outline(project).state(None) is None


def test_without_a_project_there_are_no_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert outline(None) is None
    assert outline(tmp_path / "missing") is None
