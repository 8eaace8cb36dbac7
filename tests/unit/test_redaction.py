"""What the redactor masks, in which forms, and what it leaves alone on purpose."""

from __future__ import annotations

import base64
import html
import json
import re
import unicodedata
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import redaction
from reconciler.documents import codec
from reconciler.documents.signature import content_digest
from reconciler.model.change import Change, FieldChange
from reconciler.model.objects import Address
from reconciler.model.plan import Plan
from reconciler.providers import answer
from reconciler.redaction import MASK, SHORTEST, Redactor, escape_commands
from reconciler.render import markdown
from reconciler.render.safe import visible

VALUE = "p@ss/w\"örd<&>'x y+7"


@pytest.fixture
def redactor():
    made = Redactor()
    made.hide(VALUE)
    return made


@pytest.mark.parametrize(
    "form",
    [
        str,
        str.lower,
        str.upper,
        lambda value: quote(value, safe=""),
        quote,
        quote_plus,
        lambda value: re.sub("%..", lambda match: match[0].lower(), quote(value, safe="")),
        lambda value: urlencode({"password": value}),
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False),
        lambda value: json.dumps(value, ensure_ascii=False).replace("/", "\\/"),
        html.escape,
        lambda value: html.escape(value, quote=False),
        lambda value: html.escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
        lambda value: html.escape(value).replace("&#x27;", "&apos;"),
        repr,
        ascii,
        lambda value: str([value]),
        lambda value: value.encode().hex(),
        lambda value: base64.b64encode(value.encode()).decode(),
        *(
            lambda value, user=user: base64.b64encode(f"{user}:{value}".encode()).decode()
            for user in ("a", "ab", "abc", "reception")
        ),
        lambda value: base64.urlsafe_b64encode(f"someone:{value}".encode()).decode(),
        lambda value: base64.b64encode(f"{value}:secret".encode()).decode(),
    ],
)
def test_a_value_is_masked_in_every_form_that_a_request_or_document_gives_it(redactor, form):
    masked = redactor.redacted(f"before {form(VALUE)} after")
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    # What is left beside the mask is at most the neighbours' share of a base64 text.
    assert len(masked) - len("before  after") <= len(MASK) + 24, masked


SECRET = "Sec-ret_Valu3"
HIDING = (
    "\x1b", "\0", "\n", "\r\n", "\t", "\b", "\x7f", "\x9b", "\u200b", "\u200d", "\u2060", "\ufeff", "\xad", "\u034f",
    "\u202e", "\u2066", "\u2028", "\ufe0f", "\U000e0100", "\U000e0041", "\u3164", "\u2800", "\u115f", "\u180e",
    "\ud800", "\u0301", "\xa0", " \n    ", "\x1b[31m", "\x1b[1;38;5;9m", "\x1b]8;;http://x\x07", "X\b", "=\n", "=\r\n",
    "&#8203;", "&ZeroWidthSpace;", "&shy;", "%E2%80%8B", "%00", "\\u200b", "\\x1b", "\\x1b[0m", "\\n", "\\033", "⏎",
)  # fmt: skip


def bare(text):
    """Return the letters and digits that a reader could copy."""
    return re.sub("[^a-z0-9]", "", text.lower())


@pytest.fixture
def simple(monkeypatch):
    made = Redactor()
    made.hide(SECRET)
    monkeypatch.setattr("reconciler.render.safe.redacted", made.redacted)
    monkeypatch.setattr("reconciler.providers.answer.redacted", made.redacted)
    return made.redacted


@pytest.mark.parametrize("hiding", HIDING)
@pytest.mark.parametrize("between", [SECRET[:6], SECRET[:1], None])
def test_no_character_inside_a_value_hides_it_from_the_mask(simple, hiding, between):
    parts = list(SECRET) if between is None else [between, SECRET[len(between) :]]
    text = f"before {hiding.join(parts)} after"
    for masked in (simple(text), visible(text), answer.neutral(text), simple(visible(text))):
        assert MASK in masked
        assert masked.startswith("before ")
        assert masked.endswith(" after")
        assert "valu3" not in bare(masked)


