"""ci: what the pipelines of GitHub and GitLab do at their forge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.exits import Exit
from reconciler.cli.groups import Group
from reconciler.cli.output import say
from reconciler.errors import StalePlan
from reconciler.files import write_whole

if TYPE_CHECKING:
    from reconciler.forge.decisions import By, Decided
    from reconciler.operations.reviewed import Comparison

_FILE = click.Path(path_type=Path)
_KEY = click.option("--key", required=True, metavar="TEXT", help="What tells it from others: any text.")
_CODE = click.option("--code", type=int, required=True, metavar="N", help="Exit code of the command that it is about.")
_BODY = click.option("--body", type=_FILE, required=True, metavar="FILE", help="Markdown page of that command.")
_LOG = click.option("--log", type=_FILE, metavar="FILE", help="Its stderr, shown where it wrote no page.")
_BY = click.option(
    "--by",
    type=click.Choice(["write", "review"]),
    default="write",
    show_default=True,
    help="Whose decisions count: of anyone with write access, or only those in an approving review.",
)
_NOTE = click.option("--note", default="", metavar="TEXT", help="What to say below the page.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Only print errors.")
_NAME = click.option(
    "--name", default="reconciler-plan", show_default=True, metavar="TEXT", help="Name of the artifact with the plan."
)


@click.group(cls=Group)
def ci() -> None:
    """Run the steps of a pipeline at GitHub or GitLab: comments, issues, reviewed plans.

    They read the variables of the runner, and a token from RECONCILER_FORGE_TOKEN, which is sent to the API of the
    forge alone.
    """


@ci.command(
    short_help="Write or update the comment of a pull request.",
    epilog=options.examples("ci comment 12 --key plan --body plan.md --log plan.log"),
)
@click.argument("number", type=click.IntRange(1))
@_KEY
@_BODY
@_LOG
@_NOTE
@options.no_color
@_QUIET
def comment(number: int, key: str, body: Path, log: Path | None, note: str, quiet: bool) -> int:
    """Write the comment of pull request NUMBER, or update the one that is there."""
    from reconciler.forge import here, sticky

    page = _page(body, log, "Plan failed", note)
    with here.forge() as forge:
        new = sticky.comment(forge, number, key, sticky.body(key, page, here.run_url(), forge.longest))
    if not quiet:
        say(f"Pull request {number}: {'wrote' if new else 'updated'} the comment.")
    return Exit.DONE


@ci.command(
    short_help="Open, update or close an issue.",
    epilog=options.examples("ci issue --key drift --title Drift --code 2 --body drift.md"),
)
@_KEY
@click.option("--title", required=True, metavar="TEXT", help="Title of the issue.")
@_CODE
@_BODY
@_LOG
@_NOTE
@options.no_color
@_QUIET
def issue(key: str, title: str, code: int, body: Path, log: Path | None, note: str, quiet: bool) -> int:
    """Open an issue, or update the open one; close it where --code is 0."""
    from reconciler.forge import here, sticky

    run = here.run_url()
    with here.forge() as forge:
        if code == Exit.DONE:
            closed = sticky.close_issues(forge, key, f"Nothing is left to do.{f' [Run]({run})' if run else ''}")
            words = [f"Closed issue {number}." for number in closed]
        else:
            text = sticky.body(key, _page(body, log, title, note), run, forge.longest)
            words = [f"The issue is {sticky.open_issue(forge, key, title, text)}."]
    for line in [] if quiet else words:
        say(line)
    return Exit.DONE


@ci.command(
    short_help="Find the `/allow-booked` lines of a pull request.",
    epilog=options.examples("ci decisions 12 --out decisions.json"),
)
@click.argument("number", type=click.IntRange(1))
@_BY
@click.option("--out", type=_FILE, required=True, metavar="FILE", help="Write the decisions to this file.")
@options.no_color
@_QUIET
def decisions(number: int, by: By, out: Path, quiet: bool) -> int:
    """Find the lines `/allow-booked ADDRESS` of pull request NUMBER whose authors may decide that."""
    from reconciler.documents.decisions import dump_decisions
    from reconciler.forge import here
    from reconciler.forge.decisions import decided

    with here.forge() as forge:
        found = decided(forge, [forge.request(number)], by)
    write_whole(out, dump_decisions(found.decisions).encode(), private=True)
    _say_decided(found, quiet=quiet)
    return Exit.DONE


@ci.command(
    short_help="Fetch the plans and decisions that were reviewed.",
    epilog=options.examples("ci reviewed --commit 1f0c… --out reviewed"),
)
@click.option("--commit", required=True, metavar="SHA", help="The commit that is to be applied.")
@_BY
@_NAME
@click.option("--out", type=_FILE, required=True, metavar="DIR", help="Write the plans and decisions to this folder.")
@options.no_color
@_QUIET
def reviewed(commit: str, by: By, name: str, out: Path, quiet: bool) -> int:
    """Fetch the plans and decisions of the pull requests that were merged since the last apply that succeeded."""
    from reconciler.forge import here
    from reconciler.operations.reviewed import collect

    with here.forge() as forge:
        found = collect(forge, commit, by, name, out)
    _say_decided(found, quiet=quiet)
    return Exit.DONE


@ci.command(
    short_help="Exit 5 if a plan does more than was reviewed.",
    epilog=options.examples("ci compare reconciler.plan --reviewed reviewed --output report.md"),
)
@click.argument("planfile", type=_FILE)
@click.option("--reviewed", type=_FILE, required=True, metavar="DIR", help="The folder that `ci reviewed` wrote.")
@click.option("--output", type=_FILE, metavar="FILE", help="Write the differences to this file, as Markdown.")
@options.no_color
@_QUIET
def compare(planfile: Path, reviewed: Path, output: Path | None, quiet: bool) -> int:
    """Exit 5 if PLANFILE would do what no reviewed plan does, or does in another way."""
    from reconciler.cli.document import read_document
    from reconciler.documents.load import load_plan
    from reconciler.operations import reviewed as operation

    found = operation.compare(load_plan(read_document(planfile)), reviewed)
    if not found.differences:
        if not quiet:
            say("The plan does only what was reviewed.")
        return Exit.DONE
    if output is not None:
        write_whole(output, _differences(found).encode(), private=True)
    raise StalePlan(
        "the plan is not the one that was reviewed; nothing was written",
        hint="open a pull request, whose plan shows these changes, or run the workflow by hand to apply them",
        reasons=[*found.differences, *found.notes],
    )


@ci.command(
    short_help="Open a pull request with a patch.",
    epilog=options.examples("ci propose accept.patch --in project --base main --title 'Accept the live price'"),
)
@click.argument("patch", type=_FILE)
@click.option("--in", "folder", type=_FILE, required=True, metavar="DIR", help="Checkout that the patch is for.")
@click.option("--base", required=True, metavar="BRANCH", help="Branch to merge into.")
@click.option("--title", required=True, metavar="TEXT", help="Title of the commit and of the pull request.")
@options.no_color
@_QUIET
def propose(patch: Path, folder: Path, base: str, title: str, quiet: bool) -> int:
    """Push PATCH as a new branch, and open a pull request."""
    from reconciler.forge import here
    from reconciler.forge.proposal import propose as open_request

    with here.forge() as forge:
        url = open_request(forge, patch, folder, base, title, here.run_url())
    if not quiet:
        say("Nothing to propose: the patch is empty." if url is None else f"The pull request is {url}.")
    return Exit.DONE


def _page(body: Path, log: Path | None, title: str, note: str) -> str:
    """Return the page that a command wrote, or one with its log where it failed before, and the note below."""
    from reconciler.cli.document import read_document
    from reconciler.forge.sticky import failed_page

    if body.is_file():
        page = read_document(body)
    else:
        page = failed_page(title, read_document(log) if log is not None and log.is_file() else "")
    return "\n\n".join(filter(None, (page.strip(), " ".join(note.split()))))


def _say_decided(found: Decided, *, quiet: bool) -> None:
    from reconciler.render.safe import harmless

    for decision in () if quiet else found.decisions:
        say(harmless(f"Allowed despite booked places: {decision.address}, {decision.words}."))
    for words in found.ignored:
        say(harmless(f"warning: does not count: {words}"))


def _differences(found: Comparison) -> str:
    from reconciler.forge.sticky import failed_page

    lines = "\n".join([*found.differences, *found.notes])
    return failed_page("Apply stopped: the plan is not the one that was reviewed", lines) + "\n"
