"""Text from outside, made harmless."""

from __future__ import annotations

import json
import re

import pytest

from reconciler.documents import codec
from reconciler.render.safe import harmless, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("##[group]x", r"#\x23[group]x"),
        ("a ##vso[task.x]", r"a #\x23vso[task.x]"),
        ("###[x]", r"##\x23[x]"),
        ("##teamcity[x]", r"#\x23teamcity[x]"),
        ("## x [y]", "## x [y]"),
        ("a #[b] c", "a #[b] c"),
    ],
)
def test_a_build_agents_command_loses_its_sign(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown
    written = codec.dumps({"a": text})
    assert not re.search(r"##\w*\[", written)
    assert json.loads(written) == {"a": text}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::x", r"  \x3a:x"),
        ("\u3000::x", "\u3000\\x3a:x"),
        (":::x", r"\x3a::x"),
        ("a ::x", "a ::x"),
        (":x", ":x"),
        ("a\n::x", "a⏎::x"),
    ],
)
def test_no_line_begins_as_a_workflow_command(text, shown):
    assert harmless(text) == shown
    assert harmless(shown) == shown
