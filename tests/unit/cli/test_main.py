"""The error boundary: every way to end has words and an exit code, and none has a traceback."""

import builtins
from types import FunctionType

import click
import pytest

from reconciler import errors
from reconciler.cli import failures, main


@pytest.fixture
def ending(monkeypatch, capsys):
    """Run a command line whose command ends with an error; return the exit code and what was said."""

    def run(error):
        def fail(*_, **__):
            raise error

        monkeypatch.setattr(main.cli, "main", fail)
        code = main.run(["plan"])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert said.out == ""
        return code, said.err

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ReconcilerError("it is broken"), 1),
        (errors.Refused("it is broken"), 4),
        (errors.StalePlan("it is broken"), 5),
        (errors.Interrupted("it is broken"), 130),
        (click.UsageError("it is broken"), 64),
        (click.ClickException("it is broken"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_is_said_in_its_own_words_with_its_own_exit_code(ending, error, code):
    ended, said = ending(error)
    assert ended == code
    assert "it is broken" in said


def test_hints_and_reasons_are_said_too(ending):
    _, said = ending(errors.StalePlan("stale", hint="plan again", reasons=["Session/yoga: changed"]))
    assert said.index("stale") < said.index("Session/yoga: changed") < said.index("plan again")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["ctrl-c", "abort"])
def test_an_interruption_exits_130(ending, error):
    assert ending(error)[0] == 130


def test_a_defect_is_said_with_its_place_and_without_control_characters(ending):
    code, said = ending(ZeroDivisionError("one\x1b[31m two"))
    assert code == 1
    assert "ZeroDivisionError" in said
    assert "test_main.py:" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("module", ["tool_hire.provider", "reconciler.engine.plan", "json.decoder"])
def test_a_defect_of_another_package_names_that_package(ending, monkeypatch, module):
    monkeypatch.setattr(failures, "package_of", {"tool_hire.provider": "the package tool-hire 1.2"}.get)

    def plugin():
        raise KeyError("row")

    spoilt = FunctionType(plugin.__code__, {"__name__": module, "__builtins__": builtins})
    with pytest.raises(KeyError) as caught:
        spoilt()
    _, said = ending(caught.value)
    owner = "the package tool-hire 1.2" if module == "tool_hire.provider" else "reconciler"
    assert f"defect of {owner}; please report" in said


def test_a_misspelt_command_is_wrong_usage_with_a_suggestion(capsys):
    assert main.run(["plam"]) == 64
    assert "'plan'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["state"], ["ci"]])
def test_a_group_without_a_command_shows_its_help(capsys, arguments):
    assert main.run(arguments) == 64
    said = capsys.readouterr().err
    assert said.startswith("Usage: reconciler")
    assert "\nCommands:\n" in said
    assert (said.count("Usage:"), said.count("error")) == (1, 0)