@pytest.mark.parametrize(
    "form",
    [
        str.swapcase, str.title, lambda value: value.replace("e", "é"), lambda value: value.replace("e", "e\u0301"),
        lambda value: "".join(chr(ord(char) + 0xFEE0) for char in value),
        lambda value: "".join(f"%{ord(char):02x}" for char in value),
        lambda value: "".join(f"%25{ord(char):02X}" for char in value),
        lambda value: "".join(f"&#{ord(char)};" for char in value),
        lambda value: "".join(f"&#X{ord(char):x};" for char in value),
        lambda value: "".join(f"\\u{ord(char):04X}" for char in value),
        lambda value: "".join(f"\\x{ord(char):02x}" for char in value),
        lambda value: "".join(f"\\{ord(char):03o}" for char in value),
        lambda value: "".join(f"={ord(char):02X}" for char in value),
        lambda value: "".join(f"={ord(char):02x}" for char in value),
        lambda value: html.escape("".join(f"\\u{ord(char):04x}" for char in quote(value, safe=""))),
        lambda value: value.replace("_", "&lowbar;").replace("-", "%2d"),
        lambda value: value.replace("_", "\\_").replace("-", "\\-"),
        lambda value: " ".join(re.findall("..?", value.encode().hex())),
        lambda value: "\n".join(re.findall(".{1,8}", base64.b64encode(f"reception:{value}".encode()).decode())),
        lambda value: quote(base64.b64encode(f"it:{value}".encode()).decode(), safe=""),
    ],
)  # fmt: skip
def test_no_spelling_of_a_value_hides_it_from_the_mask(simple, form):
    masked = simple(f"before {form(SECRET)} after")
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert len(masked) < 60, masked


@pytest.mark.parametrize(
    "value", ["sec\x1bret-value", "sec\tret-value", "sec\nret-value!", "s\u200bec ret-value", "sécret-välue"]
)
def test_a_value_with_such_characters_is_masked_as_it_is_shown(value):
    """A credential with a control character is refused, but one that the run does not open is only masked."""
    redactor = Redactor()
    redactor.hide(value)
    stripped = "".join(char for char in value if char.isprintable())
    for text in (value, visible(value), json.dumps(value), repr(value), stripped, unicodedata.normalize("NFD", value)):
        assert redactor.redacted(f"a {text} b").replace('"', "").replace("'", "") == f"a {MASK} b", text


def test_each_line_of_a_value_is_masked_alone():
    redactor = Redactor()
    redactor.hide("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n")
    assert redactor.redacted("line 2 is hkiG9w0BAQEFAASC") == f"line 2 is {MASK}"


@pytest.mark.parametrize(
    "text", ["\\U00110000", "\\¹", "&#x110000;", "&#99999999999999999999;", "%ff%fe", "=FF", "\\ud800", "\x1b[", "%"]
)
def test_what_is_no_escape_stays_as_it_is(simple, text):
    assert simple(f"a {text} b") == f"a {text} b"
    assert simple(f"{text}{SECRET}{text}") == f"{text}{MASK}{text}"


def test_a_text_around_a_value_stays(simple):
    text = f"Côté {SECRET[:4]}\x1b{SECRET[4:]} &amp; 50%41 \\u0041; again {SECRET}."
    assert simple(text) == f"Côté {MASK} &amp; 50%41 \\u0041; again {MASK}."


def test_of_two_values_the_longer_is_masked_first():
    redactor = Redactor()
    redactor.hide("sesame-open")
    redactor.hide("sesame-open-wide")
    assert redactor.redacted("sesame-open-wide, sesame-open") == f"{MASK}, {MASK}"


@pytest.mark.parametrize("value", ["", "a", "Yoga", "x" * (SHORTEST - 1), " " * 20, MASK, "** ** ** **"])
def test_what_would_only_garble_is_not_masked(value):
    redactor = Redactor()
    redactor.hide(value)
    text = f"Yoga: a {value} {MASK}"
    assert redactor.redacted(text) == text


