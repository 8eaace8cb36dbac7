"""`fmt`: what it writes, what it leaves alone, and how it ends."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace

import pytest

UGLY = """\
# yaml-language-server: $schema=../.schemas/manifest.schema.json
# The spring class.
kind: Session
apiVersion: reconciler/v1
spec:
  group: No   # a name
  # What customers see.
  name: "Yoga"
  start_date: 2027-03-01
  time: 11:00

  repeat: 'custom'
  slots:
    - {time: "9:30", date: 2027-03-01}
    - time: 9:30
      date: 2027-03-08
      # duration: 60
  description: |
    Bring a mat.
    # not a comment
  price: "{{ values.price }}"
metadata: {labels: {'on': yes}, name: yoga}
"""

PRETTY = """\
# yaml-language-server: $schema=../.schemas/manifest.schema.json
# The spring class.
apiVersion: reconciler/v1
kind: Session
metadata: {name: yoga, labels: {'on': "yes"}}
spec:
  # What customers see.
  name: Yoga
  group: "No"   # a name
  start_date: 2027-03-01
  time: 11:00

  description: |
    Bring a mat.
    # not a comment
  price: "{{ values.price }}"
  repeat: custom
  slots:
    - {date: 2027-03-01, time: "9:30"}
    - date: 2027-03-08
      time: 9:30
      # duration: 60
"""


def test_keys_and_quotes_become_canonical_and_a_second_run_changes_nothing(desk):
    file = desk.manifest("yoga.yaml", UGLY)
    done = desk.run("fmt", code=0)
    assert file.read_text(encoding="utf-8") == PRETTY
    assert done.out == ""
    assert done.err == "Formatted manifests/yoga.yaml\n1 file formatted; 1 file is formatted already.\n"
    assert desk.run("fmt", code=0).err == "2 files are formatted already.\n"
    assert desk.run("fmt", "--quiet", code=0).err == ""


def test_check_and_diff_write_nothing_and_end_with_1_if_a_file_would_change(desk):
    file = desk.manifest("yoga.yaml", UGLY)
    done = desk.run("fmt", "--check", code=1)
    assert done.err == "Would format manifests/yoga.yaml\n1 file would be formatted; 1 file is formatted already.\n"
    shown = desk.run("fmt", "--diff", "manifests", code=1).out
    assert shown.startswith("--- a/manifests/yoga.yaml\n+++ b/manifests/yoga.yaml\n@@ ")
    assert '-  name: "Yoga"\n' in shown
    assert file.read_text(encoding="utf-8") == UGLY
    file.write_text(PRETTY, encoding="utf-8")
    assert desk.run("fmt", "--check", "--diff", code=0).out == ""


@pytest.mark.parametrize("arguments", [(), ("--check",), ("--diff",)])
def test_a_broken_file_is_named_and_the_others_are_formatted(desk, arguments):
    desk.manifest("broken.yaml", "kind: Session\n  spec: {\n")
    twice = desk.manifest("twice.yaml", PRETTY + "kind: Session\n")
    file = desk.manifest("yoga.yaml", UGLY)
    done = desk.run("fmt", *arguments, code=1)
    assert "manifests/broken.yaml:2:7: this is not valid YAML" in done.err
    assert "manifests/twice.yaml:23:1: " in done.err
    assert "2 files could not be formatted" in done.err
    assert file.read_text(encoding="utf-8") == (UGLY if arguments else PRETTY)
    assert twice.read_text(encoding="utf-8") == PRETTY + "kind: Session\n"


def test_what_only_one_reader_of_yaml_accepts_is_named_with_its_line(desk):
    desk.manifest("yoga.yaml", f"{VERSION}kind: Session\nspec:\n  group:\t'x'\t# c\n")
    done = desk.run("fmt", code=1)
    assert "manifests/yoga.yaml cannot be formatted: line 4: found character '\\t'" in done.err
    assert "RC0" in done.err


def test_standard_input_is_written_to_standard_output(desk, monkeypatch):
    for arguments, said in (((), PRETTY), (("--check",), "")):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(UGLY.encode())))
        assert desk.run("fmt", "-", *arguments, code=1 if arguments else 0).out == said


KEPT = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "no line end at the end of a text": lambda text: text.replace("|\n", "|-\n"),
    "two documents": lambda text: f"{text}---\n{text.replace('name: yoga', 'name: pilates')}",
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_the_bytes_around_it_are_kept(desk, change):
    file = desk.manifest("yoga.yaml", "")
    file.write_bytes(change(UGLY).encode())
    desk.run("fmt", code=0)
    assert file.read_bytes() == change(PRETTY).encode()


VERSION = "apiVersion: reconciler/v1\n"
ALONE = {
    "JSON": '{"kind": "Session", "apiVersion": "reconciler/v1"}',
    "JSON after a mark": '---\n{"kind": "Session", "apiVersion": "reconciler/v1"}\n',
    "keys of a document with anchors": UGLY.replace("2027-03-01\n", "&day 2027-03-01\n", 1)
    .replace("No ", '"No" ')
    .replace('"Yoga"', "Yoga")
    .replace("'custom'", "custom")
    .replace("yes", '"yes"'),
    "a text that owns the blank lines below it": f"spec:\n  description: |+\n    x\n\nkind: Session\n{VERSION}",
    "an unknown kind": f"spec: {{b: 1, a: 2}}\nkind: Sesion\n{VERSION}",
    "keys with a question mark": f"{VERSION}kind: Session\nspec:\n  ? group\n  : x\n  name: y1\n",
    "a value on two lines to YAML 1.1": f"{VERSION}kind: Session\nspec:\n  name: 'a\x85b'\n",
    "a value under a tag": f"{VERSION}kind: Session\nspec: {{group: !!str 010}}\n",
    "a document of another program": "on: push\nkind: Session\napiVersion: v1\n",
}


@pytest.mark.parametrize("text", ALONE.values(), ids=ALONE)
def test_what_cannot_move_stays(desk, text):
    file = desk.manifest("yoga.yaml", text)
    assert desk.run("fmt", code=0).err == "2 files are formatted already.\n"
    assert file.read_text(encoding="utf-8") == text


def test_a_link_stays_a_link_and_a_file_keeps_its_mode(desk):
    file = desk.manifest("yoga.yaml", UGLY)
    file.chmod(0o640)
    (desk.folder / "link.yaml").symlink_to(file)
    desk.run("fmt", "link.yaml", code=0)
    assert (desk.folder / "link.yaml").is_symlink()
    assert (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777) == (PRETTY, 0o640)
    assert list((desk.folder / "manifests").iterdir()) == [file]


def test_what_init_and_export_write_is_formatted(desk, tmp_path):
    desk.session()
    desk.run("apply", "--yes", code=0)
    desk.run("export", "--out", "exported", code=0)
    desk.run("init", "new", "--connection", "bookingbug-sessions", "--connection", "bookingbug-admin", code=0)
    assert "formatted already" in desk.run("fmt", "--check", "exported", "new/manifests", code=0).err
    assert desk.run("fmt", "--check", "--project", "new", code=0).err == "3 files are formatted already.\n"
