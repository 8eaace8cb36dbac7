"""Exceptions: raised only where a run cannot go on; everything else is a `Problem` value.

ReconcilerError            exit 1: an error, nothing more is written
├── UsageError             exit 64: wrong usage of the command line
├── Refused                exit 4: a guard or policy said no before the first write
├── StalePlan              exit 5: a saved plan no longer describes the world
├── Interrupted            exit 130: the user stopped the run; in-flight calls were recorded
├── InvalidInput           exit 1: manifests or project file with problems, all listed
└── RemoteError            exit 1: a remote system could not be reached or answered badly
    ├── NotStarted         exit 130: a request that was not sent any more (an Interrupted, too)
    └── OutcomeUnknown     a writing call whose answer was lost: it may have happened
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.objects import Problem


class ReconcilerError(Exception):
    """The root: `message` says what is wrong, `hint` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    """The command line asks for something that makes no sense."""

    exit_code = 64


class Refused(ReconcilerError):
    """A guard or the project's policy refuses the plan; nothing was written."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str | None = None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class StalePlan(ReconcilerError):
    """What a saved plan was made from has changed; nothing was written."""

    exit_code = 5

    def __init__(self, message: str, *, hint: str | None = None, reasons: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.reasons = tuple(reasons)


class Interrupted(ReconcilerError):
    """The user stopped the run; calls in flight were finished and recorded."""

    exit_code = 130


class InvalidInput(ReconcilerError):
    """Input that cannot be used; `problems` lists every one found."""

    def __init__(self, message: str, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class RemoteError(ReconcilerError):
    """A remote system could not be reached, or answered in a way that cannot be used.

    `status` is the HTTP status where there was one.
    """

    def __init__(self, message: str, *, hint: str | None = None, status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class NotStarted(Interrupted, RemoteError):
    """The user stopped the run before this request could be sent; it certainly was not."""


class OutcomeUnknown(RemoteError):
    """The answer to a writing call was lost: it may or may not have been carried out.

    `pending`: the server may still process it, because no answer came in time and nothing ended the call.
    `interrupted`: its result was not read, because the user stopped the run.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        pending: bool = False,
        interrupted: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, status=status)
        self.pending = pending
        self.interrupted = interrupted
