"""What a shell completes: the values of arguments and options, and the answer to the shell's question.

Completion runs while the user types. It sends nothing, runs no command, prints no error, and offers only names that no
shell could act on. Everything else is imported where it is needed: each 10 ms is felt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from reconciler.manifests.outline import Outline

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _starting(offered: Callable[[click.Context, str], Iterable[str]]) -> Completer:
    """Return a completer that offers what starts with the text typed so far, and nothing where that fails."""

    def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
        with suppress(Exception):
            return sorted({each for each in offered(ctx, incomplete) if each.startswith(incomplete)})
        return []

    return complete


def _outline(ctx: click.Context) -> Outline | None:
    from reconciler.manifests.outline import outline  # noqa: PLC0415 - 15 ms of YAML, for names only

    return outline(ctx.params.get("project"))


def _addresses(ctx: click.Context, _incomplete: str) -> Iterator[str]:
    from reconciler.manifests.known_names import known, project_file  # noqa: PLC0415 - as below

    project, environment = project_file(ctx.params.get("project")), ctx.params.get("environment")
    if project is None:
        return
    unchanged, whole = known(project, environment)
    names = unchanged if whole else _names(ctx, project, environment, unchanged)
    for each in names.values():
        yield from each or ()


def _names(
    ctx: click.Context, project: str, environment: str | None, unchanged: Mapping[str, list[str]]
) -> Mapping[str, list[str] | None]:
    """Return the addresses of a project and its state by the file that they come from, and keep them."""
    from reconciler.manifests.known_names import keep  # noqa: PLC0415 - as below

    began = time.time_ns()
    found = _outline(ctx)
    if found is None:
        return {}
    names = found.addresses(unchanged)
    place = found.place(environment)
    if place is not None:
        names |= {str(place): _recorded(found, environment), f"{place}-wal": []}
    with suppress(Exception):  # it only saves time
        keep(project, environment, names, began)
    return names


def _recorded(found: Outline, environment: str | None) -> list[str] | None:
    """Return the addresses that a state records; None where it cannot be read now."""
    file = found.state(environment)
    if file is None:
        return []
    from reconciler.manifests.outline import ADDRESS  # noqa: PLC0415 - as above
    from reconciler.state.names import recorded  # noqa: PLC0415 - 5 ms of SQLite, where there is a file

    with suppress(Exception):  # what is no state, or in use, hides no manifest
        return [*filter(ADDRESS.fullmatch, recorded(file, found.name, environment))]
    return None


def _environments(ctx: click.Context, _incomplete: str) -> Iterable[str]:
    found = _outline(ctx)
    return found.environments if found is not None else ()


def _connections(ctx: click.Context, _incomplete: str) -> Iterable[str]:
    found = _outline(ctx)
    return found.connections if found is not None else ()


def _systems(_ctx: click.Context, _incomplete: str) -> Iterable[str]:
    from reconciler.providers.base import BUILT_IN  # noqa: PLC0415 - as below
    from reconciler.registry import providers  # noqa: PLC0415 - as below

    return (name for name, spec in providers().items() if spec.schema == BUILT_IN)


def _kinds(_ctx: click.Context, _incomplete: str) -> Iterable[str]:
    from reconciler.registry import kinds  # noqa: PLC0415 - 100 ms, for the names of kinds

    return kinds()


def _fields(_ctx: click.Context, incomplete: str) -> Iterable[str]:
    from reconciler.model.codes import codes  # noqa: PLC0415 - as below
    from reconciler.operations.explain import explained  # noqa: PLC0415 - 100 ms, for the names of kinds

    if "." in incomplete:
        return _inside(incomplete.rpartition(".")[0])
    # Where nothing is typed yet, a hundred codes would hide the kinds.
    named = (name for item in codes() for name in (item.number, item.code)) if incomplete else ()
    return [*explained(), *named]


def _inside(above: str) -> list[str]:
    """Return the fields inside a kind or a field."""
    from reconciler.operations.explain import explain_field  # noqa: PLC0415 - 100 ms, for the names of fields

    frame = [f"{above}.metadata"] if "." not in above and above != "Project" else []
    return [*frame, *(field.path for field in explain_field(above).fields)]


def _values(ctx: click.Context, incomplete: str) -> Iterable[str]:
    address, dot, _ = incomplete.partition(".")
    if not dot:
        return _addresses(ctx, incomplete)
    kind = address.partition("/")[0]
    above = incomplete.rpartition(".")[0].removeprefix(address)
    return (f"{address}{path.removeprefix(kind)}" for path in _inside(kind + above))


def _schemas(_ctx: click.Context, _incomplete: str) -> Iterable[str]:
    from reconciler.operations.explain import schema_names  # noqa: PLC0415 - 100 ms, for the names of schemas

    return schema_names()


addresses = _starting(_addresses)
"""Addresses that the manifests declare."""
environments = _starting(_environments)
connections = _starting(_connections)
systems = _starting(_systems)
"""The booking systems that `init` knows."""
kinds = _starting(_kinds)
fields = _starting(_fields)
"""Kinds; with a dot, the fields of one; and the codes of problems."""
values = _starting(_values)
"""Addresses; with a dot, the fields of one."""
schemas = _starting(_schemas)


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Leave files to the shell, for text that can be a glob as well."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

    return [CompletionItem(incomplete, type="file")]
