"""What this project needs of a forge, in words that GitHub and GitLab share. A pull request is also a merge request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from msgspec import Struct


class Note(Struct, frozen=True, kw_only=True):
    """A comment on a pull request, or an issue: what can carry a marker."""

    number: int
    body: str
    mine: bool
    """Whether the pipeline itself wrote it: anybody can write a marker."""


class Request(Struct, frozen=True, kw_only=True):
    """A pull request."""

    number: int
    url: str
    author: str
    body: str
    head: str
    """The newest commit of its branch."""
    own: bool
    """Whether its branch is in the same repository, where only people with write access can push."""


class Text(Struct, frozen=True, kw_only=True):
    """Words that a person put on a pull request, and who it was."""

    place: Literal["description", "label", "review"]
    by: str
    words: str
    commit: str | None = None
    """The commit that a review approves; None for what is not bound to one."""


class Forge(Protocol):
    """One repository at its forge, as a token of the pipeline may use it."""

    longest: int
    """The number of characters that a comment may have."""
    kinds: frozenset[str]
    """The places of `Text` that this forge can prove."""

    def close(self) -> None:
        """Close the connections."""

    def notes(self, number: int) -> Iterator[Note]:
        """Yield the comments of a pull request, oldest first."""

    def write_note(self, number: int, body: str, note: int | None) -> None:
        """Write a comment, or replace the text of one."""

    def issues(self) -> Iterator[Note]:
        """Yield the open issues."""

    def write_issue(self, title: str, body: str, issue: int | None) -> str:
        """Open an issue, or replace the text of one; return its address."""

    def close_issue(self, issue: int, words: str) -> None:
        """Close an issue, and say why."""

    def request(self, number: int) -> Request:
        """Read a pull request."""

    def texts(self, request: Request) -> Iterator[Text]:
        """Yield its description, the labels that it has, and the reviews that approve it."""

    def may_write(self, user: str) -> bool:
        """Say whether a person has write access to the repository."""

    def merged_since_apply(self, commit: str) -> list[Request]:
        """Return the pull requests that a commit has and the last apply that succeeded had not, oldest first."""

    def reviewed_plan(self, request: Request, name: str) -> bytes | None:
        """Return the plan file of its newest run; None where there is none."""

    def propose(self, branch: str, base: str, title: str, body: str) -> str:
        """Open a pull request for a branch; return its address."""
