from __future__ import annotations

import re
from html.parser import HTMLParser

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
    assert not set(outline.tags) & {"script", "link", "img", "iframe", "object", "b"}
    assert not {key for key, _ in outline.attributes} & {"src", "href", "style", "onclick"}
    assert not re.search(r"url\(|@import", PAGES[name])


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
