"""Source lines with carets: what is marked, at every width, and nothing that steers a terminal or is secret."""

import pytest
from rich.cells import cell_len

from reconciler import redaction
from reconciler.manifests.load import load_bytes
from reconciler.model.source import SourceRef, SourceText, end_of
from reconciler.render.excerpt import excerpt

CASES = {
    "a plain value up to a comment": ("spaces: many   # most", 9, "1 | spaces: many   # most", "  |         ^^^^"),
    "a plain value with commas": ("name: Yoga, for all", 7, "1 | name: Yoga, for all", "  |       ^^^^^^^^^^^^^"),
    "a plain value in brackets": ("{a: b c, d: e}", 5, "1 | {a: b c, d: e}", "  |     ^^^"),
    "a text in quotes": ('name: "a # b" # c', 7, '1 | name: "a # b" # c', "  |       ^^^^^^^"),
    "a quote in a text": ("name: 'it''s' # c", 7, "1 | name: 'it''s' # c", "  |       ^^^^^^^"),
    "a key": ("spaces : 1", 1, "1 | spaces : 1", "  | ^^^^^^"),
    "a list in brackets": ("a: [1, [2, ']'], 3] # b", 4, "1 | a: [1, [2, ']'], 3] # b", "  |    ^^^^^^^^^^^^^^^^"),
    "a mapping that goes on in the next line": ("a: {b: 1,  ", 4, "1 | a: {b: 1,", "  |    ^^^^^^"),
    "a text that goes on in the next line": ('a: "one\n  two"', 4, '1 | a: "one', "  |    ^^^^"),
    "an empty value at the end of a line": ("name:", 6, "1 | name:", "  |      ^"),
    "an item": ("- a", 1, "1 | - a", "  | ^"),
    "a template": ('n: "{{ values.x }} y"', 5, '1 | n: "{{ values.x }} y"', "  |     ^^^^^^^^^^^^^^"),
    "tabs": ("a:\tb\tc", 4, "1 | a:    b    c", "  |       ^^^^^^"),
    "wide characters": ("名: 日本 x", 4, "1 | 名: 日本 x", "  |     ^^^^^^"),
    "combining characters": ("e\u0301: e\u0301x", 5, "1 | e\u0301: e\u0301x", "  |    ^^"),
    "bidi and escape characters": ("a: \u202eb\x1b[31m", 4, "1 | a: \\u202eb\\x1b[31m", "  |    ^^^^^^^^^^^^^^^"),
    "line breaks of all kinds": ("a: b\r\nc: d", 4, "1 | a: b", "  |    ^"),
    "a URL with a password": (
        "u: https://me:pw@x.org/",
        4,
        "1 | u: https://********@x.org/",
        "  |    ^^^^^^^^^^^^^^^^^^^^^^^",
    ),
}


def shown(text, *columns, width=80, encoding="utf-8", line=1, guarded=False):
    source = SourceText(text, guarded=guarded)
    places = [SourceRef("a.yaml", line, column, source) for column in columns]
    return ["".join(row) for row in excerpt(places, width, encoding)]


@pytest.mark.parametrize(("text", "column", "line", "carets"), CASES.values(), ids=CASES)
def test_the_value_is_marked(text, column, line, carets):
    assert shown(text, column) == [line, carets]


def test_a_last_line_without_a_line_break_and_a_mark_of_byte_order():
    (problem,) = load_bytes(b"\xef\xbb\xbfkind: Session\nspec: @x", "a.yaml").problems
    assert problem.where.quote == "spec: @x"


