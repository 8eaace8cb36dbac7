"""adopt: take existing live objects under management."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.errors import Refused, UsageError
from reconciler.model.objects import Address
from reconciler.model.plan import Selection

if TYPE_CHECKING:
    from reconciler import Declared, ProjectSession


@click.command(
    epilog=options.examples(
        "adopt Session/spring-yoga", "adopt Session/spring-yoga 123", "adopt --all --target 'Resource/*'"
    )
)
@click.argument("address", required=False)
@click.argument("remote_id", required=False, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Every declared object that is not managed yet.")
@click.option(
    "--allow-shared",
    multiple=True,
    metavar="ADDRESS",
    help="Take it though another project or environment manages it; globs.",
)
@options.common
@options.selecting
@options.parallel
def adopt(
    address: str | None,
    remote_id: str | None,
    everything: bool,
    allow_shared: tuple[str, ...],
    project: Path | None,
    environment: str | None,
    verbose: bool,
    quiet: bool,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    parallelism: int | None,
) -> int:
    """Take the live object ID under management as ADDRESS, or the only one with the same natural key.

    Nothing of it changes: the next plan shows what its manifest would change. A natural key is a Resource's
    api_ref, else its name; a Session's name, group and start_date; a Block's resource, start and end.

    With --all, every declared object that is not managed yet is looked for by its exact natural key, or taken
    as its annotation `adopt-id` says. Those with exactly one match are adopted; all others are listed with
    their candidates, and the exit code is 1, or 4 where another project alone keeps them. Run it again once
    they are settled: what is managed stays as it is.
    """
    options.log_requests(verbose)
    wanted = None if everything else _wanted(address)
    if everything and address is not None:
        raise UsageError(f"{address} is given beside --all", hint=f"to choose some of them: --all --target {address}")
    if wanted is not None and (targets or excludes):
        raise UsageError("--target and --exclude go with --all")
    for pattern in allow_shared:
        if wanted is not None and not fnmatchcase(str(wanted), pattern):
            raise UsageError(f"--allow-shared {pattern} does not match {wanted}", hint="check the address")
    settings = reconciler.open_project(project, environment)
    declared = reconciler.declare(settings)
    with reconciler.ProjectSession(settings, parallelism=parallelism, notice=options.notice(quiet)) as workspace:
        if wanted is None:
            chosen = Selection(targets=targets, excludes=excludes)
            return _adopt_all(workspace, declared, chosen, allow_shared, quiet=quiet, verbose=verbose)
        record = reconciler.adopt(workspace, declared, wanted, remote_id, allow_shared=bool(allow_shared))
        shown = workspace.kinds[record.address.kind].public_id(record.remote_id)
    if not quiet:
        words = f"{record.address} is now {record.connection} id {shown}. To see what would change:"
        options.say(f"{words} reconciler plan --target {record.address}")
    return 0


def _wanted(address: str | None) -> Address:
    if address is None:
        raise UsageError("an ADDRESS is missing", hint="such as reconciler adopt Session/spring-yoga, or --all")
    try:
        return Address.parse(address)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _adopt_all(
    workspace: ProjectSession,
    declared: Declared,
    chosen: Selection,
    allow_shared: tuple[str, ...],
    *,
    quiet: bool,
    verbose: bool,
) -> int:
    from reconciler.cli.output import people  # noqa: PLC0415 - rich, only where there is something to say
    from reconciler.engine.guards import SHARED  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import text  # noqa: PLC0415 - late, for a quick --help

    adopted = reconciler.adopt_all(workspace, declared, chosen, allow_shared=allow_shared)
    if not quiet:
        for record in adopted.records if verbose else ():
            options.say(f"{record.address} is now {record.connection} id {record.remote_id}")
        for address in adopted.beyond:
            words = f"its system has no list to look in; to take it: reconciler adopt {address} ID"
            options.say(f"{address} is left out: {words}")
    text.problems(people(), adopted.problems)
    if not quiet:
        kinds = [record.address.kind for record in adopted.records]
        options.say(_summary(kinds, len(adopted.problems)))
    if adopted.problems and all(problem.code == SHARED for problem in adopted.problems):
        return Refused.exit_code
    return 1 if adopted.problems else 0


def _summary(kinds: Collection[str], failed: int) -> str:
    if not kinds and not failed:
        return "Nothing to adopt: all that is declared is managed."
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(kinds).items()))
    done = f"Adopted {len(kinds)} object{'' if len(kinds) == 1 else 's'}" + (f" ({counted})" if counted else "")
    if failed:
        return f"{done}; {failed} not adopted, see above."
    return f"{done}. To see what would change: reconciler plan"
