"""The page of mistakes, from the table that the tests run."""
# ruff: noqa: INP001 - a folder of scripts, not a package

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from wording import plain, prose, table

ROWS = Path(__file__).resolve().parents[2] / "tests" / "e2e" / "newcomer_mistakes.yaml"


def mistakes_page() -> list[str]:
    """List what people get wrong, with the place and the fix that reconciler names."""
    lines = [
        "# Mistakes",
        "",
        *prose("What is often wrong in the first days, and what reconciler says about it. The tests run each of them."),
    ]
    for topic, rows in yaml.safe_load(ROWS.read_text(encoding="utf-8"))["topics"].items():
        heads = ("Mistake", "For example", "Exit code", "Place", "What reconciler says about it")
        lines += [f"## {topic}", "", *table(heads, [_row(row) for row in rows])]
    return lines


def _row(row: Mapping[str, object]) -> list[str]:
    place = f"`{row['at']}`" if "at" in row else ""
    mistake = plain(str(row["mistake"]))
    return [mistake[:1].upper() + mistake[1:], _code(_example(row)), str(row["exit"]), place, _code(str(row["fix"]))]


def _example(row: Mapping[str, object]) -> str:
    for key in ("change", "rename", "env", "encode"):
        stated = row.get(key)
        if isinstance(stated, Mapping):
            name, value = list(stated.items())[-1]
            shown = value[1] if key == "change" else value
            if key == "env":
                return f"unset {name}" if shown is None else f"{name}={shown}"
            return str(shown).strip() or f"{value[0]} left out"
    return f"reconciler {row['run']}"


def _code(text: str) -> str:
    """Return a text as code, also where it contains backticks."""
    shown = " ".join(text.split())
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"
