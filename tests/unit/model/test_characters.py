"""Characters of which a reader sees nothing; emoji and scripts that need such characters keep them."""

import pytest

from reconciler.documents.codec import dumps
from reconciler.manifests.load import load_text
from reconciler.manifests.scalars import shown
from reconciler.manifests.yaml_text import entry
from reconciler.model.characters import UNSEEN, unseen
from reconciler.render.safe import visible

FILLERS = "\u3164\u2800\u115f\u1160\uffa0\u034f\u17b4\u180b\u180e\u2060\u2064\ufe00\ufe0e\ufe0f\ufff0\U000e0001\U000e0041\U000e0100\U0001d159\U0001d173\u00ad\u061c\u200b\ufeff\u200c\u200d"  # noqa: E501


@pytest.mark.parametrize("char", FILLERS, ids=ascii)
@pytest.mark.parametrize("text", ["Yo{}ga", "{}Yoga", "Yoga{}", "é{}é", "Ж{}Ж", "1{}", "{}", "a {} b", "·{}", "€{}"])
def test_a_filler_is_seen_in_every_output(char, text):
    text = text.format(char)
    assert char not in visible(text)
    assert visible(visible(text)) == visible(text)
    assert char not in shown(text)
    written = "\n".join(entry("name", text, 0))
    assert char not in written
    assert load_text(written, "f.yaml").documents[0].data == {"name": text}
    if char not in "\u200c\u200d\ufe0e\ufe0f":
        assert char not in dumps({"name": text})


@pytest.mark.parametrize(
    "text",
    ["⛹️‍♀️", "Yoga ☀️ mit ❤️", "1️⃣ Kurs", "*️⃣", "‼️", "👩‍👩‍👧‍👦", "🧘🏽‍♀️ Yoga", "↔️", "©️", "می‌خواهم", "क्‍ष", "🏳️‍🌈"],
)
def test_emoji_and_scripts_keep_what_they_need(text):
    assert visible(text) == text
    assert unseen(text) == frozenset()
    assert load_text("\n".join(entry("name", text, 0)), "f.yaml").documents[0].data == {"name": text}


@pytest.mark.parametrize(
    "text", ["☀\ufe0f\ufe0f", "☀\u200d\u200d☀", "☀\u3164\u200d☀", "a\ufe0f\u200d☀", "☀\u200d\u3164", "☀\u200d"]
)
def test_more_than_an_emoji_needs_is_seen(text):
    assert unseen(text)
    assert visible(visible(text)) == visible(text)


def test_the_table_is_that_of_unicode():
    regex = pytest.importorskip("regex")
    ignorable = regex.compile(r"\p{Default_Ignorable_Code_Point}")
    codes = (chr(code) for code in range(0x110000))
    differing = {char for char in codes if bool(ignorable.match(char)) != bool(UNSEEN.match(char))}
    assert differing == {"\u2800", "\U0001d159"}
