"""Options that belong together reach their command as one typed value."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import click

Command = Callable[..., int | None]
Decorator = Callable[[Command], Command]


def all_of(*options: Decorator) -> Decorator:
    """Return the options as one decorator; help lists them in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def gathered(name: str, make: Callable[..., object], *options: Decorator) -> Decorator:
    """Return options whose values a command takes as one typed argument."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(**values: object) -> int | None:
            made = make(**{key: values.pop(key) for key in keys})
            return command(**values, **{name: made})

        earlier = len(_declared(call))
        decorated = all_of(*options)(call)
        keys = [parameter.name for parameter in _declared(decorated)[earlier:] if parameter.expose_value]
        return decorated

    return decorate


def _declared(command: Command) -> list[click.Parameter]:
    parameters: list[click.Parameter] = getattr(command, "__click_params__", [])
    return parameters
