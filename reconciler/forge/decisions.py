"""What a pull request allows despite booked places, and who decided: only what the forge can prove counts.

Anybody may write the line `/allow-booked ADDRESS`, and who may push can change a branch after a review. So a decision
counts in two cases:
- A person with write access approved exactly the commit that is planned or was merged, with the line in the review.
- The branch is in the repository itself, and a person with write access wrote the description or set the label. Whoever
  can push to that branch has write access too, and could decide as well.
A fork's branch can change at any time, so for a fork only the review counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from msgspec import Struct

from reconciler.errors import UsageError
from reconciler.forge.base import Forge, Request, Text
from reconciler.model.decision import Decision

By = Literal["write", "review"]

_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)|^(```+|~~~+).*?(?:^\1|\Z)", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^/allow-booked[ \t:]+(\S+)[ \t]*$", re.MULTILINE)
_ADDRESS = re.compile(r"[A-Z][A-Za-z]{0,62}/[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9])?")
_SHOWN = 100


class Decided(Struct, frozen=True, kw_only=True):
    """What was found in pull requests."""

    decisions: tuple[Decision, ...]
    ignored: tuple[str, ...]
    """Each line that does not count, and why."""


def lines(words: str) -> Iterator[str]:
    """Yield what the lines `/allow-booked …` name, except in comments and code blocks, which readers may not see."""
    visible = _HIDDEN.sub("", words.replace("\r\n", "\n"))
    for match in _LINE.finditer(visible):
        yield match[1]


def decided(forge: Forge, requests: Iterable[Request], by: By) -> Decided:
    """Collect the decisions of pull requests."""
    if by == "review" and "review" not in forge.kinds:
        raise UsageError("--by review: this forge does not say which commit a review approves", hint="use --by write")
    found: dict[str, Decision] = {}
    ignored: list[str] = []
    for request in requests:
        for text in forge.texts(request):
            for address in lines(text.words):
                why = _why_not(forge, request, text, address, by)
                if why is None:
                    found.setdefault(address, Decision(address=address, by=text.by, url=request.url))
                else:
                    ignored.append(f"#{request.number}: /allow-booked {address[:_SHOWN]} in a {text.place}: {why}")
    return Decided(decisions=tuple(found[address] for address in sorted(found)), ignored=tuple(ignored))


def _why_not(forge: Forge, request: Request, text: Text, address: str, by: By) -> str | None:
    """Say why a line does not count; None where it does."""
    if not _ADDRESS.fullmatch(address):
        return "expected the exact address of one object, such as Session/spring-yoga"
    why = _review_fault(request, text) if text.place == "review" else _text_fault(request, by)
    if why is None and not (text.by and forge.may_write(text.by)):
        return f"{text.by or 'a deleted account'} has no write access"
    return why


def _review_fault(request: Request, text: Text) -> str | None:
    if text.commit != request.head:
        return f"the review by {text.by} approves another commit"
    return "authors cannot approve their own pull request" if text.by == request.author else None


def _text_fault(request: Request, by: By) -> str | None:
    if by == "review":
        return "only an approving review counts here"
    return None if request.own else "the branch is in a fork, where only an approving review counts"
