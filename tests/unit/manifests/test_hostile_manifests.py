"""Manifests from somebody who means harm: whatever the bytes are, an end in time and problems with a place."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from manifest_fakes import KINDS

from examples import share_of
from reconciler.documents.load import load_plan
from reconciler.errors import ReconcilerError
from reconciler.manifests.load import MAX_DOCUMENTS, load_bytes, load_text
from reconciler.manifests.template import MAX_TEMPLATES, render
from reconciler.manifests.validate import validate
from reconciler.render.safe import visible

CORPUS = Path(__file__).parents[2] / "corpus" / "manifests"
FILES = sorted(CORPUS.iterdir())
NAMES = {"values": {"x": "1", "deep": {"y": [1, 2]}, "big": 10**6}, "environment": "prod", "project": "p"}
HEAD = "apiVersion: reconciler/v1\nkind: Session\nmetadata: {name: x}\nspec:\n"
CALM = settings(max_examples=share_of(60), derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))

WORDS = st.sampled_from(
    [
        *("apiVersion: reconciler/v1", "kind: Session", "metadata: {name: x}", "spec:", "  name: ", "- ", "? ", ": "),
        *("&a ", "*a", "<<: *a", "[", "]", "{", "}", ",", "---\n", "...\n", "!!str ", "!foo ", "%YAML 1.2\n", "'", '"'),
        *("\\", "#", "\n", "\n  ", "\t", "\r\n", "{{ values.x }}", "{{ ", "}}", "{% if 1 %}", "|", ">", "~", "null"),
        *("11:00", "No", "\x00", "\ufeff", "\U0001f600", "\u2028", "010", "1e9", "0x1f", "2027-03-01"),
    ]
)
YAMLISH = st.lists(WORDS, max_size=40).map("".join).map(lambda text: text.encode("utf-8", "ignore"))


def swallowed(content):
    """Take bytes through everything that reads manifests and saved plans; return the words of all problems."""
    loaded = load_bytes(content, "f.yaml")
    documents, problems = [], list(loaded.problems)
    for document in loaded.documents:
        rendered, wrong = render(document, NAMES) if document.templated else (document, [])
        documents.append(rendered)
        problems += wrong
    problems += validate(documents, KINDS)[1]
    for problem in problems:
        assert problem.where is None or (problem.where.line >= 1 and problem.where.column >= 1)
        assert visible(str(problem)).isprintable()
    with pytest.raises(ReconcilerError):
        load_plan(content.decode("utf-8", "replace"))
    return problems


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_the_corpus_is_read_to_problems_and_no_exception(file):
    problems = swallowed(file.read_bytes())
    assert problems or file.name.startswith("fuzzed-")


@given(st.binary(max_size=400))
@CALM
def test_any_bytes_are_read(content):
    swallowed(content)


@given(YAMLISH)
@CALM
def test_anything_like_yaml_is_read(content):
    swallowed(content)


@given(st.sampled_from(FILES), st.data())
@CALM
def test_a_manifest_with_a_mistake_anywhere_is_read(file, data):
    content = file.read_bytes()[:2000]
    at = data.draw(st.integers(0, len(content)))
    swallowed(content[:at] + data.draw(st.binary(max_size=3)) + content[at + data.draw(st.integers(0, 3)) :])


class _Texts(yaml.SafeLoader):
    """PyYAML's safe loader where every scalar is text: what plain YAML means, without guessing types."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, object]]] = {}  # noqa: RUF012 - PyYAML's way


def _as_texts(value):
    if isinstance(value, dict):
        return {key: _as_texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_texts(item) for item in value]
    return value


@given(
    st.recursive(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz-_", min_size=1), inner, max_size=3),
        max_leaves=12,
    ),
    st.booleans(),
    st.booleans(),
)
@CALM
def test_what_pyyaml_writes_is_read_as_pyyaml_reads_it(value, flow, unicode):
    assume(isinstance(value, (dict, list)) and value)
    text = yaml.safe_dump({"spec": value}, default_flow_style=flow, allow_unicode=unicode, default_style='"')
    loaded = load_text(text, "f.yaml")
    assert not loaded.problems
    assert [document.data for document in loaded.documents] == [yaml.load(text, _Texts)]


@given(YAMLISH)
@CALM
def test_where_both_read_anything_like_yaml_they_read_the_same(content):
    """Our own rules (no tags, no duplicates, text keys) only refuse more; numbers and words are compared as text."""
    loaded = load_bytes(content, "f.yaml")
    try:
        theirs = list(yaml.load_all(content.decode("utf-8-sig"), _Texts))
    except (yaml.YAMLError, ValueError, UnicodeError, RecursionError, TypeError):
        return
    # libyaml, which reads for us, leaves out a byte order mark where PyYAML's own parser sees text.
    assume(not loaded.problems and b"<<" not in content and b"\xef\xbb\xbf" not in content)
    # An empty text that is a whole document is one to us (`!!str `) and none to some; both say nothing.
    mine = [item for item in (_stringly(document.data) for document in loaded.documents) if item is not None]
    assert mine == [item for item in map(_stringly, theirs) if item is not None]


def _stringly(value):
    if isinstance(value, dict):
        return {key: _stringly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stringly(item) for item in value]
    if value is None or value in {"", "~", "null"}:
        return None
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return float(value) if not isinstance(value, bool) else str(value).lower()


def test_a_limit_is_reported_with_a_place():
    assert f"{MAX_DOCUMENTS:,} documents" in str(load_text("---\na: 1\n" * (MAX_DOCUMENTS + 2), "f.yaml").problems[0])
    document = load_text(HEAD + "  a: ['{{ 1 }}'" + ", '{{ 1 }}'" * MAX_TEMPLATES + "]\n", "f.yaml").documents[0]
    _, problems = render(document, {})
    place = f"f.yaml:5:{len('  a: [') + 1 + 11 * MAX_TEMPLATES}: Session/x: spec.a[{MAX_TEMPLATES}]"
    told = [str(problem) for problem in problems]
    assert told == [f"{place}: the document contains more than {MAX_TEMPLATES:,} templates"]
