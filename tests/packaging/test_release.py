"""A release: the steps of its workflow, run here as far as they need no GitHub."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from reconciler.version import __version__

ROOT = Path(__file__).parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
TAG = f"v{__version__}"


def _run(script: str, folder: Path, tag: str = TAG) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does, with the Python of these tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, "GITHUB_REF_NAME": tag, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path):
    """A clone of what is committed, with the scripts as they are here."""
    if not (ROOT / ".git").exists():
        pytest.skip("only a Git checkout can be released")
    done = subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "checkout"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    shutil.copytree(ROOT / ".github", tmp_path / "checkout/.github", dirs_exist_ok=True)
    return tmp_path / "checkout"


def test_a_tag_of_another_version_is_not_released(checkout):
    done = _run('.github/release dist "$GITHUB_REF_NAME"', checkout, tag="v99")
    assert done.returncode == 1
    assert done.stderr == f"tag v99 does not name the version {__version__} of reconciler/version.py\n"
    assert not (checkout / "dist").exists()


def test_every_link_of_the_published_readme_leads_to_the_repository():
    url = "https://github.com/acme/reconciler"
    text = subprocess.run(
        [sys.executable, ROOT / ".github/readme.py", ROOT / "README.md", url, "v1.2.3"],
        capture_output=True,
        check=True,
        encoding="utf-8",
    ).stdout
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert f"{url}/raw/v1.2.3/docs/pictures/plan.svg" in links
    assert f"{url}/blob/v1.2.3/docs/start.md" in links
    assert [link for link in links if not link.startswith(url)] == []


def test_only_the_job_that_runs_no_code_of_the_project_may_write():
    assert WORKFLOW["permissions"] == {}
    for name, job in WORKFLOW["jobs"].items():
        code = [step for step in job["steps"] if re.search("checkout|pip |podman", yaml.safe_dump(step))]
        assert (job["permissions"] == {"contents": "read"}) == bool(code), name


def test_the_image_is_that_of_the_wheel_and_runs_without_rights():
    lines = (ROOT / "Containerfile").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^(?:FROM|USER|COPY) .*", lines) == [
        "FROM ${BASE} AS build",
        "COPY .github/requirements.txt dist/*.whl /src/",
        "FROM ${BASE}",
        "COPY --from=build /opt/reconciler /opt/reconciler",
        "USER 10001:10001",
    ]
    steps = "".join(step.get("run", "") for step in WORKFLOW["jobs"]["image"]["steps"])
    assert '--build-arg "BASE=$name@$digest"' in steps


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_steps_build_the_same_files_twice_and_list_their_parts(checkout, tmp_path):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", tmp_path, "hatchling"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("pip reaches no package index")
    for step in WORKFLOW["jobs"]["build"]["steps"]:
        if "run" in step:
            done = _run(step["run"], checkout)
            assert done.returncode == 0, f"{step['name']}\n{done.stdout}\n{done.stderr}"

    dist = checkout / "dist"
    fits = f"-cp{sys.version_info[0]}{sys.version_info[1]}-{re.sub('[-.]', '_', sysconfig.get_platform())}.pyz"
    names = {f"booking_reconciler-{__version__}{end}" for end in ("-py3-none-any.whl", ".tar.gz", ".cdx.json", fits)}
    assert {path.name for path in dist.iterdir()} == {*names, "SHA256SUMS"}
    sums = dict(reversed(line.split()) for line in (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert sums == {name: hashlib.sha256((dist / name).read_bytes()).hexdigest() for name in names}

    listed = json.loads((dist / f"booking_reconciler-{__version__}.cdx.json").read_text(encoding="utf-8"))
    root = listed["metadata"]["component"]
    assert (root["name"], root["version"], root["type"]) == ("booking-reconciler", __version__, "application")
    parts = {part["purl"]: part for part in listed["components"]}
    pinned = re.findall(r"(?m)^([\w.-]+)==([\w.]+)", (ROOT / ".github/requirements.txt").read_text(encoding="utf-8"))
    named = {(re.sub(r"[-_.]+", "-", part["name"]).lower(), part["version"]) for part in parts.values()}
    assert (named, len(parts)) == (set(pinned), len(pinned))
    assert [purl for purl, part in parts.items() if not part["licenses"]] == []
    assert [purl for purl, part in parts.items() if not any(r.get("hashes") for r in part["externalReferences"])] == []
    direct = next(each["dependsOn"] for each in listed["dependencies"] if each["ref"] == root["bom-ref"])
    assert "click" in {ref.partition("==")[0] for ref in direct}
