"""Whole commands on a company in memory, from the arguments to the last line."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from in_memory import URL, served
from lean_server import Company
from projects import CREDENTIALS, FORMATS, write_project

from reconciler.testing.bench import run_in

Run = Callable[[], object]


def _command(
    *arguments: str, live: bool = True, adopted: bool = True, edit: Callable[[Path, Company], object] | None = None
) -> Callable[[int], Run]:
    """Return a stage: n sessions that are declared, and perhaps live and managed, before an edit."""

    def stage(size: int) -> Run:
        home = tempfile.mkdtemp(prefix="exponents-")
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        folder = write_project(Path(home), URL, size)
        env = {**os.environ, **CREDENTIALS, "HOME": home, "XDG_CACHE_HOME": home, "NO_COLOR": "1"}
        env["RECONCILER_TRUST_HOSTS"] = URL.removeprefix("http://")
        company = Company()
        company.fill(size if live else 0)

        def run(*words: str) -> None:
            with served(company):
                done = run_in(folder, env, *words)
            assert done.code in {0, 1, 4}, done

        if live and adopted:
            run("adopt", "--all")
        if edit is not None:
            edit(folder, company)
        return partial(run, *arguments)

    return stage


def _prices(folder: Path, company: Company, *, shared: bool = False) -> None:
    """Change every live price, which a values file has under one key: each its own, or all the same."""
    lines = []
    for number, file in enumerate(sorted((folder / "manifests").iterdir())):
        name = "all" if shared else f"p{number}"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("price: 7.5", f'price: "{{{{ values.prices.{name} }}}}"'), encoding="utf-8")
        lines += [f"  {name}: 7.5\n"] * (not shared or number == 0)
    (folder / "values.yaml").write_text("prices:\n" + "".join(lines), encoding="utf-8")
    project = folder / "reconciler.yaml"
    project.write_text(project.read_text(encoding="utf-8") + "  values: [values.yaml]\n", encoding="utf-8")
    for row in company.rows.values():
        row["price"] = "9.0"


ACCEPT = ("drift", "--accept", "*", "--dry-run")

STAGES: dict[str, Callable[[int], Run]] = {
    "validate": _command("validate"),
    "plan before adopt": _command("plan", adopted=False),
    **{f"plan, no-op, {form}": _command("plan", "--format", form) for form in FORMATS},
    **{f"plan, all new, {form}": _command("plan", "--format", form, live=False) for form in FORMATS},
    "plan, one of n": _command("plan", "--target", "Session/class-000001"),
    **{f"drift, {form}": _command("drift", "--format", form) for form in FORMATS},
    "accept n values under one key": _command(*ACCEPT, edit=_prices),
    "accept one value of n": _command(*ACCEPT, edit=partial(_prices, shared=True)),
    "export": _command("export", "--out", "out", "--force"),
}
