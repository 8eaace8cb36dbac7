"""Each code of a problem that `validate` can report has a description."""

import ast
from pathlib import Path

import pytest

from reconciler.render import rules

ROOMS = Path(rules.__file__).parents[1]
MAKERS = {"Problem", "_problem", "_warning", "_refused", "_note"}


def codes(room):
    """Return the codes that the modules of a room give to problems."""
    for path in sorted((ROOMS / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in MAKERS:
                continue
            stated = [word.value for word in node.keywords if word.arg == "code"] or node.args[:2]
            for value in stated:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value.islower():
                    yield value.value


@pytest.mark.parametrize("room", ["manifests", "kinds", "operations"])
def test_every_code_is_described(room):
    found = {code for code in codes(room) if " " not in code and code}
    assert found
    assert found - rules.RULES.keys() == set(), "add a sentence to reconciler/render/rules.py"


def test_a_code_of_a_plugin_is_described_by_its_words():
    assert rules.described("court-too-small") == "Problem of the kind court too small."
