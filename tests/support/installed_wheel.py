"""The wheel, built and installed as pip does it in a fresh environment."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = (
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    ".gitignore",
    "Makefile",
    "reconciler",
    "schemas",
    "examples",
    "docs",
    "tests",
)
LITTER = ("__pycache__", ".reconciler", ".pytest_cache", ".mypy_cache", ".ruff_cache")
LEFT_BY_USE = ("examples/session/.reconciler/state.db", "examples/leisure-centre/pr.plan")
TOOLS = ("pip", "hatchling")


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it."""

    folder: Path

    @property
    def scripts(self) -> Path:
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def python(self, cwd: Path, code: str) -> str:
        return run_clean([str(self.scripts / "python"), "-c", code], cwd=cwd).strip()

    def reconciler(self, cwd: Path, *arguments: str, code: int = 0, **env: str) -> str:
        command = shutil.which("reconciler", path=str(self.scripts))
        assert command is not None, f"the wheel put no reconciler command into {self.scripts}"
        return run_clean(
            [command, *arguments], cwd=cwd, code=code, env={"PYTHONWARNINGS": "error", "NO_COLOR": "1", **env}
        )


def run_clean(command: list[str], *, cwd: Path, code: int = 0, env: Mapping[str, str] | None = None) -> str:
    """Run a command without what could lead Python or pip astray; return what it wrote to stdout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "BB_"))}
    settings = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INDEX": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **settings, **(env or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=150,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == code, f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr, done
    return done.stdout


def need_tools() -> None:
    missing = [name for name in TOOLS if importlib.util.find_spec(name) is None]
    if missing:
        pytest.fail(f"{' and '.join(missing)} must be installed to build the wheel: pip install {' '.join(missing)}")


def copy_sources(into: Path) -> None:
    into.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, into / name, ignore=shutil.ignore_patterns(*LITTER))
        else:
            shutil.copy2(ROOT / name, into / name)


def build_wheel(folder: Path) -> Path:
    """Build the wheel of a copy of the sources in which somebody has tried the examples out."""
    need_tools()
    sources = folder / "sources"
    copy_sources(sources)
    for name in LEFT_BY_USE:
        (sources / name).parent.mkdir(exist_ok=True)
        (sources / name).write_text("what somebody did on his own machine", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    run_clean([*pip, "--wheel-dir", str(folder), str(sources)], cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


def install(folder: Path, *wheels: Path) -> Installed:
    """Make a fresh environment with wheels.

    Its dependencies are those that the tests run with, lent by a path in a .pth file, so that no network is
    needed. (--system-site-packages would lend those of the base interpreter, not of the tests' environment.)
    The .pth files that lie there are not read, so an editable install's way to the checkout is not lent.
    """
    run_clean([sys.executable, "-m", "venv", "--without-pip", str(folder)], cwd=folder.parent)
    here = Installed(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(here.scripts / "python"), "install", "--quiet", "--no-deps"]
    run_clean([*pip, *map(str, wheels)], cwd=folder.parent)
    own = Path(here.python(folder.parent, "import sysconfig; print(sysconfig.get_path('purelib'))"))
    lent = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (own / "zz_lent.pth").write_text("".join(f"{path}\n" for path in lent), encoding="utf-8")
    return here
