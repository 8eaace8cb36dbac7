import sys
import zipfile
from importlib import metadata

import pytest

from reconciler import entry_points

GROUP = "reconciler.kinds"
TEXT = f"[console_scripts]\ntool = tool:main\n\n[{GROUP}]\ntool = tool:KIND\n"
FILES = {
    "a wheel": "site/tool-1.dist-info/entry_points.txt",
    "a name in capitals": "site/Tool-1.DIST-INFO/entry_points.txt",
    "a folder of an old setuptools": "site/tool-1.egg-info/entry_points.txt",
    "an egg": "site/tool.egg/EGG-INFO/entry_points.txt",
    "another file": "site/tool-1.dist-info/top_level.txt",
    "another folder": "site/tool-1/entry_points.txt",
    "a folder that is not searched": "site/deeper/tool-1.dist-info/entry_points.txt",
}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """The only folder that packages are searched in."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder), str(folder / "tool.egg"), str(tmp_path / "missing.zip")])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    return folder


def same():
    """Whether something is found; both must find the same."""
    found = entry_points.entry_points(GROUP)
    assert list(found) == list(metadata.entry_points(group=GROUP))
    return bool(found)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("text", [TEXT, TEXT.replace(GROUP, "other"), ""], ids=["ours", "another group", "empty"])
def test_what_a_folder_holds_is_found_as_importlib_does(site, tmp_path, name, text):
    file = tmp_path / FILES[name]
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    file.with_name("METADATA").write_text("Name: tool\n", encoding="utf-8")
    assert same() is (text == TEXT and not name.startswith(("another", "a folder that")))


def test_what_only_importlib_can_read_is_left_to_it(site, tmp_path, monkeypatch):
    (site / "old-1.egg-info").write_text("Name: old\n", encoding="utf-8")
    (site / "odd-1.dist-info" / "entry_points.txt").mkdir(parents=True)
    (site / "odd-1.dist-info" / "METADATA").write_text("Name: odd\n", encoding="utf-8")
    assert not same()
    with zipfile.ZipFile(tmp_path / "tool.zip", "w") as archive:
        archive.writestr("tool-1.dist-info/METADATA", "Name: tool\n")
        archive.writestr("tool-1.dist-info/entry_points.txt", TEXT)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "tool.zip")])
    assert same()


def test_the_finder_of_another_package_is_asked(site, tmp_path, monkeypatch):
    file = tmp_path / "tool-1.dist-info" / "entry_points.txt"
    file.parent.mkdir()
    file.write_text(TEXT, encoding="utf-8")

    class Finder:
        @staticmethod
        def find_spec(*_):
            return None

        @staticmethod
        def find_distributions(_=None):
            return iter([metadata.Distribution.at(file.parent)])

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert same()


def test_nothing_is_imported_where_no_package_can_be_found(site, monkeypatch):
    monkeypatch.setattr(metadata, "entry_points", lambda **_: pytest.fail("it was asked"))
    assert not entry_points.entry_points(GROUP)
    assert not entry_points.entry_points("reconciler.providers")
