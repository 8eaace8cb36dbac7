"""What a user installs: the wheel, built and installed as pip does it, with its command run far from the checkout."""

import json
import re
import shutil
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from installed_wheel import LITTER, ROOT, Installed

import reconciler
from reconciler.sandbox import Options, Sandbox

pytestmark = pytest.mark.slow

PLUGIN = "provider-plugin/"
"""An example that is a package: it is not inside another one."""
SHARED = (
    "man/man1/reconciler.1",
    "bash-completion/completions/reconciler",
    "fish/vendor_completions.d/reconciler.fish",
    "zsh/site-functions/_reconciler",
)


@pytest.fixture
def project(installed: Installed, tmp_path: Path) -> Path:
    """A copy of the example of sessions that the wheel carries."""
    where = installed.python(tmp_path, "import reconciler; print(reconciler.__path__[0])")
    folder = tmp_path / "session"
    shutil.copytree(Path(where) / "_data" / "examples" / "session", folder, ignore=shutil.ignore_patterns(*LITTER))
    return folder


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _files(folder: str, pattern: str = "*") -> set[str]:
    """Return the files below a folder of the checkout, without what using it leaves behind."""
    found = (path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob(pattern) if path.is_file())
    return {path.as_posix() for path in found if not set(LITTER) & set(path.parts) and path.suffix != ".plan"}


def test_carries_the_schemas_the_examples_the_templates_and_the_marker_of_types(wheel: Path) -> None:
    names = _names(wheel)
    expected = {f"reconciler/_data/schemas/{name}" for name in _files("schemas")}
    expected |= {f"reconciler/_data/examples/{name}" for name in _files("examples") if not name.startswith(PLUGIN)}
    expected |= {f"reconciler/{name}" for name in _files("reconciler")}
    assert {"reconciler/py.typed", "reconciler/_data/schemas/session.schema.json"} <= expected
    assert {"reconciler/_data/examples/session/reconciler.yaml"} <= expected
    assert any(name.endswith(".html.j2") for name in expected)
    assert sorted(expected - names) == []


def test_carries_nothing_else(wheel: Path) -> None:
    names = _names(wheel)
    info = f"booking_reconciler-{reconciler.__version__}.dist-info"
    shared = f"booking_reconciler-{reconciler.__version__}.data"
    assert {PurePosixPath(name).parts[0] for name in names} == {"reconciler", info, shared}
    assert {name for name in names if name.startswith(shared)} == {f"{shared}/data/share/{place}" for place in SHARED}
    assert {f"{info}/METADATA", f"{info}/entry_points.txt", f"{info}/licenses/LICENSE"} <= names
    parts = {part for name in names for part in PurePosixPath(name).parts}
    assert parts & {"tests", ".github", "docs", "__pycache__", "conftest.py", "pyproject.toml"} == set()
    assert [name for name in names if PurePosixPath(name).name.startswith("test_")] == []


def test_carries_no_state_and_no_plan_of_whoever_built_it(wheel: Path) -> None:
    mine = [name for name in sorted(_names(wheel)) if ".reconciler" in name or name.endswith((".db", ".plan"))]
    assert mine == [], "the build must leave out what .gitignore files leave out"


def test_the_wheels_copy_is_what_runs(installed: Installed, tmp_path: Path) -> None:
    show = "import json, sys, reconciler; print(json.dumps([reconciler.__file__, reconciler.__version__, sys.path]))"
    file, version, path = json.loads(installed.python(tmp_path, show))
    assert Path(file).is_relative_to(installed.folder), file
    assert version == reconciler.__version__
    assert str(ROOT) not in path
    said = installed.reconciler(tmp_path, "--version")
    assert said == f"reconciler {reconciler.__version__}\n"


def test_shows_its_schemas(installed: Installed, tmp_path: Path) -> None:
    assert {"Session", "Project", "plan", "why"} <= set(installed.reconciler(tmp_path, "schema", "--list").split())
    for name, arguments in (("editor/manifest", []), ("editor/project", ["Project"]), ("plan", ["plan"])):
        shipped = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
        assert json.loads(installed.reconciler(tmp_path, "schema", *arguments)) == json.loads(shipped)


def test_validates_plans_and_applies_the_example_it_brings(installed: Installed, project: Path) -> None:
    assert "Valid: 2 objects in 1 file; 0 errors, 0 warnings." in installed.reconciler(project, "validate")
    credentials = {"BB_USERNAME": Options().username, "BB_PASSWORD": Options().password}
    with Sandbox() as box:
        file = project / "reconciler.yaml"
        text = file.read_text(encoding="utf-8")
        assert "http://127.0.0.1:8700" in text
        file.write_text(text.replace("http://127.0.0.1:8700", box.url), encoding="utf-8")
        plan = json.loads(installed.reconciler(project, "plan", "--format", "json", **credentials))
        assert plan["summary"]["create"] == 2
        assert "</html>" in installed.reconciler(project, "plan", "--format", "html", **credentials)
        assert box.sessions() == []
        said = installed.reconciler(project, "apply", "--yes", **credentials)
        assert "Applied 2." in said
        assert sorted(session["name"] for session in box.sessions()) == ["Learn to swim", "Spring yoga"]
        installed.reconciler(project, "plan", "--detailed-exitcode", **credentials)
        installed.reconciler(project, "drift", **credentials)


def test_plays_the_demo_with_the_example_it_brings(installed: Installed, tmp_path: Path) -> None:
    said = installed.reconciler(tmp_path, "demo")
    assert re.search(r"Applied [1-9][0-9]*[.;]", said), said
    assert list(tmp_path.iterdir()) == []
