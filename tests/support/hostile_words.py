"""Words that steer a terminal, a page, a comment or a runner, and what no output may make of them."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256

import lxml.etree
import lxml.html
from markdown_it import MarkdownIt

TERMINAL = "a\x1b[31mred\x1b]8;;http://evil.example/\x07link\x1b]8;;\x07\r\x08\x9b1m\x85\u202egnp\u2066\u200b\u3164\u2800\u115f\u1160\uffa0\ufe0f\U000e0041\ufeff\u2028z"
BIDI = "b\x9b31m\x85\u202egnp\u2066\u200b\u3164\u2800\u115f\u1160\uffa0\ufe0f\U000e0041\ufeff\u2028z"
"""What XML can carry of the above."""
MARKDOWN = (
    "c|`x` ```y``` [l](http://evil.example) ![i](http://evil.example/p.png) <!-- --> </details> # h @someone #123 "
    "org/repo#1 GH-77 http://evil.example www.evil.example me@evil.example ~~~ ~~s~~ **b** _e_ $m$ [^1]"
)
HTML = (
    "d<img src=x onerror=alert(1)><script>alert(1)</script>\" onmouseover=\"alert(1)' x='</title></style></code>"
    "<a href=javascript:alert(1)>&lt;b&gt;&#60;i&#62;{{ 7*7 }}{% x %}</summary></pre>"
)
RUNNER = (
    "::error::evil\n::set-output name=evil::1\n  ##[group]evil ##vso[task.setvariable variable=evil]1\n::add-mask::evil"
)
LINES = "\n# evil\n@someone\n- evil\n```\n</details>\n<b>evil</b>\n> evil\n"
SURROGATE = "e\ud800\udfff\ud83d"

XML_SAFE = (BIDI, MARKDOWN, HTML, RUNNER, LINES)
JSON_SAFE = (TERMINAL, *XML_SAFE)
ALL = (*JSON_SAFE, SURROGATE)

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_HIDDEN = re.compile("[\u200b\u2060\ufeff\u3164\u2800\u115f\u1160\uffa0\ufe0f\U000e0041]")
_RUNNER = re.compile(r"(?m)^\s*::|##\w*\[")
_TAGS = frozenset(
    """html head meta title style script body main header footer nav form fieldset legend label input a p h1 h2 h3 ul ol
    li span section article div table thead tbody tr th td del ins details summary code strong dl dt dd""".split()  # noqa: SIM905 - a list of one word a line helps nobody
)
_ATTRIBUTES = frozenset(
    """class id lang charset name content http-equiv scope href for type checked hidden role autocomplete
    data-item""".split()  # noqa: SIM905 - as above
)
_COMMENT_TAGS = frozenset(
    "div h2 h3 p details summary b code pre ul li blockquote strong br table thead tbody tr th td".split()  # noqa: SIM905 - as above
)
_REFERENCE = re.compile(r"(?<!\w)@\w|(?<!&)#\d|\bGH-\d|\w://|\bwww\.\w|\w@\w")


def harmless(text, form):
    """Assert that an output is what its format says it is, and that nothing in it acts."""
    found = _CONTROL.search(text)
    assert found is None, (form, repr(found[0]), text[max(0, found.start() - 80) : found.end() + 40])
    acting = re.sub(r"(?m)^::(error|warning) (?=[^\n]*::)", "", text) if form == "github" else text
    found = _RUNNER.search(acting)
    assert found is None, (form, text[found.start() : found.end() + 60])
    if form in {"json", "sarif"} and text:
        json.loads(text)
    elif form == "junit" and text:
        assert lxml.etree.fromstring(text.encode()).tag == "testsuites"
    elif form == "html" and text:
        assert not _HIDDEN.search(text)
        _page(text)
    elif form == "markdown" and text:
        assert not _HIDDEN.search(text)
        _comment(text)
    elif form not in {"json", "sarif", "junit"}:
        assert not _HIDDEN.search(text), text


def _page(text):
    tree = lxml.html.document_fromstring(text)
    for element in tree.iter():
        assert isinstance(element.tag, str), (element.tag, element.text)  # no comment, no instruction
        assert element.tag in _TAGS, lxml.html.tostring(element)[:300]
        for name, value in element.attrib.items():
            assert name in _ATTRIBUTES or name.startswith("aria-"), (name, value)
            assert "evil" not in value, (name, value)
            assert "alert" not in value, (name, value)
    for link in tree.iter("a"):
        assert re.fullmatch(r"#[A-Za-z0-9/-]+", link.get("href")), link.get("href")
    for style in tree.iter("style", "script"):
        assert "evil" not in style.text
    scripts = [script.text for script in tree.iter("script")]
    assert len(scripts) == 1
    hashed = b64encode(sha256(scripts[0].encode()).digest()).decode()
    loads = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'"
    assert tree.xpath("//meta[@http-equiv]/@content") == [f"{loads}; base-uri 'none'; form-action 'none'"]
    assert len(tree.findall(".//h1")) == 1


def _comment(text):
    """Read a comment as its host would: GitHub's Markdown, with raw HTML, tables and bare links."""
    parser = MarkdownIt("gfm-like", {"html": True})
    # The host links no dotted word, such as spec.name; www and schemes are looked for below.
    parser.linkify.set({"fuzzy_link": False})
    tokens = parser.parse(text)
    for token in [*tokens, *(child for each in tokens for child in each.children or ())]:
        assert token.type not in {"link_open", "image", "s_open", "em_open", "hr"}, token
    tree = lxml.html.fragment_fromstring(parser.render(text), create_parent="div")
    for element in tree.iter():
        assert element.tag in _COMMENT_TAGS, lxml.html.tostring(element)[:300]
        assert set(element.attrib) <= {"class"}, element.attrib
        assert element.attrib.get("class", "language-diff") in {"language-diff", "language-text"}
        if element.tag not in {"code", "pre"}:
            _prose(element.text)
        _prose(element.tail if element is not tree else None)
    assert len(list(tree.iter("h2"))) == 1


def _prose(text):
    """Nothing in running text is what GitHub makes a link, a mention or a reference of."""
    found = _REFERENCE.search(text or "")
    assert found is None, text
