"""A provider and a kind of another package, built, installed and used as a third party would."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from installed_wheel import LITTER, ROOT, Installed, install, run_clean
from page_runner import SHELL, blocks, commands, matches

PLUGIN = ROOT / "examples" / "provider-plugin"
PAGE = (ROOT / "docs" / "writing-a-provider.md").read_text(encoding="utf-8")


def test_every_block_of_the_page_is_in_the_example():
    files = [path for path in PLUGIN.rglob("*") if path.suffix in {".py", ".json", ".toml"}]
    texts = [path.read_text(encoding="utf-8") for path in files if not set(LITTER) & set(path.parts)]
    shown = [block for block in blocks(PAGE) if block.language not in SHELL]
    assert len(shown) > 10
    assert [block.line for block in shown if not any(block.text in text for text in texts)] == []


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plugin") / "sources"
    shutil.copytree(PLUGIN, folder, ignore=shutil.ignore_patterns(*LITTER))
    return folder


@pytest.fixture(scope="module")
def plugged(wheel: Path, sources: Path) -> Installed:
    """A fresh environment with reconciler and the package, without its sources."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-cache-dir"]
    run_clean([*pip, "--wheel-dir", str(sources.parent), str(sources)], cwd=sources.parent)
    shutil.rmtree(sources / "src")
    (made,) = sources.parent.glob("*.whl")
    return install(sources.parent / "venv", wheel, made)


@pytest.mark.slow
def test_the_package_passes_the_contract_suite_where_it_is_installed(plugged, sources):
    pytest_here = [str(plugged.scripts / "python"), "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    said = run_clean([*pytest_here, "-p", "no:anyio", "tests"], cwd=sources)
    assert "28 passed" in said
    where = plugged.python(sources, "import tool_hire, reconciler; print(tool_hire.__file__, reconciler.__file__)")
    assert all(Path(file).is_relative_to(plugged.folder) for file in where.split())


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_says(plugged, sources, monkeypatch):
    monkeypatch.syspath_prepend(PLUGIN / "src")
    from tool_hire.emulator import TOKEN, ToolHireEmulator  # noqa: PLC0415 - a package of this test

    folder, ran = sources / "project", 0
    with ToolHireEmulator() as emulator:
        text = (folder / "reconciler.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:8800", emulator.url)
        (folder / "reconciler.yaml").write_text(text, encoding="utf-8")

        def run(*arguments: str, code: int = 0) -> str:
            return plugged.reconciler(folder, *arguments, code=code, TOOL_HIRE_TOKEN=TOKEN)

        for block in blocks(PAGE):
            for command, shown in commands(block) if block.language in SHELL else ():
                if command.startswith("reconciler "):
                    printed, ran = run(*command.split()[1:]), ran + 1
                    matches(shown, printed, command)
        assert ran > 5
        assert "quantity: 4" in (folder / "exported" / "tools" / "drill.yaml").read_text(encoding="utf-8")
        shutil.rmtree(folder / ".reconciler")
        assert "tools.yaml:8:13" in run("why", "Tool/drill.quantity")
        completion = {
            "_RECONCILER_COMPLETE": "bash_complete",
            "COMP_WORDS": "reconciler explain Tool.q",
            "COMP_CWORD": "2",
        }
        assert "Tool.quantity" in plugged.reconciler(folder, **completion)
        (folder / "manifests" / "new.yaml").write_text(run("scaffold", "Tool", "new"), encoding="utf-8")
        run("fmt", "--check")
        (folder / "manifests" / "new.yaml").unlink()
        assert json.loads(run("schema", "Tool"))["properties"]["spec"]
        assert "depot" in run("schema", "Project")
        manifest = folder / "manifests" / "tools.yaml"
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("quantity: 4", "quantity: many"))
        assert 'tools.yaml:8:13: Tool/drill: quantity is "many"; expected a whole number' in run("validate", code=1)
