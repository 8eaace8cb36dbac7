"""The pages in headless Chromium: on a phone, in the dark, printed, filtered with and without script, and for everyone.

Skipped without Chromium. The rules of axe-core run where RECONCILER_TEST_AXE names its `axe.min.js`: npm pack axe-core.
"""

from __future__ import annotations

import os
from pathlib import Path

import chromium
import msgspec
import pytest
import render_samples as samples

from reconciler.render import html

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="Chromium is not installed"),
]
AXE = os.environ.get("RECONCILER_TEST_AXE")
RENDERED = "article { content-visibility: visible !important; }"
"""What is outside of the window has no colors that a rule could measure."""


def large():
    plan = samples.rich_plan()
    return msgspec.structs.replace(
        plan,
        changes=tuple(
            samples.change(
                f"Session/class-{number:04}",
                "update" if number > 2 else "delete",
                "the manifest changed",
                shown_id=str(number),
                fields=(samples.field("price", f"{number % 40}.00", f"{number % 37 + 50}.00"),),
                calls=(samples.call(f"Session/class-{number:04}", "PUT", f"/api/sessions/{number}.xml"),),
            )
            for number in range(2000)
        ),
    )


PAGES = {
    "plan": lambda: html.plan(samples.rich_plan(), "sha256:0"),
    "report": lambda: html.report(samples.rich_report(), samples.rich_plan()),
    "drift": lambda: html.drift(samples.rich_drift()),
}


@pytest.fixture
def opened(tmp_path):
    def open_page(text, **options):
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        return chromium.opened(file.as_uri(), **options)

    return open_page


def style(page, rule):
    page.evaluate(f"document.head.append(Object.assign(document.createElement('style'), {{textContent: {rule!r}}}))")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_every_rule_of_axe_holds(opened, name):
    with opened(PAGES[name]()) as page:
        style(page, RENDERED)
        for width in (1280, 390, 360):
            page.size(width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            for dark in (False, True):
                page.dark(dark)
                if AXE is None:
                    continue
                page.evaluate(Path(AXE).read_text(encoding="utf-8") + ";0")
                found = "violations.map((item) => [item.id, item.nodes.map((node) => node.html)])"
                assert page.evaluate(f"axe.run().then((results) => results.{found})") == []
    if AXE is None:
        pytest.skip("RECONCILER_TEST_AXE does not name axe.min.js; the widths are checked")


def test_the_check_boxes_filter_without_script_and_print_ignores_them(opened):
    with opened(PAGES["plan"](), script=False) as page:
        shown = "[...document.querySelectorAll('.group')].filter((item) => item.checkVisibility()).length"
        every = page.evaluate(shown)
        assert page.evaluate("document.getElementById('find').checkVisibility()") is False
        page.evaluate("document.getElementById('a-delete').checked = false")
        assert page.evaluate(shown) == every - 1
        page.send("Emulation.setEmulatedMedia", media="print")
        assert page.evaluate(shown) == every


def test_text_filters_two_thousand_changes_and_a_link_shows_what_is_hidden(opened):
    with opened(html.plan(large(), "sha256:0")) as page:

        def shows(text):
            """Wait for what is said of the objects found."""
            said = f"document.getElementById('found').textContent === {text!r}"
            look = f"const look = () => {said} ? done(true) : setTimeout(look, 20)"
            return page.evaluate(f"new Promise((done) => {{ {look}; look(); setTimeout(done, 60000, false) }})")

        page.evaluate("document.getElementById('find').value = 'class-1999'")
        page.evaluate("document.getElementById('find').dispatchEvent(new Event('input'))")
        assert shows("1 of 2000 shown")
        page.evaluate("location.hash = '#Session/class-0500'")
        assert shows("")
        assert page.evaluate("document.getElementById('Session/class-0500').checkVisibility()") is True


def test_what_is_folded_is_open_in_print(opened):
    with opened(PAGES["plan"]()) as page:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.querySelectorAll('details:not([open])').length") == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("document.querySelectorAll('details[open]').length") == 0
        assert page.pdf().startswith(b"%PDF")
