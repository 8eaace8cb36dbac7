"""Signed plans: who has the key accepts only what was saved with it."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest
import render_samples as samples

from reconciler import redaction
from reconciler.documents import codec
from reconciler.documents.load import load_plan
from reconciler.documents.signature import content_digest, plan_key, signature_fault
from reconciler.errors import ReconcilerError
from reconciler.settings import Secret

KEY = Secret("k" * 31 + "!")
OTHER = Secret("k" * 32)


def forged(change):
    """Change a signed plan and compute its digest again, as a forger would."""
    document = codec.plan_document(samples.rich_plan(), KEY)
    change(document)
    document["digest"] = content_digest(document)
    return load_plan(json.dumps(document))


def test_a_signed_plan_fits_its_key_only():
    saved = load_plan(codec.dump_plan(samples.rich_plan(), KEY))
    assert saved.intact
    assert signature_fault(saved, KEY) is None
    assert "does not match" in signature_fault(saved, OTHER)
    assert "is not signed" in signature_fault(load_plan(codec.dump_plan(samples.rich_plan())), KEY)


def test_the_signature_is_what_the_schema_says():
    """Another program can check it without this one."""
    document = json.loads(codec.dump_plan(samples.rich_plan(), KEY))
    content = {key: value for key, value in document.items() if key not in {"digest", "signature"}}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    mac = hmac.new(KEY.value.encode(), f"reconciler-plan\n{digest}".encode(), hashlib.sha256).hexdigest()
    assert document["digest"] == digest
    assert document["signature"] == f"hmac-sha256:{mac}"


@pytest.mark.parametrize(
    "member", sorted(codec.plan_document(samples.rich_plan()).keys() - {"digest", "format_version"})
)
def test_every_member_is_signed(member):
    """Each member of another plan in place of its own; the digest is computed again, as a forger would."""
    other = {**codec.plan_document(samples.quiet_plan(2)), "tool_version": "0", "project": "x", "environment": "x"}
    other |= {"manifest_digest": "sha256:" + "0" * 64, "live_digest": "sha256:" + "0" * 64, "purpose": "destroy"}
    other |= {"selection": {"targets": ["x"], "excludes": []}, "runs": 99, "problems": []}
    other |= {"bookings": {"slots": 9, "booked": 9, "reserved": 9, "unknown": 9, "amount": None, "currency": None}}
    other["bookings"]["unpriced"] = 9
    other |= {"manifests": {"Session/x": "sha256:" + "0" * 64}, "targets": {"x": "x"}, "present": {"x": 1}}
    document = codec.plan_document(samples.rich_plan(), KEY)
    assert document[member] != other[member]
    before = content_digest(document)
    document[member] = other[member]
    assert content_digest(document) != before
    assert codec.signature(content_digest(document), KEY) != document["signature"]


def test_layout_and_escapes_of_the_file_are_not_signed():
    document = codec.plan_document(samples.rich_plan(), KEY)
    for text in (json.dumps(document), json.dumps(dict(reversed(document.items())), indent=9, ensure_ascii=False)):
        saved = load_plan(text)
        assert saved.intact
        assert signature_fault(saved, KEY) is None


def test_another_spelling_of_a_number_is_another_plan():
    saved = forged(lambda document: document["forecast"].update(writes=float(document["forecast"]["writes"])))
    assert "does not match" in signature_fault(saved, KEY)


@pytest.mark.parametrize("value", ["hmac-sha256:", "hmac-sha256:" + "G" * 64, "sha256:" + "0" * 64, "", 5, None])
def test_what_is_no_signature_is_refused(value):
    with pytest.raises(ReconcilerError, match="signature"):
        forged(lambda document: document.update(signature=value))


@pytest.mark.parametrize(
    ("value", "words"),
    [("", "is set, but empty"), (" \n", "is set, but empty"), ("short", "has 5 characters; expected at least 32")],
)
def test_a_key_that_is_none_is_an_error(monkeypatch, value, words):
    monkeypatch.setenv("RECONCILER_PLAN_KEY", value)
    with pytest.raises(ReconcilerError, match=words) as caught:
        plan_key()
    assert "short" not in caught.value.message


def test_a_key_is_masked_wherever_it_is_printed(monkeypatch):
    monkeypatch.setenv("RECONCILER_PLAN_KEY", f" {KEY.value}\n")
    with redaction.run():
        assert plan_key() == KEY
        assert redaction.redacted(f"the key {KEY.value}") == "the key ********"
    monkeypatch.delenv("RECONCILER_PLAN_KEY")
    assert plan_key() is None
