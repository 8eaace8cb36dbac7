"""The hand-written pages lead somewhere: links and paths in them exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "examples/README.md",
    "examples/leisure-centre/README.md",
    "examples/tour-operator/README.md",
    ".github/CONTRIBUTING.md",
    ".github/SECURITY.md",
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / ".github/decisions").glob("*.md")),
)
LINK = re.compile(r"\]\(([^)#:]+)\)")
CODE_PATH = re.compile(r"`((?:[a-z_.]+/)+(?:[a-z_]+\.(?:py|json))?|[a-z_]+\.py)`")
RECORD = re.compile(r"\A# (\d{3}): (.+)\n\n- Status: (.+)\n- Date: (\d{4}-\d{2}-\d{2})\n")


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_exist(page):
    links = LINK.findall((ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_readme_and_index_lead_to_every_page():
    readme = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    pages = {"docs/index.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", ".github/decisions/README.md"}
    assert sorted({*pages, "CHANGELOG.md", "examples/README.md"} - readme) == []
    text = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    site = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert sorted(site - set(LINK.findall(text))) == []
    assert [page for page in site if f"\n{page.removesuffix('.md')}\n" not in text] == []


def test_paths_in_the_contributors_map_exist():
    paths = set(CODE_PATH.findall((ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert len(paths) > 30
    places = (ROOT, ROOT / "reconciler", ROOT / "tests/chaos", ROOT / ".github")
    assert sorted(path for path in paths if not any((place / path).exists() for place in places)) == []


def test_every_decision_record_has_status_and_date_and_is_in_the_index():
    records = sorted((ROOT / ".github/decisions").glob("[0-9]*.md"))
    index = (ROOT / ".github/decisions/README.md").read_text(encoding="utf-8")
    assert records
    for record in records:
        head = RECORD.match(record.read_text(encoding="utf-8"))
        assert head, f"{record.name} does not start with number, title, status and date"
        number, title, status, date = head.groups()
        assert record.name.startswith(number)
        assert f"| [{number}]({record.name}) | {title} | {status} | {date} |" in index
