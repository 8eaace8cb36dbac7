"""A group of commands that says which of its words is no command, so that the one that was meant can be named."""

from __future__ import annotations

import click


class NoSuchCommand(click.UsageError):
    """A word that is no command; every supported version of click has this class only from 8.4 on."""

    def __init__(self, word: str, own: list[str], ctx: click.Context) -> None:
        super().__init__(f"No such command {word!r}.", ctx)
        self.word = word
        self.own = own
        """The commands that there are."""


class Group(click.Group):
    """A group that lists its commands in the order of their definition."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of the first word; NoSuchCommand if there is none."""
        word, own = args[0], self.list_commands(ctx)
        if not word.startswith("-") and not ctx.resilient_parsing and word not in own:
            raise NoSuchCommand(word, own, ctx)
        return super().resolve_command(ctx, args)
