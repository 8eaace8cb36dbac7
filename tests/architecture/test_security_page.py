"""Every sentence of SECURITY.md has a proof in `security_page.yaml`: tests, or the reason why none is possible.

The tests are only looked up here. Whoever changes a sentence looks at its proof, and changes both.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("security_page.yaml")
PAGE = (ROOT / ".github/SECURITY.md").read_text(encoding="utf-8")
PROOFS = yaml.safe_load(TABLE.read_text(encoding="utf-8"))

ITEM = re.compile(r"\n(?=- |\| )")
"""Where a list item or a row of a table begins."""

SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z`*])|(?<=[.!?]\*\*) (?=[A-Z`])")


def sentences(page: str) -> list[str]:
    """Return the sentences of a page, each on one line. A row of a table counts as one, headings do not count."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", page.strip()):
        if paragraph.startswith("#"):
            continue
        head, ruler, rows = paragraph.partition("\n|---")
        for item in ITEM.split("\n" + rows.partition("\n")[2] if ruler and head.startswith("|") else paragraph):
            text = " ".join(item.split())
            if text.startswith("|"):
                found.append(text.strip("| "))
            elif text:
                found += SENTENCE_END.split(text.removeprefix("- "))
    return found


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_sentence_has_a_proof():
    missing = [text for text in sentences(PAGE) if text not in {proof["says"] for proof in PROOFS}]
    assert not missing, f"add to {TABLE.name}, with `tests:` or `reason:`:\n" + "\n".join(f"- {x}" for x in missing)


def test_every_proof_has_its_sentence():
    left = [proof["says"] for proof in PROOFS if proof["says"] not in sentences(PAGE)]
    assert not left, f"SECURITY.md does not say this; change or remove it in {TABLE.name}:\n" + "\n".join(left)
    assert [text for text, number in Counter(proof["says"] for proof in PROOFS).items() if number > 1] == []


@pytest.mark.parametrize("proof", PROOFS, ids=[proof["says"][:60] for proof in PROOFS])
def test_a_proof_is_a_reason_or_tests_that_exist(proof):
    assert set(proof) in ({"says", "tests"}, {"says", "reason"}), "expected either `tests:` or `reason:`"
    assert proof.get("tests") or proof.get("reason"), "the proof is empty"
    wrong = [
        name
        for name in proof.get("tests", ())
        for file, _, test in [name.partition("::")]
        if not test.startswith("test_") or test not in names_in(file)
    ]
    assert not wrong, f"no such test: {', '.join(wrong)}"


def test_a_page_is_split_into_sentences_items_and_rows():
    page = "# Head\n\nOne thing. `two` is\nanother:\n\n- **A.** First.\n- Second,\n  e.g. this.\n"
    page += "\n| a | b |\n|---|---|\n| c. | D |\n"
    assert sentences(page) == [
        "One thing.",
        "`two` is another:",
        "**A.**",
        "First.",
        "Second, e.g. this.",
        "c. | D",
    ]
