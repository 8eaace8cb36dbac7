from __future__ import annotations

import json
import tracemalloc
from collections import deque
from itertools import islice

import pytest
import render_samples as samples

from reconciler.documents import codec
from reconciler.documents import text as writing
from reconciler.documents.signature import content_digest
from reconciler.documents.text import canonical, pieces
from reconciler.model.canonical import digest
from reconciler.model.objects import Address, Ref
from reconciler.redaction import redacted_data
from reconciler.settings import Secret

ODD = ["", "é", "a\u2028b", "\x7f", "\ud83d", "\u200b", "##[group]x", 'q"\\\n\t', "\U0001f469\u200d\U0001f680"]
VALUES = [
    {},
    {"list": [], "map": {}, "none": None, "yes": True, "number": -3, "float": 1.5},
    {"deep": [{"a": [1, [2, []], {}]}, {"é": {"ü": ["x"]}}], "odd": ODD},
    {text: text for text in ODD},
]


@pytest.mark.parametrize("value", VALUES)
def test_the_text_of_a_document_is_indented_json(value):
    text = "".join(pieces(value.items()))
    assert json.loads(text) == value
    assert text.isprintable() or set(filter(lambda char: not char.isprintable(), text)) <= {"\n", "\u200d"}
    plain = {
        key: item for key, item in value.items() if key.isascii() and str(item).isascii() and "##" not in str(item)
    }
    if plain == value:
        assert text == json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("items", [[], [1], [{"b": 1, "a": [2]}, {}]])
def test_a_list_whose_items_are_made_one_by_one_is_written_the_same(items):
    as_list = "".join(pieces([("a", 1), ("items", items), ("z", [])]))
    assert "".join(pieces([("a", 1), ("items", iter(items)), ("z", iter(()))])) == as_list


@pytest.mark.parametrize("value", [Address("Session", "é\u200b"), Ref(Address("Session", "é\u200b"))])
def test_an_address_is_written_as_one_word(value):
    written = json.loads("".join(pieces({"a": value, "b": [value], "c": {"d": (value,)}}.items())))
    assert written == {"a": str(value), "b": [str(value)], "c": {"d": [str(value)]}}


@pytest.mark.parametrize("others", [{}, {"a": 1}, {"z": "é"}, {"z": [1], "a": {"y": 1, "b": 2}}])
@pytest.mark.parametrize("items", [[], [{"b": "\ud800", "a": 1}], [1, 2, 3]])
def test_the_pieces_of_the_canonical_form_have_its_digest(others, items):
    found = list(canonical(others, "items", iter(items), redacted_data))
    assert [item for _, item in found if item is not None] == items
    text = b"".join(piece for piece, _ in found)
    assert json.loads(text.decode("utf-8", "surrogatepass")) == {**others, "items": items}
    whole = json.dumps({**others, "items": items}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert text == whole.encode("utf-8", "surrogatepass")


def test_the_digest_of_a_plan_that_is_written_in_pieces_is_that_of_its_content():
    plan = samples.rich_plan()
    document = codec.plan_document(plan)
    assert document["digest"] == content_digest(document) == codec.plan_digest(plan)
    assert document["digest"] == digest({key: item for key, item in document.items() if key not in codec.SEALS})
    assert json.loads(codec.dump_plan(plan)) == document


@pytest.mark.parametrize("much", [0, 1])
def test_there_is_no_digest_before_all_changes_have_passed(much):
    seen = []

    def read():
        for name, value in codec.plan_members(samples.rich_plan(), Secret("key")):
            seen.append(name)
            if name == "changes":
                deque(islice(value, much))

    with pytest.raises(RuntimeError, match="before its changes"):
        read()
    assert "changes" in seen
    assert codec.SEALS.isdisjoint(seen)


def test_a_document_that_is_written_keeps_nothing_of_the_objects_that_it_wrote():
    def kept(number: int) -> int:
        items = ({"address": f"Session/class-{each}", "fields": ["x" * 500]} for each in range(number))
        written = pieces([("changes", items)])
        tracemalloc.start()
        for _ in range(number):
            next(written)
        found = tracemalloc.take_snapshot()
        tracemalloc.stop()
        ours = tracemalloc.Filter(inclusive=True, filename_pattern=writing.__file__)  # other threads allocate, too
        return sum(trace.size for trace in found.filter_traces([ours]).traces)

    kept(10)
    assert kept(2_000) < kept(200) + 20_000
