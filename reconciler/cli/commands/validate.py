"""validate: schema and cross-object rules, offline, without credentials."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

import reconciler
from reconciler.cli import completion, options
from reconciler.cli.exits import Exit
from reconciler.cli.options import Common
from reconciler.cli.output import Output, show_validation
from reconciler.errors import InvalidInput, OutputFailed, UsageError

if TYPE_CHECKING:
    from reconciler import Project
    from reconciler.operations.project import Validation

_FORMATS = ("text", "json", "sarif", "github", "junit")


@click.command(
    epilog=options.examples(
        "validate",
        "validate manifests/yoga.yaml",
        "validate --output - --output reconciler.sarif --output junit.xml",
        "validate --format github",
    )
)
@click.argument("paths", nargs=-1, metavar="[PATH]...", shell_complete=completion.files)
@options.common
@click.option(
    "--untrusted",
    is_flag=True,
    help="Check files of a stranger: in a process without credentials and network, with limits of time, memory and "
    "output, and nothing outside the repository.",
)
@options.formatted(*_FORMATS, private=False)
def validate(paths: tuple[str, ...], common: Common, untrusted: bool, output: Output) -> int:
    """Check manifests offline: PATHs (files, folders, globs, - for stdin). Default: the project's manifests.

    Files that have not changed are taken from a cache, here and in every command that reads manifests. RECONCILER_CACHE
    names its folder, or turns it off: off.

    Other formats are for tools: sarif (code scanning), github (annotations of a pull request), junit (test reports).
    """
    try:
        found = _untrusted(paths, common) if untrusted else _validated(paths, common)
    except InvalidInput as error:
        with suppress(OutputFailed):  # the problems of the project file are the reason of the end
            broken = reconciler.Declared(desired={}, problems=error.problems, files=0, documents=0)
            show_validation(broken, output.documents, _root((), common), quiet=common.quiet, verbose=common.verbose)
        raise
    show_validation(found, output, _root(paths, common), quiet=common.quiet, verbose=common.verbose)
    return Exit.ERROR if found.errors else Exit.DONE


def _validated(paths: tuple[str, ...], common: Common) -> Validation:
    from reconciler.operations import project

    return project.validate(_project(paths, common), paths, stdin=sys.stdin.buffer)


def _untrusted(paths: tuple[str, ...], common: Common) -> Validation:
    from reconciler.operations.untrusted import check_untrusted
    from reconciler.trust import TRUSTED

    if common.allow_paths:
        raise UsageError("--allow-path cannot be used with --untrusted", hint="use one of the two")
    trusted = common.trusted_config or os.environ.get(TRUSTED)
    return check_untrusted(common.project, common.environment, trusted, paths, stdin=sys.stdin.buffer)


def _project(paths: tuple[str, ...], common: Common) -> Project | None:
    """Return the project; None where PATHs are given and there is no project."""
    if paths and common.project is None and common.environment is None and reconciler.nearest_project() is None:
        return None
    return common.open()


def _root(paths: tuple[str, ...], common: Common) -> Path:
    """Return the folder that the places of problems are relative to."""
    return Path.cwd() if paths else common.root()
