"""Exceptions: raised only where a run cannot continue; everything else is a `Problem` value.

ReconcilerError            an error; nothing more is written
├── UsageError             wrong usage of the command line
├── Refused                a guard or the policy refuses the plan before the first write
├── StalePlan              a saved plan no longer describes what is declared, recorded or live
├── Interrupted            the user stopped the run; calls in flight were recorded
├── OutputFailed           stdout or an output file could not be written
├── InvalidInput           manifests or project file with problems, all listed
└── RemoteError            a remote system could not be reached, or its answer cannot be used
    ├── NotStarted         a request that was not sent (also an Interrupted)
    │   └── OutOfTime      one that was not sent because the time limit of the run was over
    ├── NotAsDeclared      an answer that is not what the manifest asks for
    └── OutcomeUnknown     a writing call whose answer was lost: it may have been applied

`reconciler.cli.exits` gives each its exit code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.model.change import Receipt
    from reconciler.model.complaint import Complaint
    from reconciler.model.objects import Problem
    from reconciler.model.report import Report


class ReconcilerError(Exception):
    """The root: `message` says what is wrong, `hint` what to do about it."""

    code = "run-failed"
    """What `reconciler.model.codes` knows it by."""
    problems: tuple[Problem, ...] = ()
    """What is wrong, one by one, where the error lists it."""
    reasons: tuple[str, ...] = ()
    """What has changed, where the error lists it."""

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.code

    @property
    def said(self) -> str:
        """The message and the hint in one sentence, for a place that shows no hints."""
        return self.message if self.hint is None else f"{self.message}; {self.hint}"


class UsageError(ReconcilerError):
    """The command line asks for something that is not possible."""

    code = "usage"


class Refused(ReconcilerError):
    """A guard or the project's policy refuses the plan; nothing was written."""

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        problems: Sequence[Problem] = (),
        report: Report | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        """Why, one problem for each refusal."""
        self.report = report
        """The report of the refused run, where there was one."""


class StalePlan(ReconcilerError):
    """What a saved plan was made from has changed, for `reasons`; nothing was written."""

    code = "stale-plan"

    def __init__(self, message: str, *, hint: str | None = None, reasons: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.reasons = tuple(reasons)


class Interrupted(ReconcilerError):
    """The user stopped the run; calls in flight were finished and recorded."""

    code = "interrupted"


class OutputFailed(ReconcilerError):
    """Stdout or an output file could not be written; what the command did before is done."""

    code = "output-failed"


class InvalidInput(ReconcilerError):
    """Input that cannot be used; `problems` lists every one found."""

    code = "invalid-input"

    def __init__(
        self, message: str, problems: Sequence[Problem], *, hint: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.problems = tuple(problems)


class RemoteError(ReconcilerError):
    """A remote system could not be reached, or its answer cannot be used."""

    code = "remote-error"

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, made: Receipt | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """The HTTP status, where there was one."""
        self.made = made
        """What a create may have made although it was refused or its answer was lost: it is recorded."""
        self.complaints: tuple[Complaint, ...] = ()
        """What the server says of single fields, where it refused a call."""


class NotStarted(Interrupted, RemoteError):
    """The user stopped the run before this request was sent; it was certainly not sent."""

    code = "not-sent"


class OutOfTime(NotStarted):
    """The time limit of the run was over before this request was sent; it was certainly not sent."""

    code = "out-of-time"


class NotAsDeclared(RemoteError):
    """The remote system's answer is not what the manifest asks for; nothing was written."""

    code = "not-as-declared"


class OutcomeUnknown(RemoteError):
    """The answer to a writing call was lost: it may or may not have been applied."""

    code = "outcome-unknown"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status: int | None = None,
        made: Receipt | None = None,
        pending: bool = False,
        ended: bool = False,
        interrupted: bool = False,
    ) -> None:
        super().__init__(message, hint=hint, status=status, made=made)
        self.pending = pending
        """Whether the server may still be processing it: no answer came in time, and nothing ended the call."""
        self.ended = ended
        """Whether the server itself ended it; a gateway or a broken connection says nothing about the server."""
        self.interrupted = interrupted
        """Whether its result was not read because the user stopped the run."""