def test_several_values_of_one_line_are_marked_together():
    assert shown("{a: x, b: yy}", 5, 11) == ["1 | {a: x, b: yy}", "  |     ^     ^^"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_a_long_line_is_cut_around_each_value(width):
    text = f"a: 日{'x' * 300}, b: {'y' * 300}, c: zz"
    rows = shown(text, text.index("b:") + 1, text.index("zz") + 1, width=width)
    assert all(cell_len(row) <= width for row in rows)
    marked = [
        "".join(char for char, mark in zip(row, carets, strict=False) if mark == "^")
        for row, carets in zip(rows[::2], rows[1::2], strict=True)
    ]
    assert "".join(marked).startswith("b")
    assert marked[-1].endswith("zz")
    assert all("…" in row for row in rows[::2])


@pytest.mark.parametrize("line", ["b" * 1_000_000, "key" * 300_000], ids=["of one letter", "of names of secrets"])
@pytest.mark.parametrize("guarded", [False, True])
def test_a_line_of_a_megabyte_is_quick(line, guarded):
    text = f"a: {line} zz"
    assert len("".join(shown(text, len(text) - 1, guarded=guarded))) < 200


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_an_encoding_cannot_carry_keeps_the_carets_in_place(encoding):
    text = "a: 日本, bb: " + "x" * 200
    rows = shown("{" + text, 9, encoding=encoding, width=60)
    rows[0].encode(encoding)
    assert rows[1].index("^") == rows[0].index("bb")


def test_a_known_secret_is_masked_even_where_a_value_ends_inside():
    with redaction.run():
        redaction.hide("s3cr3t value")
        assert shown("a: s3cr3t value, b: c", 4)[0] == "1 | a: ********, b: c"
        assert shown("[s3cr3t value]", 9) == ["1 | [********]"]


def test_a_credential_of_the_project_file_is_masked():
    auth = "{username: {env: BB_USER}, password: hunter2 # hal, f}}}}"
    text = f"kind: Project\nspec: {{connections: {{s: {{auth: {auth}\n  }}}}}}}}\n"
    document = load_bytes(text.encode(), "a.yaml").documents[0]
    place = document.positions.locate(("spec", "connections", "s", "auth", "password"))
    line = "".join(excerpt([place], 100, "utf-8")[0])
    assert line.endswith("{username: {env: BB_USER}, password: ********")


HIDDEN = "********"


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("postgresql://me:hunter2@db:banana/d", f"postgresql://{HIDDEN}@db:banana/d"),
        ("postgres://me:hun/ter2@db/d", f"postgres://{HIDDEN}@db/d"),
        ("postgresql://me:hunter2@ter2@db/d", f"postgresql://{HIDDEN}@db/d"),
        ("postgresql://db/d?sslmode=x&password=hunter2", f"postgresql://db/d{HIDDEN}"),
        ("mysql://h/d", "mysql://h/d"),
        ("postgresql:/h/d", "postgresql:/h/d"),
        ("git+ssh//git@h/x#b", f"git+ssh//{HIDDEN}@h/x#b"),
        ("git+https://hunter2@h/x.git#b", f"git+https://{HIDDEN}@h/x.git#b"),
        ("git+git@h:a/x#b", f"git+{HIDDEN}@h:a/x#b"),
        ("postgresql://me:hun?ter2@db/d", HIDDEN),
        ("postgresql://me:hun#ter2@db/d", HIDDEN),
        ("postgresql://me:hunter2@db/d?x=a@hunter2", HIDDEN),
        ("postgresql://me:hunter2 @db/d", f"postgresql://{HIDDEN}@db/d"),
        ("https://h/#hunter2", HIDDEN),
        ("hunter2", HIDDEN),
    ],
)
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_of_an_address_only_the_user_and_the_query_are_masked(state, line, quote):
    text = f"kind: Project\nspec:\n  state: {quote}{state}{quote}  # here\n"
    (document,) = load_bytes(text.encode(), "a.yaml").documents
    place = document.positions.locate(("spec", "state"))
    shown_line = "".join(excerpt([place], 100, "utf-8")[0])
    assert "hunter2" not in shown_line
    assert "ter2" not in shown_line
    whole = line == HIDDEN
    assert shown_line.removesuffix("  # here") == f"3 |   state: {line if whole else f'{quote}{line}{quote}'}"


def test_an_address_that_is_written_with_escapes_is_masked_as_a_whole():
    text = 'kind: Project\nspec:\n  state: "postgresql://me:hunter\\x32@db/d"\n'
    (document,) = load_bytes(text.encode(), "a.yaml").documents
    assert "".join(excerpt([document.positions.locate(("spec", "state"))], 100, "utf-8")[0]) == f"3 |   state: {HIDDEN}"


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2\nspec: [\n",
        "spec: {token: hunter2\n",
        "kind: A\nurl = hunter2\n  b: c",
        "spec: {connections: {s: {auth: {passwrod: hunter2, a b\n",
        "kind: Project\n- hunter2\n",
        "spec:\n  connections:\n    hunter2\n  a: [",
    ],
)
def test_what_looks_like_a_credential_in_a_broken_file_is_masked(text):
    for problem in load_bytes(text.encode(), "a.yaml").problems:
        source = problem.where.text
        for number in range(1, 4):
            assert "hunter2" not in "".join(map("".join, excerpt([SourceRef("a", number, 1, source)], 80, "utf-8")))


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        ('password: "one\n  hunter2"}, timeout: x}', "3 | ********timeout: x}"),
        ("password: one\n  hunter2}, timeout: x}", "3 | ********timeout: x}"),
        ("password: [one,\n  hunter2], hal: x}, timeout: x}", "3 |   ********"),
        ("password: hunter2},\n  timeout: x}", "3 |   timeout: x}"),
    ],
)
def test_a_credential_of_several_lines_is_masked_on_each(auth, line):
    text = f"kind: Project\nspec: {{connections: {{s: {{auth: {{{auth}}}}}"
    (document,) = load_bytes(text.encode(), "a.yaml").documents
    place = document.positions.locate(("spec", "connections", "s", "timeout"))
    assert "".join(excerpt([place], 100, "utf-8")[0]).rstrip("}") == line.rstrip("}")
    lines = [excerpt([SourceRef("a", number, 1, place.text)], 80, "utf-8") for number in range(1, 5)]
    assert "hunter2" not in str(lines)


def test_nothing_is_quoted_of_a_file_that_is_no_manifest():
    assert [problem.where.quote for problem in load_bytes(b"root:x:0:\xe9\n", "shadow").problems] == [None]
    assert [problem.where.quote for problem in load_bytes(b"root:x:0:0\n- a: [", "shadow").problems] == [None]
    assert [problem.where.quote for problem in load_bytes(b"a: 1\na: 2\n", "values").problems] == [None]


def test_the_end_of_a_value_is_at_least_one_character_on():
    assert end_of("", 5) == 6
    assert end_of("a: ,", 3) == 4
