"""reconciler: config as code for booking businesses.

The public Python API is documented in `docs/reference/python-api.md`. Every name is loaded on first use.
"""

import sys  # part of the interpreter, so that no file can replace it

if sys.argv[:1] == ["-m"] and {"reconciler", "-mreconciler"} & {*sys.orig_argv} and not sys.flags.safe_path:
    # `python -m reconciler` searches the current folder first. A checkout must not replace what is imported below.
    del sys.path[0]

from reconciler.version import __version__

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module, a quarter of what `--version` takes
if TYPE_CHECKING:
    from reconciler.documents.codec import dump_plan
    from reconciler.documents.load import load_plan
    from reconciler.documents.signature import plan_key
    from reconciler.engine.overrides import Overrides
    from reconciler.engine.verdict import Verdict
    from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan
    from reconciler.manifests.project import nearest_project
    from reconciler.model.objects import Address, Problem
    from reconciler.model.plan import Plan, Selection
    from reconciler.model.provenance import Explanation
    from reconciler.model.report import Drift, Outcome, Report
    from reconciler.operations.accept import accept
    from reconciler.operations.adopt import Adopted, adopt, adopt_all, adopt_duplicate
    from reconciler.operations.apply import Callbacks, apply
    from reconciler.operations.changed import changed_since
    from reconciler.operations.compare import compare_environment
    from reconciler.operations.drift import drift
    from reconciler.operations.export import Export, ExportRequest, export
    from reconciler.operations.guard import guard
    from reconciler.operations.migrate import Migrated, migrate_state
    from reconciler.operations.notify import notify
    from reconciler.operations.plan import Planned, invalid_plan, plan, plan_again
    from reconciler.operations.project import Declared, check, declare, open_project
    from reconciler.operations.select import select
    from reconciler.operations.session import ProjectSession
    from reconciler.operations.why import why
    from reconciler.operations.windows import wait_for_window
    from reconciler.settings import Project

__all__ = [
    "Address",
    "Adopted",
    "Callbacks",
    "Declared",
    "Drift",
    "Explanation",
    "Export",
    "ExportRequest",
    "InvalidInput",
    "Migrated",
    "Outcome",
    "Overrides",
    "Plan",
    "Planned",
    "Problem",
    "Project",
    "ProjectSession",
    "ReconcilerError",
    "Refused",
    "Report",
    "Selection",
    "StalePlan",
    "Verdict",
    "__version__",
    "accept",
    "adopt",
    "adopt_all",
    "adopt_duplicate",
    "apply",
    "changed_since",
    "check",
    "compare_environment",
    "declare",
    "drift",
    "dump_plan",
    "export",
    "guard",
    "invalid_plan",
    "load_plan",
    "migrate_state",
    "nearest_project",
    "notify",
    "open_project",
    "plan",
    "plan_again",
    "plan_key",
    "select",
    "wait_for_window",
    "why",
]

_HOMES = {
    "documents.codec": ("dump_plan",),
    "documents.load": ("load_plan",),
    "documents.signature": ("plan_key",),
    "engine.overrides": ("Overrides",),
    "engine.verdict": ("Verdict",),
    "errors": ("InvalidInput", "ReconcilerError", "Refused", "StalePlan"),
    "manifests.project": ("nearest_project",),
    "model.objects": ("Address", "Problem"),
    "model.plan": ("Plan", "Selection"),
    "model.provenance": ("Explanation",),
    "model.report": ("Drift", "Outcome", "Report"),
    "operations.accept": ("accept",),
    "operations.adopt": ("Adopted", "adopt", "adopt_all", "adopt_duplicate"),
    "operations.apply": ("Callbacks", "apply"),
    "operations.changed": ("changed_since",),
    "operations.compare": ("compare_environment",),
    "operations.drift": ("drift",),
    "operations.export": ("Export", "ExportRequest", "export"),
    "operations.notify": ("notify",),
    "operations.guard": ("guard",),
    "operations.migrate": ("Migrated", "migrate_state"),
    "operations.plan": ("Planned", "invalid_plan", "plan", "plan_again"),
    "operations.project": ("Declared", "check", "declare", "open_project"),
    "operations.select": ("select",),
    "operations.session": ("ProjectSession",),
    "operations.why": ("why",),
    "operations.windows": ("wait_for_window",),
    "settings": ("Project",),
}
"""The public names, by the module that holds them."""


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562): `--help` and `--version` load none of them."""
    home = next((module for module, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - `--version` does without

    value: object = getattr(import_module(f"reconciler.{home}"), name)
    globals()[name] = value
    return value
