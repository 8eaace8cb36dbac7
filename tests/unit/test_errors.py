"""Exceptions and the exit codes that pipelines rely on."""

import pytest

from reconciler import errors
from reconciler.cli.exits import exit_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ReconcilerError("x"), 1),
        (errors.InvalidInput("x", ()), 1),
        (errors.RemoteError("x"), 1),
        (errors.OutcomeUnknown("x"), 1),
        (errors.Refused("x"), 4),
        (errors.StalePlan("x"), 5),
        (errors.UsageError("x"), 64),
        (errors.Interrupted("x"), 130),
        (errors.NotStarted("x"), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_exit_code(error, code):
    assert exit_of(error) == code


def test_a_request_that_was_not_started_is_an_interruption_and_no_unknown_outcome():
    error = errors.NotStarted("x")
    assert isinstance(error, errors.Interrupted)
    assert isinstance(error, errors.RemoteError)
    assert not isinstance(error, errors.OutcomeUnknown)


def test_reasons_and_hints_are_kept_as_values():
    assert errors.StalePlan("x", reasons=["a", "b"]).reasons == ("a", "b")
    assert errors.ReconcilerError("x", hint="y").hint == "y"
    assert errors.RemoteError("x", status=503).status == 503
    assert errors.OutcomeUnknown("x").pending is False
