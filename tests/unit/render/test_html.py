from __future__ import annotations

import itertools
import re
from html.parser import HTMLParser

import hostile_words
import msgspec
import pytest
import render_samples as samples

from reconciler.model.report import Drift, Report
from reconciler.render import html

VOID = {"meta", "br", "link", "img", "input", "hr"}

PAGES = {
    "plan": html.plan(samples.rich_plan(), "sha256:0"),
    "quiet plan": html.plan(samples.quiet_plan(2), "sha256:0"),
    "report": html.report(samples.rich_report(), samples.rich_plan()),
    "empty report": html.report(Report(plan_digest="", outcomes=()), samples.quiet_plan(0)),
    "drift": html.drift(samples.rich_drift()),
    "empty drift": html.drift(Drift(objects=())),
}


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_needs_nothing_else(name):
    outline = Outline()
    outline.feed(PAGES[name])
    assert outline.open == []
    assert outline.tags.count("script") == 1
    assert not set(outline.tags) & {"link", "img", "iframe", "object", "b"}
    assert not {key for key, _ in outline.attributes if key.startswith("on")} | (
        {key for key, _ in outline.attributes} & {"src", "style"}
    )
    hostile_words.harmless(PAGES[name], "html")
    assert not re.search(r"url\(|@import", PAGES[name])


@pytest.mark.parametrize("name", PAGES)
def test_each_anchor_leads_somewhere_and_each_id_is_there_once(name):
    outline = Outline()
    outline.feed(PAGES[name])
    ids = [value for key, value in outline.attributes if key == "id"]
    assert len(ids) == len(set(ids))
    links = {value for key, value in outline.attributes if key == "href"}
    labels = {value for key, value in outline.attributes if key in {"for", "aria-labelledby"}}
    assert {link.removeprefix("#") for link in links} | labels <= set(ids)


@pytest.mark.parametrize("name", PAGES)
def test_headings_are_in_order(name):
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", PAGES[name])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_each_change_has_an_anchor_that_is_its_address():
    for change in samples.rich_plan().effective:
        assert f'id="{change.address}"' in PAGES["plan"]


def test_equal_changes_are_shown_once_with_every_object():
    alike = [
        samples.change(
            f"Session/class-{number}",
            "update",
            "1 field differs",
            shown_id=str(number),
            fields=(samples.field("price", "10.00", "12.00"),),
            calls=(samples.call(f"Session/class-{number}", "PUT", f"/api/sessions/{number}.xml"),),
        )
        for number in range(398)
    ]
    page = html.plan(msgspec.structs.replace(samples.rich_plan(), changes=tuple(alike)), "sha256:0")
    assert "398 Sessions, all equally" in page
    assert page.count("12.00") == 1
    assert page.count("<code>PUT /api/sessions/") == 398
    assert 'id="Session/class-397"' in page


def test_deletions_and_replacements_come_first():
    titles = re.findall(r'<h2 id="([a-z-]+)-[A-Z]', PAGES["plan"])
    assert titles[:2] == ["delete", "replace"]


def test_nothing_is_shortened_for_those_who_sign():
    page = PAGES["plan"]
    assert samples.LONG + "Doors open at 10." in page
    assert page.count("(60 min)") >= 26
    assert "PUT /api/sessions/153.xml" in page
    assert "Approved by" in page


def test_a_plan_that_changes_nothing_asks_for_no_signature():
    assert "Approved by" not in PAGES["quiet plan"]


def luminance(colour):
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_contrast_is_at_least_that_of_wcag_aa(scheme):
    block = re.findall(r":root \{(.*?)\}", PAGES["plan"], re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    names = ("green", "yellow", "red", "magenta", "cyan", "blue")
    pairs = [(name, f"{name}-bg") for name in names] + [(name, "card") for name in (*names, "ink", "soft")]
    pairs += [("soft", "page"), ("ink", "page"), ("ink", "red-bg"), ("ink", "blue-bg")]
    assert {pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < 4.5} == set()
