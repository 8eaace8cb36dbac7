"""adopt: start managing existing live objects."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import say_problems
from reconciler.cli.overriding import allow_shared
from reconciler.cli.progress import progress
from reconciler.errors import UsageError
from reconciler.model.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler import Address, Adopted, Declared, ProjectSession, Selection


@click.command(
    epilog=options.examples(
        "adopt Session/spring-yoga", "adopt Session/spring-yoga 123", "adopt --all --target 'Resource/*'"
    )
)
@click.argument("address", required=False, shell_complete=completion.addresses)
@click.argument("remote_id", required=False, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Adopt every declared object that is not managed yet.")
@click.option(
    "--as-duplicate",
    is_flag=True,
    help="Manage ID, a possible duplicate of ADDRESS, under a separate address, so that the next apply deletes it.",
)
@allow_shared
@options.connecting
@options.selecting
@options.parallel
@options.limiting
@options.locking
def adopt(
    address: str | None,
    remote_id: str | None,
    everything: bool,
    as_duplicate: bool,
    allow_shared: tuple[str, ...],
    common: Common,
    selection: Selection,
    parallelism: int | None,
    timeout: float | None,
    lock_timeout: float,
) -> int:
    """Start managing the live object ID as ADDRESS. Without ID: the only object with the same natural key.

    The live object does not change: the next plan shows what its manifest would change. The natural key of a
    Resource is its api_ref, or its name if it has no api_ref; of a Session, its name, group and start_date; of a
    Block, its resource, start and end.

    With --all, every declared object that is not managed yet is looked up by its exact natural key, or by the id
    in its annotation `adopt-id`. Those with exactly one match are adopted. All others are listed with their
    candidates, and the exit code is 1, or 4 if the only reason is that another project manages them. Run it again
    after you have resolved them: objects that are already managed do not change.
    """
    wanted = None if everything else _wanted(address)
    if everything and address is not None:
        raise UsageError(f"{address} cannot be combined with --all", hint=f"to select some: --all --target {address}")
    if wanted is not None and not selection.everything:
        raise UsageError("--target and --exclude need --all")
    for pattern in allow_shared:
        if wanted is not None and not wanted.matches(pattern):
            raise UsageError(f"--allow-shared {pattern} does not match {wanted}", hint="check the address")
    if as_duplicate and (remote_id is None or allow_shared):
        raise UsageError("--as-duplicate needs ADDRESS and ID, without --all and --allow-shared")
    project = common.open_warned()
    declared = reconciler.declare(project)
    with common.session(project, parallelism, timeout) as session, session.hold(timeout=lock_timeout):
        if wanted is None:
            return _adopt_all(session, declared, selection, allow_shared, common)
        if as_duplicate and remote_id is not None:
            record = reconciler.adopt_duplicate(session, declared, wanted, remote_id)
            words = f"{record.address} is now {record.connection} id {record.remote_id}, which the next apply deletes."
            words += " To delete only that:"
            common.say(f"{words} `reconciler destroy --target {record.address}`")
            return Exit.DONE
        record = reconciler.adopt(session, declared, wanted, remote_id, allow_shared=bool(allow_shared))
        shown = session.kinds[record.address.kind].public_id(record.remote_id)
    words = f"{record.address} is now {record.connection} id {shown}. To see what would change:"
    common.say(f"{words} `reconciler plan --target {record.address}`")
    return Exit.DONE


def _wanted(address: str | None) -> Address:
    if address is None:
        raise UsageError("ADDRESS is missing", hint="for example: `reconciler adopt Session/spring-yoga`, or --all")
    try:
        return reconciler.Address.parse(address)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _adopt_all(
    session: ProjectSession, declared: Declared, selection: Selection, allow_shared: tuple[str, ...], common: Common
) -> int:
    with progress("Reading the live objects", session.traffic, quiet=common.quiet):
        adopted = reconciler.adopt_all(session, declared, selection, allow_shared=allow_shared)
    for record in adopted.records if common.verbose else ():
        common.say(f"{record.address} is now {record.connection} id {record.remote_id}")
    for address in adopted.unlisted:
        words = f"its API cannot list such objects; to adopt it: `reconciler adopt {address} ID`"
        common.say(f"{address} is skipped: {words}")
    say_problems(adopted.problems)
    common.say(_summary(adopted, [record.address.kind for record in adopted.records]))
    if not adopted.problems:
        return Exit.DONE
    return Exit.REFUSED if adopted.refused else Exit.ERROR


def _summary(adopted: Adopted, kinds: Sequence[str]) -> str:
    failed = len(adopted.problems)
    if not kinds and not failed:
        return "Nothing to adopt: every declared object is managed."
    counted = ", ".join(f"{number} {kind}" for kind, number in sorted(Counter(kinds).items()))
    done = f"Adopted {count(len(kinds), 'object')}" + (f" ({counted})" if counted else "")
    if failed:
        return f"{done}; {failed} not adopted, see above."
    return f"{done}. To see what would change: `reconciler plan`"
