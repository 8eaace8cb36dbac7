"""Options reach their command as typed values, and each override of the guards has its option."""

from __future__ import annotations

import click
import pytest

from reconciler.cli.commands.apply import apply
from reconciler.cli.commands.destroy import destroy
from reconciler.cli.commands.plan import plan
from reconciler.cli.exits import Exit, exit_of
from reconciler.cli.options import gathered
from reconciler.engine.overrides import Overrides
from reconciler.errors import (
    InvalidInput,
    NotStarted,
    OutcomeUnknown,
    ReconcilerError,
    Refused,
    RemoteError,
    StalePlan,
    UsageError,
)
from reconciler.model.objects import Address


@pytest.mark.parametrize("command", [plan, apply, destroy], ids=lambda command: command.name)
def test_every_override_has_an_option_of_its_name(command):
    declared = {option.name: option for option in command.params if isinstance(option, click.Option)}
    for name in Overrides.__struct_fields__:
        option = declared[name]
        assert option.opts == [f"--{name.replace('_', '-')}"]
        assert option.help


def test_no_option_takes_nan():
    ranges = [item for command in (plan, apply, destroy) for item in command.params if item.type.name == "float range"]
    assert len(ranges) > 5
    for option in ranges:
        with pytest.raises(click.BadParameter, match="'nan' is not a number"):
            option.type.convert("nan", option, None)


def test_the_flags_of_overrides_are_what_a_user_types():
    given = ["--allow-booked", "Session/*", "--allow-booked", "Block/x", "--max-deletes", "0", "--allow-empty"]
    given += ["--max-change-percent", "33.5"]
    parsed = plan.make_context("plan", list(given))
    overrides = Overrides(**{name: parsed.params[name] for name in Overrides.__struct_fields__})
    assert overrides == Overrides(
        allow_booked=("Session/*", "Block/x"), max_deletes=0, max_change_percent=33.5, allow_empty=True
    )
    assert overrides.flags() == (
        "--allow-booked 'Session/*'",
        "--allow-booked Block/x",
        "--max-deletes 0",
        "--max-change-percent 33.5",
        "--allow-empty",
    )
    assert Overrides().flags() == ()


def test_a_glob_that_names_no_object_is_found():
    known = [Address.parse("Session/yoga")]
    assert Overrides(allow_booked=("Session/*",), max_deletes=3).unmatched(known) is None
    found = Overrides(allow_booked=("Session/*",), allow_shared=("Block/*",)).unmatched(known)
    assert found == ("--allow-shared Block/* matches no object of this plan", "check the name")
    assert Overrides(allow_booked=("Session/yogaa",)).unmatched(known) == (
        "--allow-booked Session/yogaa matches no object of this plan",
        "did you mean Session/yoga?",
    )
    assert Overrides(allow_missing=("sess*",)).unmatched(known, ["sessions"]) is None
    assert Overrides(allow_missing=("session",)).unmatched(known, ["sessions"]) == (
        "--allow-missing session matches no connection of this plan",
        "did you mean sessions?",
    )


def test_a_family_of_options_reaches_its_command_as_one_value():
    seen = []

    @click.command()
    @gathered("pair", lambda **values: values, click.option("--a", type=int), click.option("--b", "other"))
    @click.option("--c")
    def command(pair, c):
        """Say nothing."""
        seen.append((pair, c))

    command.main(["--a", "1", "--c", "x"], standalone_mode=False)
    assert seen == [({"a": 1, "other": None}, "x")]
    assert command.help == "Say nothing."


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReconcilerError("x"), Exit.ERROR),
        (InvalidInput("x", ()), Exit.ERROR),
        (RemoteError("x"), Exit.ERROR),
        (OutcomeUnknown("x"), Exit.ERROR),
        (ValueError("x"), Exit.ERROR),
        (Refused("x"), Exit.REFUSED),
        (StalePlan("x"), Exit.STALE),
        (UsageError("x"), Exit.USAGE),
        (NotStarted("x"), Exit.INTERRUPTED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_error_has_its_exit_code(error, code):
    assert exit_of(error) is code


def test_the_exit_codes_are_those_of_the_contract():
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 64, 130]
