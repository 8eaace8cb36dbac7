"""Texts and names use plain words: what people read has no archaic or coy terms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    ".editorconfig",
    ".github",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "Makefile",
    "README.md",
    "docs",
    "examples",
    "reconciler",
    "schemas",
)
"""Where the words are refused."""

PLAIN = {
    r"anew|afresh": "again; recreated, replaced",
    r"mend(s|ed|ing)?": "fix, repair",
    r"told|untold": "reported, shown, printed",
    r"lest|whither|thither|hither|wherefore|thereof|whereof|betimes": "so that … not; where; of which",
    r"quieten(s|ed|ing)?": "close",
    r"prolong(s|ed|ing)?": "extend",
    r"veil(s|ed|ing)?": "mask",
    r"heed(s|ed|ing)?": "respect, use",
    r"deeds?": "action",
    r"(is|are|was|were|be|been|not|no) any ?more": "no longer",
    r"let(s|ting)? (\w+ )?through": "allow, override",
    r"let(s|ting)? go": "release, delete",
    r"carr(y|ies|ied|ying) (\w+ )?out": "apply, run, execute",
    r"stands? in the way|in the way": "already exists, conflicts",
    r"behind (its|the client's|a client's|their|his|her|our) back": "outside reconciler",
    r"all the same": "anyway; to override",
    r"under way": "in progress, in flight",
    r"in so many words": "explicitly",
    r"makes? sense of": "understand",
    r"end-points?": "endpoint",
    r"(no|some)body('s)?": "no one, someone, another program",
    r"points? at|pointed at|pointing at": "point to",
    r"in a circle|circle of references": "in a cycle, cycle of references",
    r"work(s|ed|ing)? out": "compute",
    r"on paper": "without I/O",
    r"taken? for|takes for": "count as, read as",
    r"left alone|leaves? (it|them) alone": "unchanged, do not change",
    r"stands here|stands in": "is in",
    r"besides|whatever": "also, any, every",
    r"(is|are|was|were|does|do|did|never) (not )?answer(s|ed)?": "return",
    r"(of|on) (its|their|one's|our|his|her|your) own": "own, separate",
    r"look(s|ed)? alike": "similar, equal",
    r"stretch(es)? of time": "time span",
    r"is gone|are gone|was gone|gone from": "no longer exists, was deleted",
    r"as it stands|at hand|for good|goes by|so long as": "as it is, available, permanently, passes, while",
}
TEXTS = {".json", ".md", ".py", ".toml", ".yaml", ".yml", ".j2", ".css", ""}


def refused(text: str) -> list[tuple[int, str, str]]:
    """Return line, words and what to write instead for each refused word; parts of a name count as words."""
    spoken = text.replace("_", " ")
    return sorted(
        (spoken.count("\n", 0, found.start()) + 1, found[0], plain)
        for words, plain in PLAIN.items()
        for found in re.finditer(rf"(?<![A-Za-z-])(?:{words})(?![A-Za-z-])", spoken, re.IGNORECASE)
    )


def written() -> list[str]:
    places = [ROOT / room for room in ROOMS]
    found = {path for place in places for path in (place, *place.rglob("*"))}
    names = {path.relative_to(ROOT).as_posix() for path in found if path.is_file() and path.suffix in TEXTS}
    return sorted(name for name in names if "__pycache__" not in name and ".reconciler/" not in name)


@pytest.mark.parametrize("name", written())
def test_is_written_in_plain_words(name):
    wrong = [
        f"{name}:{line}: {words!r}; write: {plain}"
        for line, words, plain in refused((ROOT / name).read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "text",
    ["Made anew.", "def mended_by(): ...", "what it\nTold", "lest it fails", "lets it through", "an end-point"],
)
def test_finds_words_in_prose_and_in_names(text):
    assert refused(text)


@pytest.mark.parametrize("text", ["recommend", "the latest", "unveiling", "outgoing", "carry over"])
def test_does_not_find_parts_of_other_words(text):
    assert refused(text) == []
