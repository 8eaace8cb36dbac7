"""validate: schema and cross-object rules, offline, without credentials."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

import reconciler
from reconciler.cli import options
from reconciler.cli.output import show
from reconciler.model.objects import Problem


@click.command(epilog=options.examples("validate", "validate manifests/yoga.yaml"))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@options.common
@options.formatted("text", "json")
def validate(
    paths: tuple[str, ...],
    project: Path | None,
    environment: str | None,
    verbose: bool,
    quiet: bool,
    form: str,
    output: Path | None,
) -> int:
    """Check manifests offline: PATHs (files, folders, globs, - for stdin), or all of the project's."""
    from reconciler.documents import codec  # noqa: PLC0415 - late, for a quick --help
    from reconciler.render import text  # noqa: PLC0415 - late, for a quick --help

    options.log_requests(verbose)
    settings = _project(paths, project, environment)
    _, declared = reconciler.check(settings, paths, stdin=sys.stdin.buffer)
    problems = declared.problems
    counts = {"files": declared.files, "documents": declared.documents}

    def words(console: Any) -> None:
        text.problems(console, problems)
        if not quiet:
            console.print(_summary(problems, declared.files, declared.documents))

    show(form, output, {"json": lambda: codec.dumps(codec.problems_document(problems, **counts))}, words)
    return 1 if declared.errors else 0


def _project(paths: tuple[str, ...], project: Path | None, environment: str | None) -> Any:
    """Return the project's settings; given paths are checked without one where there is none."""
    from reconciler.manifests.project import nearest_project  # noqa: PLC0415 - late, for a quick --help

    if paths and project is None and environment is None and nearest_project() is None:
        return None
    return reconciler.open_project(project, environment)


def _summary(problems: tuple[Problem, ...], files: int, documents: int) -> str:
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    found = ", ".join(
        f"{count} {word}{'' if count == 1 else 's'}" for count, word in ((errors, "error"), (warnings, "warning"))
    )
    where = f"{documents} object{'' if documents == 1 else 's'} in {files} file{'' if files == 1 else 's'}"
    return f"{'Invalid' if errors else 'Valid'}: {where}; {found}."
