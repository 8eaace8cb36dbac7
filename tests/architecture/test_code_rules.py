"""The rules that keep the house liveable, held by machine."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from reconciler.model.change import ACTIONS

PACKAGE = Path(__file__).parents[2] / "reconciler"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
HEAVY = (
    "rich",
    "yaml",
    "jinja2",
    "jsonschema",
    "jsonschema_rs",
    "httpx",
    "deepdiff",
    "lxml",
    "starlette",
    "uvicorn",
    "psycopg",
    "anyascii",
)
NEEDLESS = ("dataclasses", "msgspec", "decimal", "json", "html", "base64", "reconciler.model", "reconciler.settings")
"""What no command needs to show its names: each costs milliseconds on every --help."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_rooms_are_small(file):
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for function in functions:
        assert (function.end_lineno or 0) - function.lineno < LONGEST_FUNCTION, function.name


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["plan", "--help"], ["sandbox", "--help"], ["state", "list", "--help"]]
)
@pytest.mark.parametrize("columns", ["80", "90"], ids=["quick", "click"])
def test_nothing_heavy_is_imported_to_show_help(arguments, columns):
    unwanted = HEAVY + NEEDLESS * (len(arguments) == 1)
    script = (
        "import sys\nfrom reconciler.__main__ import main\nsys.argv[1:] = sys.argv[1:]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted(set({unwanted!r}) & set(sys.modules)))"
    )
    environ = {**os.environ, "COLUMNS": columns}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "HEAVY []", done.stdout


def test_nothing_is_imported_for_the_python_api_before_it_is_used():
    script = (
        "import reconciler, sys; dir(reconciler)\n"
        "found = {name for name in sys.modules if name.startswith('reconciler')}\n"
        "reconciler.open_session, reconciler.Refused\n"
        f"print(sorted(found), sorted({set(HEAVY) - {'yaml'}!r} & {{*sys.modules}}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['reconciler', 'reconciler.version'] []"


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("pl", ()),
        ("plan --fo", ()),
        ("'pl", ()),  # quoted, so that click answers
        ("plan --env 'a' --fo", ()),
        ("plan --target ", ("yaml",)),
        ("plan --env ", ("yaml",)),
        ("apply --allow-booked ", ("yaml",)),
        ("drift --accept ", ("yaml",)),
        ("state rm ", ("yaml",)),
        ("explain Session.", ()),
        ("export --kind ", ()),
        ("init --connection ", ()),
    ],
)
def test_nothing_heavy_is_imported_to_complete(words, needed):
    """Somebody waits for it between two keys."""
    script = (
        "import os, sys\nfrom reconciler.__main__ import main\nend = os._exit\n"
        f"unwanted = {set(HEAVY) - set(needed)!r}\n"
        "os._exit = lambda code: end(print('HEAVY', sorted(unwanted & {*sys.modules}), flush=True) or code)\n"
        "main()\nos._exit(0)"
    )
    asked = {
        "_RECONCILER_COMPLETE": "bash_complete",
        "COMP_WORDS": f"reconciler {words}",
        "COMP_CWORD": str(1 + words.count(" ")),
    }
    folder = PACKAGE.parent / "examples" / "leisure-centre"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    *offered, last = done.stdout.splitlines()
    assert offered
    assert last == "HEAVY []"


def test_every_module_says_why_it_exists():
    silent = [str(file) for file in FILES if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))]
    assert [name for name in silent if not name.endswith("__init__.py")] == []


def test_sets_of_actions_have_one_home():
    """A new action is weighed in one file: elsewhere a condition uses the sets and properties of `model/change.py`."""
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}"
        for file in FILES
        if file != PACKAGE / "model" / "change.py"
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Set | ast.Tuple | ast.List) and _names_actions(node)
    ]
    assert found == []


def _names_actions(node):
    return len(node.elts) > 1 and all(isinstance(item, ast.Constant) and item.value in ACTIONS for item in node.elts)


SETTINGS = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
MODULES = {"pyyaml": "yaml", "jsonschema-rs": "jsonschema_rs", "ruamel.yaml": "ruamel"}
"""What a distribution is imported as, where that is not its own name."""
NOT_IMPORTED = {"tzdata", "anyio", "certifi", "pygments"}
"""Data, and libraries that only others import: their bounds say why they stand in pyproject.toml."""
EVERYWHERE = {"msgspec"}
"""What every room declares its values with."""


def test_every_dependency_has_one_home():
    contracts = SETTINGS["tool"]["importlinter"]["contracts"]
    homes = {name for contract in contracts for name in contract.get("protected_modules", ())}
    project = SETTINGS["project"]
    extras = project["optional-dependencies"]
    required = project["dependencies"] + extras["sandbox"] + extras["postgres"]
    names = {re.split(r"[<>=\[]", item)[0] for item in required} - NOT_IMPORTED - EVERYWHERE
    assert {MODULES.get(name, name) for name in names} == homes


def test_time_zones_have_one_home():
    """`zoneinfo.ZoneInfo(name)` reads the files of the machine."""
    found = [
        file.name
        for file in PACKAGE.rglob("*.py")
        if file.name != "zones.py" and re.search(r"\bZoneInfo\(|available_timezones", file.read_text(encoding="utf-8"))
    ]
    assert found == []


DATA_CLASSES = {
    "Options": "its fields have metadata, from functions",
    "ProviderSettings": "the classes of other packages that extend it are data classes",
    "ProviderSpec": "the signature of a struct needs every type of a field, and one of these is imported late",
    "Declaration": "other packages may extend it as well",
    "AdminSettings": "it extends ProviderSettings",
    "CheckfrontSettings": "it extends ProviderSettings",
}
"""Why a class is a data class although none of its fields needs that."""
NOT_IN_A_STRUCT = {"compare", "init", "metadata", "repr"}


def test_values_are_structs():
    """To make a data class takes forty times as long as a `msgspec.Struct`: only what a struct cannot say is one."""
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}: {node.name}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(item).startswith("dataclass") for item in node.decorator_list)
        and node.name not in DATA_CLASSES
        and not any(option.arg in NOT_IN_A_STRUCT for option in _options(node))
    ]
    assert found == []


def _options(node):
    calls = (item.value for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.value, ast.Call))
    return [option for call in calls if ast.unparse(call.func) == "field" for option in call.keywords]
