"""validate: schema and cross-object rules, offline, without credentials."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, show_validation

if TYPE_CHECKING:
    from reconciler import Project


@click.command(epilog=options.examples("validate", "validate manifests/yoga.yaml"))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@options.common
@options.formatted("text", "json")
def validate(paths: tuple[str, ...], common: Common, output: Output) -> int:
    """Check manifests offline: PATHs (files, folders, globs, - for stdin). Default: the project's manifests."""
    declared = reconciler.check(_project(paths, common), paths, stdin=sys.stdin.buffer)
    show_validation(declared, output, quiet=common.quiet)
    return Exit.ERROR if declared.errors else Exit.DONE


def _project(paths: tuple[str, ...], common: Common) -> Project | None:
    """Return the project; None where PATHs are given and there is no project."""
    if paths and common.project is None and common.environment is None and reconciler.nearest_project() is None:
        return None
    return common.open()
