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
    from reconciler.documents.codec import dump_plan, to_json
    from reconciler.documents.load import load_plan
    from reconciler.documents.signature import plan_key
    from reconciler.engine.overrides import Overrides
    from reconciler.engine.verdict import Verdict
    from reconciler.errors import (
        Interrupted,
        InvalidInput,
        ReconcilerError,
        Refused,
        RemoteError,
        StalePlan,
        UsageError,
    )
    from reconciler.manifests.project import nearest_project
    from reconciler.model.change import Change, FieldChange
    from reconciler.model.objects import Address, Problem
    from reconciler.model.plan import Plan, SavedPlan, Selection
    from reconciler.model.provenance import Explanation
    from reconciler.model.report import Drift, Drifted, Outcome, Report
    from reconciler.operations.accept import Acceptance, accept
    from reconciler.operations.adopt import Adopted, adopt, adopt_all, adopt_duplicate
    from reconciler.operations.apply import Callbacks, apply
    from reconciler.operations.changed import changed_since
    from reconciler.operations.compare import compare_environment
    from reconciler.operations.drift import drift
    from reconciler.operations.export import Export, Exported, ExportRequest, export
    from reconciler.operations.guard import guard
    from reconciler.operations.migrate import Migrated, migrate_state
    from reconciler.operations.notify import notify
    from reconciler.operations.plan import Planned, invalid_plan, plan, plan_again
    from reconciler.operations.project import Declared, check, declare, open_project
    from reconciler.operations.select import select
    from reconciler.operations.session import ProjectSession, open_session
    from reconciler.operations.why import why
    from reconciler.operations.windows import wait_for_window
    from reconciler.settings import Project

__all__ = [
    "Acceptance",
    "Address",
    "Adopted",
    "Callbacks",
    "Change",
    "Declared",
    "Drift",
    "Drifted",
    "Explanation",
    "Export",
    "ExportRequest",
    "Exported",
    "FieldChange",
    "Interrupted",
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
    "RemoteError",
    "Report",
    "SavedPlan",
    "Selection",
    "StalePlan",
    "UsageError",
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
    "open_session",
    "plan",
    "plan_again",
    "plan_key",
    "select",
    "to_json",
    "wait_for_window",
    "why",
]

_HOMES = {
    "documents.codec": ("dump_plan", "to_json"),
    "documents.load": ("load_plan",),
    "documents.signature": ("plan_key",),
    "engine.overrides": ("Overrides",),
    "engine.verdict": ("Verdict",),
    "errors": ("Interrupted", "InvalidInput", "ReconcilerError", "Refused", "RemoteError", "StalePlan", "UsageError"),
    "manifests.project": ("nearest_project",),
    "model.change": ("Change", "FieldChange"),
    "model.objects": ("Address", "Problem"),
    "model.plan": ("Plan", "SavedPlan", "Selection"),
    "model.provenance": ("Explanation",),
    "model.report": ("Drift", "Drifted", "Outcome", "Report"),
    "operations.accept": ("Acceptance", "accept"),
    "operations.adopt": ("Adopted", "adopt", "adopt_all", "adopt_duplicate"),
    "operations.apply": ("Callbacks", "apply"),
    "operations.changed": ("changed_since",),
    "operations.compare": ("compare_environment",),
    "operations.drift": ("drift",),
    "operations.export": ("Export", "ExportRequest", "Exported", "export"),
    "operations.notify": ("notify",),
    "operations.guard": ("guard",),
    "operations.migrate": ("Migrated", "migrate_state"),
    "operations.plan": ("Planned", "invalid_plan", "plan", "plan_again"),
    "operations.project": ("Declared", "check", "declare", "open_project"),
    "operations.select": ("select",),
    "operations.session": ("ProjectSession", "open_session"),
    "operations.why": ("why",),
    "operations.windows": ("wait_for_window",),
    "settings": ("Project",),
}
"""The public names, by the module that holds them."""


if not TYPE_CHECKING:  # a type checker would accept every name

    def __getattr__(name: str) -> object:
        """Load a public name on first use (PEP 562): `--help` and `--version` load none of them."""
        home = next((module for module, names in _HOMES.items() if name in names), None)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - `--version` does without

        value: object = getattr(import_module(f"reconciler.{home}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Name the public names, for completion in an interpreter or a notebook."""
    return sorted({*globals(), *__all__})
