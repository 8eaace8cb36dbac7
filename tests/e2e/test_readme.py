"""What the README shows is what the command prints, and every page it links exists."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from desk import CREDENTIALS, run_in

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
_VARYING = re.compile(r"id \d+|slot \d{6}|/(sessions|slots|resources)/\d+")


def without_ids(line: str) -> str:
    """Leave out ids: objects are created side by side, so their ids differ from run to run."""
    return _VARYING.sub("#", line).strip()


@pytest.fixture(scope="module")
def demo() -> set[str]:
    command = [sys.executable, "-P", "-m", "reconciler", "demo", "--show-all", "--no-color"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return {without_ids(line) for line in done.stdout.splitlines()}


def quoted_from_the_demo() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    quoted = [block for block in blocks if "Session/" in block]
    assert len(quoted) == 1
    return [line for block in quoted for line in block.splitlines() if line.strip()]


def test_the_quoted_output_is_the_demos_own(demo):
    missing = [line for line in quoted_from_the_demo() if without_ids(line) not in demo and not line.startswith("$")]
    assert missing == []


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", TEXT))))
def test_every_page_it_links_exists(link):
    assert (ROOT / link).exists()


def test_a_project_starts_as_it_says(tmp_path, box):
    """Each command of the first steps, as it is written; only the port of the sandbox is that of the test."""
    (block,) = [block for block in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL) if "reconciler init" in block]
    folder, ran = tmp_path, []
    for line in block.splitlines():
        command = shlex.split(line.removeprefix("$ "), comments=True)
        if command[0] == "cd":
            folder /= command[1]
            file = folder / "reconciler.yaml"
            text = file.read_text(encoding="utf-8")
            assert "http://127.0.0.1:8700" in text
            file.write_text(text.replace("http://127.0.0.1:8700", box.url), encoding="utf-8")
            continue
        assert command[0] == "reconciler"
        ran.append(command[1])
        more = ["--yes"] if command[1] == "apply" else []
        done = run_in(folder, {**os.environ, **CREDENTIALS, "NO_COLOR": "1"}, *command[1:], *more)
        assert done.code == 0, done
    assert ran == ["init", "validate", "plan", "apply", "drift"]


def test_its_example_project_is_valid(tmp_path):
    for block in re.findall(r"```yaml\n# (.*?)\n(.*?)```", TEXT, re.DOTALL):
        file = tmp_path / block[0]
        file.parent.mkdir(exist_ok=True)
        file.write_text(block[1], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", "validate"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "Valid: 1 object in 1 file; 0 errors, 0 warnings.\n"
