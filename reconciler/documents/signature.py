"""Signing saved plans, so that `apply FILE` accepts only what a run with the same key saved.

The digest of a plan document only detects accidents: whoever edits a file can compute it again. The signature is an
HMAC-SHA-256 of that digest, which covers every other member of the document in its canonical form.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from reconciler import redaction
from reconciler.documents.text import canonical
from reconciler.errors import ReconcilerError
from reconciler.model.plan import SavedPlan
from reconciler.settings import PLAN_KEY, Secret

SHORTEST = 32
"""Characters of a key at least: a short one can be guessed from a single signed plan."""

SEALS = frozenset({"digest", "signature"})
"""Members of a plan document that say something about all others."""

_ABOUT = "reconciler-plan\n"
"""What is signed says what it is, so that no signature of another program with the same key fits."""


def plan_key() -> Secret | None:
    """Return the key that signs and checks plans, None where the variable is not set.

    An empty value is an error, because pipelines pass a secret that they do not have as an empty value: plans must
    not be accepted without a check then.
    """
    value = os.environ.get(PLAN_KEY)
    if value is None:
        return None
    value = value.strip()
    redaction.hide(value)
    if len(value) < SHORTEST:
        what = f"has {len(value)} characters; expected at least {SHORTEST}" if value else "is set, but empty"
        raise ReconcilerError(
            f"{PLAN_KEY} {what}", hint="set it to a random value (openssl rand -hex 32), or unset it to sign no plans"
        )
    return Secret(value)


def content_digest(document: Mapping[str, Any]) -> str:
    """Return the digest of a plan document's content, which the document itself states as `digest`."""
    covered = {name: value for name, value in document.items() if name not in SEALS and name != "changes"}
    total = sha256()
    for text, _ in canonical(covered, "changes", document["changes"], lambda change: change):
        total.update(text)
    return f"sha256:{total.hexdigest()}"


def signature(digest: str, key: Secret) -> str:
    """Return the signature of a plan document with this digest."""
    mac = hmac.digest(key.value.encode("utf-8", "surrogateescape"), f"{_ABOUT}{digest}".encode(), "sha256")
    return f"hmac-sha256:{mac.hex()}"


def signature_fault(saved: SavedPlan, key: Secret) -> str | None:
    """Say why a saved plan must not be trusted by who has the key; None where it may be."""
    if saved.signature is None:
        return f"it is not signed, but {PLAN_KEY} is set"
    if not hmac.compare_digest(saved.signature, signature(saved.digest, key)):
        return f"its signature does not match: it was edited, or signed with another {PLAN_KEY}"
    return None
