"""why: where each value of an object comes from; only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.options import Common
from reconciler.cli.output import Output, json_text, show
from reconciler.cli.progress import progress

if TYPE_CHECKING:
    from reconciler import Explanation
    from reconciler.render.console import Console


@click.command(
    epilog=options.examples(
        "why Session/spring-yoga",
        "why Session/spring-yoga.price --env prod",
        "why Resource/main-hall.address.postcode --offline",
    )
)
@click.argument("what", metavar="ADDRESS[.FIELD]", shell_complete=completion.values)
@options.connecting
@click.option(
    "--offline", is_flag=True, help="Read no remote system. Default: also show live values and the next plan."
)
@options.formatted("text", "json")
def why(what: str, common: Common, offline: bool, output: Output) -> None:
    """Show where each value of an object comes from, or that of one FIELD (Session/spring-yoga.slots[0].time).

    For each value: its place in the manifest; the template, and the values file behind it; the value that was last
    applied and the live one. What is not stated is an API default, or what the live system has. Also shown: what the
    object depends on, what depends on it, what protects it or ignores its drift, and who last wrote it.
    """
    project = common.open_warned()
    declared = reconciler.declare(project)
    with (
        common.session(project) as session,
        progress("Reading the live object", session.traffic, quiet=common.quiet or offline),
    ):
        found = reconciler.why(session, declared, what, offline=offline)
    show(output, text=lambda console: _write(console, found), json=lambda: _json(found))


def _write(console: Console, found: Explanation) -> None:
    from reconciler.render.why import why as render

    render(console, found)


def _json(found: Explanation) -> str:
    from reconciler.documents.codec import why_document

    return json_text(why_document(found))
