#!/usr/bin/env python3
"""Make the pictures of the documentation: what the command prints on a terminal, as SVG.

python docs/screenshots.py           writes the pictures
python docs/screenshots.py --check   exits with 1 and lists the pictures that are out of date
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from reconciler.cli.demo.command import EXAMPLE, prepared
from reconciler.cli.demo.stage import recorded
from reconciler.cli.demo.story import BOOKED_MOVE, PULL_REQUEST
from reconciler.cli.exits import Exit

HERE = Path(__file__).resolve().parent
PICTURES = HERE / "pictures"
WIDTH = 104
FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""Fonts that a browser would load from another server."""


def run(*arguments: str) -> str:
    """Run the command in this process as on a terminal with colors; return what it prints."""
    code, shown = recorded(arguments, terminal=True)
    if code not in {Exit.DONE, Exit.ERROR}:
        raise click.ClickException(shown)
    return shown


def plan(folder: Path) -> str:
    """Return the plan of a new price and of a lesson that moves although four children have booked it."""
    with prepared(folder / EXAMPLE, color=True) as box:
        run("apply", "--yes", "--parallelism", "1")
        for edit in (PULL_REQUEST[0], *BOOKED_MOVE):
            manifest = Path(edit.file)
            manifest.write_text(edit.applied_to(manifest.read_text(encoding="utf-8")), encoding="utf-8")
        swim = next(item for item in box.sessions() if item["name"] == "Learn to swim: stage 2")
        lesson = next(slot for slot in swim["slots"] if slot["date"] == "2027-05-12")
        box.book(lesson["id"], places=4)
        shown = run("plan")
        return shown[: shown.index("\n", shown.index("Bookings touched"))]


def errors(folder: Path) -> str:
    """Return what `validate` says about the project of the page on troubleshooting."""
    page = (HERE / "troubleshooting.md").read_text(encoding="utf-8")
    for path, text in re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    with chdir(folder):
        return run("validate")


SCENES: dict[str, tuple[str, Callable[[Path], str]]] = {
    "plan": ("reconciler plan", plan),
    "errors": ("reconciler validate", errors),
}
"""The title and the content of each picture, by its name."""


def drawn(name: str) -> str:
    """Return one picture."""
    title, scene = SCENES[name]
    os.environ["COLUMNS"] = str(WIDTH)
    with tempfile.TemporaryDirectory() as folder:
        shown = scene(Path(folder))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ ", style="bold green") + Text(title, style="bold"))
    console.print(Text.from_ansi(shown.rstrip()))
    picture = FONTS.sub("", console.export_svg(title="", unique_id=f"reconciler-{name}"))
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a picture is out of date.")
def write(check: bool) -> None:
    """Write the pictures, or check that they are up to date."""
    stale = []
    for name in SCENES:
        file, picture = PICTURES / f"{name}.svg", drawn(name)
        if not file.exists() or file.read_text(encoding="utf-8") != picture:
            stale.append(file.name)
        if not check:
            file.write_text(picture, encoding="utf-8")
    if check and stale:
        raise click.ClickException(f"out of date: {', '.join(stale)}; run python docs/screenshots.py")


if __name__ == "__main__":
    write()
