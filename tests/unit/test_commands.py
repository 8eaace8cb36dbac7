"""The commands that messages name: what the command line chose is added to them."""

from __future__ import annotations

import pytest

from reconciler import commands
from reconciler.cli.main import run
from reconciler.render.escaping import prose
from reconciler.render.safe import visible

PROD = (("--env", "prod"),)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("plan", ()),
        ("plan --env prod", PROD),
        ("plan --env=prod --out x", PROD),
        ("plan --env test --env prod", PROD),
        ("plan --allow-path a --allow-path=b", (("--allow-path", "a"), ("--allow-path", "b"))),
        ("state rm --project p -- --env", (("--project", "p"),)),
        ("plan --env", (("--env", ""),)),
        ("plan --environment prod", ()),
    ],
)
def test_what_a_command_line_chooses_is_read_from_its_words(typed, chosen):
    assert commands.chosen(typed.split()) == chosen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("run: `reconciler plan`.", "run: `reconciler plan --env prod --project 'a b'`."),
        ("`reconciler state rm X`; `reconciler apply`", "`reconciler state rm X {}`; `reconciler apply {}`"),
        ("`reconciler plan --env test`", "`reconciler plan --env test --project 'a b'`"),
        ("`reconciler plan --env=test`", "`reconciler plan --env=test --project 'a b'`"),
        ("`reconciler explain RC0101` says more", "`reconciler explain RC0101` says more"),
        ("reconciler plan, not named", "reconciler plan, not named"),
        ("`reconciler` and `reconciler plan", "`reconciler` and `reconciler plan"),
    ],
)
def test_what_was_chosen_is_added_to_each_command_once(text, shown):
    shown = shown.replace("{}", "--env prod --project 'a b'")
    with commands.using(PROD), commands.using((("--project", "a b"),)):
        assert visible(text) == shown
        assert visible(visible(text)) == shown
    assert visible(text) == text


def test_in_markdown_a_named_command_is_code_and_the_rest_is_escaped():
    with commands.using((("--project", "a_b"),)):
        assert prose("a_b: `reconciler plan`, `x`") == "a&#95;b: `reconciler plan --project a_b`, &#96;x&#96;"


def test_wrong_usage_names_commands_for_the_same_environment_and_the_next_command_line_does_not(capsys):
    assert run(["apply", "--env", "prod", "--dry-run"]) == 64
    assert "`reconciler plan --env prod` shows what would change" in capsys.readouterr().err
    assert run(["apply", "--dry-run"]) == 64
    assert "`reconciler plan` shows what would change" in capsys.readouterr().err