def test_a_document_keeps_its_keys_names_and_digests(redactor):
    for word in ("environment", "reception", "deadbeef"):
        redactor.hide(word)
    document = {
        "environment": None,
        "manifest_digest": "sha256:deadbeef00",
        "changes": [
            {
                "address": "Resource/reception",
                "reason": f"refused: {VALUE}",
                "fields": [{"path": "email", "before": {"address": "reception", "n": [1, VALUE]}, "after": None}],
                "calls": [{"method": "PUT", "path": "/x?y=reception"}],
            }
        ],
    }
    assert redactor.redacted_data(document) == {
        "environment": None,
        "manifest_digest": "sha256:deadbeef00",
        "changes": [
            {
                "address": "Resource/reception",
                "reason": f"refused: {MASK}",
                "fields": [{"path": "email", "before": {"address": MASK, "n": [1, MASK]}, "after": None}],
                "calls": [{"method": "PUT", "path": f"/x?y={MASK}"}],
            }
        ],
    }


def test_secrets_are_known_for_one_command_line_and_the_ones_inside_of_it():
    redactor = Redactor()
    with redactor.run():
        redactor.hide("outer-secret")
        with redactor.run():
            redactor.hide("inner-secret")
        assert redactor.redacted("outer-secret inner-secret") == f"{MASK} {MASK}"
    assert redactor.redacted("outer-secret") == "outer-secret"


def test_every_renderer_masks_before_it_escapes(monkeypatch, redactor):
    for module in ("reconciler.render.safe.redacted", "reconciler.providers.answer.redacted"):
        monkeypatch.setattr(module, redactor.redacted)
    monkeypatch.setattr("reconciler.documents.codec.redacted_data", redactor.redacted_data)
    assert visible(f"a {VALUE}") == f"a {MASK}"
    assert MASK.replace("*", "&#42;") in markdown.prose(VALUE)
    assert json.loads(codec.dumps({"message": f"so {VALUE}"})) == {"message": f"so {MASK}"}


@pytest.mark.parametrize("secret", [VALUE, 'a "quoted" one', "back\\slash", "ümlaut-secret", "two\nlines-of-it"])
@pytest.mark.parametrize("form", ["{}", "x {} y", "%20{}", 'say "{}"', "a=b&{}", "tab\t{}"])
def test_the_json_of_data_with_a_secret_never_looks_clean(redactor, secret, form):
    redactor.hide(secret)
    for shown in (secret, secret.upper(), quote(secret), json.dumps(secret)[1:-1]):
        data = {"a": {"b": [form.format(shown)]}}
        if redactor.redacted_data(data) != data:
            assert not redactor.shows_none(json.dumps(data, ensure_ascii=False))


def test_each_of_many_secrets_is_masked_in_a_short_and_in_a_long_text(redactor):
    held = [f"held-{number:032x}" for number in range(300)]
    for each in held:
        redactor.hide(each)
        assert redactor.redacted(f"a%20b {each}") == f"a%20b {MASK}"
    assert redactor.redacted(f"a%20b {held[7]}, {quote(held[8])}") == f"a%20b {MASK}, {MASK}"
    assert redactor.redacted(", ".join(held)) == ", ".join([MASK] * 300)
    assert not redactor.shows_none(f"a {held[7]}")
    assert redactor.shows_none("held-nothing, held-000")


PARTS = ["aB", "Zß", "é7", '"', '","', "{", ":", "\\", "%41", "=41", "=", "&", "#;", " ", "ﬁ"]
"""Parts of a secret: letters that fold, escapes, and the structure of JSON."""

SPELLINGS = [str, str.upper, str.lower, quote, html.escape, lambda part: unicodedata.normalize("NFD", part)]
UNSEEN = ["", "\u0301", "\u200b", "=\n", "x\b", "\x1b[1m", "\x7f", "\n"]


@given(st.data())
def test_json_that_looks_clean_has_no_text_to_mask(data):
    parts = data.draw(st.lists(st.sampled_from(PARTS), min_size=6, max_size=9))
    redactor = Redactor()
    redactor.hide("".join(parts))
    spell, unseen = data.draw(st.sampled_from(SPELLINGS)), data.draw(st.sampled_from(UNSEEN))
    found = {"a": [data.draw(st.sampled_from(PARTS)) + unseen.join(map(spell, parts))], "b": parts[0]}
    assert redactor.redacted_data(found) == found or not redactor.shows_none(json.dumps(found, ensure_ascii=False))


