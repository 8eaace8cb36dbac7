"""reconciler: config as code for booking businesses.

The public Python API is documented in `.github/reference/python-api.md`. Every name is loaded on first use.
"""

from __future__ import annotations

from reconciler.version import __version__

TYPE_CHECKING = False  # typing.TYPE_CHECKING without its module, a quarter of what `--version` takes
if TYPE_CHECKING:
    from reconciler.documents.load import load_plan
    from reconciler.engine.guards import Overrides
    from reconciler.engine.verdict import Verdict
    from reconciler.errors import InvalidInput, ReconcilerError, Refused, StalePlan
    from reconciler.manifests.project import nearest_project
    from reconciler.model.objects import Address, Problem
    from reconciler.model.plan import Plan, Selection
    from reconciler.model.report import Drift, Outcome, Report
    from reconciler.operations.adopt import Adopted, adopt, adopt_all
    from reconciler.operations.apply import Callbacks, apply
    from reconciler.operations.drift import drift
    from reconciler.operations.export import Export, ExportRequest, export
    from reconciler.operations.guard import guard
    from reconciler.operations.plan import Planned, invalid_plan, plan, plan_again
    from reconciler.operations.project import Declared, check, declare, open_project
    from reconciler.operations.select import select
    from reconciler.operations.session import ProjectSession
    from reconciler.settings import Project

__all__ = [
    "Address",
    "Adopted",
    "Callbacks",
    "Declared",
    "Drift",
    "Export",
    "ExportRequest",
    "InvalidInput",
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
    "adopt",
    "adopt_all",
    "apply",
    "check",
    "declare",
    "drift",
    "export",
    "guard",
    "invalid_plan",
    "load_plan",
    "nearest_project",
    "open_project",
    "plan",
    "plan_again",
    "select",
]

_HOMES = {
    "documents.load": ("load_plan",),
    "engine.guards": ("Overrides",),
    "engine.verdict": ("Verdict",),
    "errors": ("InvalidInput", "ReconcilerError", "Refused", "StalePlan"),
    "manifests.project": ("nearest_project",),
    "model.objects": ("Address", "Problem"),
    "model.plan": ("Plan", "Selection"),
    "model.report": ("Drift", "Outcome", "Report"),
    "operations.adopt": ("Adopted", "adopt", "adopt_all"),
    "operations.apply": ("Callbacks", "apply"),
    "operations.drift": ("drift",),
    "operations.export": ("Export", "ExportRequest", "export"),
    "operations.guard": ("guard",),
    "operations.plan": ("Planned", "invalid_plan", "plan", "plan_again"),
    "operations.project": ("Declared", "check", "declare", "open_project"),
    "operations.select": ("select",),
    "operations.session": ("ProjectSession",),
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
