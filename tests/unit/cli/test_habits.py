"""The suggestions after a wrong command line name only what there is."""

import click
import pytest

from reconciler.cli.habits import COMMANDS, NOTES, OPTIONS
from reconciler.cli.main import cli, run


def command(words):
    """Return the command of a path such as `state list`; None if there is none."""
    found = cli
    for word in words.split():
        found = found.get_command(click.Context(found), word)
    return found


def every_option():
    names = {"--help", "--version"}
    groups = [cli]
    for group in groups:
        for name in group.list_commands(click.Context(group)):
            found = group.get_command(click.Context(group), name)
            groups += [found] if isinstance(found, click.Group) else []
            names |= {option for each in found.params for option in each.opts}
    return names


@pytest.mark.parametrize("theirs", COMMANDS)
def test_every_suggested_command_exists_and_the_other_one_does_not(theirs):
    ours = COMMANDS[theirs]
    assert ours in {"--help", "--version"} or isinstance(command(ours), click.Command)
    assert command(theirs) is None


def test_every_suggested_option_is_one_of_some_command_and_says_it_without_dashes():
    assert {option for ours in OPTIONS.values() for option in ours} <= every_option()
    assert not [name for name in (*OPTIONS, *NOTES) if name.startswith("-")]


@pytest.mark.parametrize("word", ["—o\x1b]0;x\x07ut", "pl\x1b[31man", "--o\x1b[2Jut", "x\n::error::y"])
def test_a_word_cannot_act_on_the_terminal(word, capsys):
    assert run(["plan", word]) == 64
    said = capsys.readouterr().err
    assert all(line.isprintable() and not line.startswith("::") for line in said.splitlines())
