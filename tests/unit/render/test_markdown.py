from __future__ import annotations

import dataclasses
import re

import pytest
import render_samples as samples
from markdown_it import MarkdownIt

from reconciler.model.change import Risk
from reconciler.model.report import Report
from reconciler.render import markdown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:1)",
        "**bold** _em_ ~~no~~ `code`",
        "a | b",
        "\\*",
        "&lt;",
        "<!-- hidden -->",
        "$x$",
    ],
)
def test_prose_renders_as_the_text_it_was(text):
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(f"- x {markdown.prose(text)}")
    inner = re.sub(r"</?(ul|li)>|\n", "", rendered)
    assert "<" not in inner
    plain = inner.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"').replace("&amp;", "&")
    assert plain == f"x {text}"


@pytest.mark.parametrize("text", ["@octocat", "see #12", "https://evil.example", "WWW.evil.example"])
def test_prose_mentions_and_links_nothing(text):
    shown = markdown.prose(text)
    assert "&#8203;" in shown
    assert shown.replace("&#8203;", "") == text


def test_a_value_cannot_close_its_fence():
    change = dataclasses.replace(samples.update(), fields=(samples.field("name", None, "````\n```"),))
    plan = dataclasses.replace(samples.rich_plan(), changes=(change,))
    assert "\n`````diff\n+ name: ````⏎```\n`````\n" in markdown.plan(plan)


def test_a_long_plan_stays_within_a_comment():
    change = samples.replace()
    many = tuple(
        dataclasses.replace(
            change,
            address=type(change.address)("Session", f"s{number}"),
            risks=(Risk(code="x", level="block", message="m" * 100),),
        )
        for number in range(300)
    )
    text = markdown.plan(dataclasses.replace(samples.rich_plan(), changes=many))
    assert len(text.encode()) < 65_536
    assert re.search(r"\*\*… and \d+ more objects: too long for one comment", text)
    assert "> - … and 250 more" in text
    assert text.count("<details>") == text.count("</details>")


def test_a_report_without_changes_has_no_empty_table():
    text = markdown.report(Report(plan_digest="", outcomes=()), samples.quiet_plan(0))
    assert text == "## Nothing to apply.\n"