@pytest.mark.parametrize("value", ["plain", 'say "yes"', "/api/sessions.xml?type=event", "ü", None, 3])
def test_the_json_of_usual_data_looks_clean(redactor, value):
    assert redactor.shows_none(json.dumps({"a": [value]}, ensure_ascii=False))


def test_a_plans_digest_is_the_same_before_it_is_saved_and_after_it_is_loaded(monkeypatch, redactor):
    monkeypatch.setattr("reconciler.documents.codec.redacted_data", redactor.redacted_data)
    monkeypatch.setattr("reconciler.documents.text.shows_none", redactor.shows_none)
    address = Address("Resource", "desk")
    field = FieldChange(path="email", before=None, after=VALUE, origin="manifest")
    change = Change(address=address, connection="admin", action="create", reason="", fields=(field,))
    header = {"project": "acme", "environment": None, "tool_version": "1"}
    document = codec.plan_document(Plan(**header, saved_manifest_digest="", saved_live_digest="", changes=(change,)))
    saved = codec.dumps(document)
    assert VALUE not in saved
    assert content_digest(json.loads(saved)) == content_digest(document) == document["digest"]


def test_foreign_words_are_masked_before_they_are_cut(monkeypatch, redactor):
    monkeypatch.setattr(answer, "redacted", redactor.redacted)
    for filling in range(answer.WORDS_LIMIT - len(VALUE) - 4, answer.WORDS_LIMIT + 4):
        assert VALUE[:4] not in answer.neutral("x" * filling + VALUE)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("##[group]", "#\\x23[group]"),
        ("a ##vso[task]", "a #\\x23vso[task]"),
        ("###[error]", "##\\x23[error]"),
        ("## heading", "## heading"),
        ("#1 [x]", "#1 [x]"),
    ],
)
def test_a_build_agents_command_is_escaped_and_nothing_else(text, escaped):
    assert escape_commands(text) == escaped
    assert escape_commands(escaped) == escaped
    assert json.loads(codec.dumps({"text": text})) == {"text": text}
    assert "##[" not in codec.dumps({"text": text})
    assert "##vso[" not in codec.dumps({"text": text})


@pytest.mark.parametrize("form", [str, html.escape, lambda value: quote(value, safe=""), "\n".join])
def test_a_secret_is_masked_wherever_a_long_text_is_cut(redactor, monkeypatch, form):
    monkeypatch.setattr(redaction, "_WINDOW", 300)
    monkeypatch.setattr(redaction, "_OVERLAP", 200)
    for before in range(0, 700, 7):
        text = f"{'é &amp; ' * before}"[:before] + form(VALUE) + "x &lt; " * 90 + form(VALUE)
        for size in (1, 17, 299, 5000):
            pieces = [text[start : start + size] for start in range(0, len(text), size)]
            assert "".join(redactor.redacted_pieces(pieces)) == redactor.redacted(text)


@pytest.mark.parametrize("before", ["%2", "&#", "&#\\\\", "\\u00"])
@pytest.mark.parametrize("form", [str, quote, lambda value: f"&#{ord(value[0])};{value[1:]}"])
def test_a_long_text_of_lines_is_masked_as_if_it_were_not_cut(monkeypatch, before, form):
    monkeypatch.setattr(redaction, "_WINDOW", 300)
    monkeypatch.setattr(redaction, "_OVERLAP", 200)
    redactor = Redactor()
    redactor.hide("correct horse")
    lines = f"{'x' * 29}\n" * 20
    for start in range(300):
        text = f"{lines[:start]}\n{before}{form('correct horse')}\n{lines}"
        for size in (7, 5000):
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            assert "".join(redactor.redacted_pieces(pieces)) == redactor.redacted(text)


def test_a_value_that_was_shown_before_it_was_known_is_masked_from_then_on():
    redactor = Redactor()
    redactor.hide("another-secret")
    assert redactor.redacted("correct horse") == "correct horse"
    redactor.hide("correct horse")
    assert redactor.redacted("correct horse") == MASK
    with redactor.run():
        pass
    assert redactor.redacted("correct horse") == "correct horse"
