"""What newcomers get wrong: each row of newcomer_mistakes.yaml is run, and says its place and its fix."""

from __future__ import annotations

import shlex
from pathlib import Path

import yaml
from desk import Desk

from reconciler.sandbox import Sandbox

TABLE = yaml.safe_load(Path(__file__).with_name("newcomer_mistakes.yaml").read_text(encoding="utf-8"))


def studio(folder: Path, box: Sandbox, row: dict) -> Desk:
    """Lay out the project of the table with the mistake of a row."""
    folder.mkdir()
    box.reset()
    desk = Desk(folder, box)
    for name, text in TABLE["project"].items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, (old, new) in row.get("change", {}).items():
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text, row
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    for name, text in row.get("write", {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    project = (folder / "reconciler.yaml").read_text(encoding="utf-8")
    desk.project(project.replace("URL", box.url).replace("PORT", box.url.rpartition(":")[2]))
    for name, encoding in row.get("encode", {}).items():
        (folder / name).write_bytes((folder / name).read_text(encoding="utf-8").encode(encoding))
    for name, other in row.get("rename", {}).items():
        (folder / name).rename(folder / other)
    for name, value in row.get("env", {}).items():
        desk.env.pop(name, None)
        desk.env |= {} if value is None else {name: value}
    return desk


def test_every_mistake_ends_with_its_exit_code_its_place_and_its_fix(tmp_path, box):
    """A run fails with all rows that are not as the table says."""
    wrong = []
    for number, row in enumerate(row for topic in TABLE["topics"].values() for row in topic):
        desk = studio(tmp_path / str(number), box, row)
        done = desk.run(*shlex.split(row["run"]))
        said = done.out + done.err
        expected = [row["fix"], *([f"{row['at']}: "] if "at" in row else [])]
        if done.code != row["exit"] or not all(words in said for words in expected):
            wrong.append(f"{row}\nended with {done.code}:\n{said}")
        if "then" in row:
            desk.run(*shlex.split(row["then"]), code=0)
    assert not wrong, "\n\n".join(wrong)
