"""The loader: what scalars mean, what is refused, where things stand, and that nothing is ever raised."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests import load
from reconciler.manifests.chunks import chunks
from reconciler.manifests.load import load_bytes, load_text


def only(text):
    loaded = load_text(text, "f.yaml")
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    assert len(loaded.documents) == 1
    return loaded.documents[0]


def complaints(text):
    return [str(problem) for problem in load_text(text, "f.yaml").problems]


@pytest.fixture(params=["libyaml", "pure Python"], autouse=True)
def parser(request, monkeypatch):
    if request.param == "pure Python":
        monkeypatch.delattr(yaml, "CBaseLoader", raising=False)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("11:00", "11:00"),
        ("2027-03-01", "2027-03-01"),
        ("No", "No"),
        ("on", "on"),
        ("yes", "yes"),
        ("True", "True"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        (".5", ".5"),
        ("5.", "5."),
        ("+5", "+5"),
        (".inf", ".inf"),
        ("1e999", "1e999"),
        ("1" * 5000, "1" * 5000),
        ("0", 0),
        ("-12", -12),
        ("35.00", 35.0),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ('""', ""),
        ("!!str 12", "12"),
        ("!!int 12", 12),
        ("!!float 12", 12.0),
        ("! 12", "12"),
        ("|\n  12\n", "12\n"),
    ],
)
def test_scalars_follow_json_not_yaml_1_1(written, value):
    read = only(f"key: {written}").data["key"]
    assert (read, type(read) if type(value) is not float else float) == (value, type(value))
    assert str(read) == written if type(value) is float and "!" not in written else True


def test_json_is_accepted():
    assert only('{"a": [1, "2", true, null, 1.5], "b": {}}').data == {"a": [1, "2", True, None, 1.5], "b": {}}


def test_positions_of_values_and_keys():
    document = only("a: 1\nslots:\n  - date: 2027-03-01\n    time: 9:30\n  - {date: x}\n")
    at = document.positions.locate
    assert str(at(())) == "f.yaml:1:1"
    assert str(at(("a",))) == "f.yaml:1:4"
    assert str(at(("slots", 0, "time"))) == "f.yaml:4:11"
    assert str(at(("slots", 0, "time"), key=True)) == "f.yaml:4:5"
    assert str(at(("slots", 1, "date"))) == "f.yaml:5:12"
    assert str(at(("slots", 1, "nothing", "there"))) == "f.yaml:5:5"
    assert str(at(("slots", 7))) == "f.yaml:3:3"


def test_many_documents_and_empty_ones():
    loaded = load_text("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n", "f.yaml")
    assert [document.data for document in loaded.documents] == [{"a": 1}, {"b": 2}]
    assert str(loaded.documents[1].positions.locate(("b",))) == "f.yaml:7:4"


def test_duplicate_keys_name_both_places():
    assert complaints("a: 1\nb:\n  c: 1\n  c: 2\n") == [
        'f.yaml:4:3: the key "c" is given twice; the first is at f.yaml:3:3'
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("1: x", "1:1: the key 1 is not text"),
        ("true: x", "1:1: the key true is not text"),
        ("? # nothing\n: x", ": an empty key is not text"),
        ("? [a]\n: x", "1:3: a key is not text"),
        ("price: {{ values.x }}", "1:9: a key is not text"),
        ("a:\n\tb: 1", "2:1: this is not valid YAML: a tab is used as indentation; expected spaces"),
        ("a: [1, 2", "a list that begins with [ is not closed"),
        ('a: "x', "a quote is never closed"),
        ("a: b: c", "1:5: this is not valid YAML: a colon is not allowed here"),
        ("a: @x", "1:4: this is not valid YAML: a value cannot begin with @"),
        ("a: 1\nb: \x00", "2:4: this is not valid YAML: the character U+0000 is not allowed"),
        ("a: !!python/object/apply:os.system [ls]", "1:4: the tag"),
        ("a: !mine x", "1:4: the tag"),
        ("a: !!int x", "1:4: the value does not match its tag !!int"),
        ("a: *nothing", "1:4: the alias *nothing refers to no anchor above it"),
        ("a: &a [*a]", "1:8: the alias *a refers to a value that contains it"),
        ("<<: 3", "1:1: the merge key << has no mapping"),
        ("<<: {a: 1}\n<<: {b: 1}", '2:1: the key "<<" is given twice; the first is at f.yaml:1:1'),
        ("[" * 65 + "]" * 65, "1:65: values are nested more than 64 levels deep"),
    ],
)
def test_refused(text, what):
    found = complaints(text)
    assert len(found) == 1
    assert what in found[0]


def test_a_secret_under_a_wrong_tag_is_not_shown():
    assert "hunter2" not in complaints("password: !!int hunter2")[0]


def test_aliases_share_values_and_keep_their_own_place():
    document = only("base: &b {x: 1}\ncopy: *b\nlist: [*b]\n")
    assert document.data == {"base": {"x": 1}, "copy": {"x": 1}, "list": [{"x": 1}]}
    assert str(document.positions.locate(("copy",))) == "f.yaml:2:7"
    assert str(document.positions.locate(("copy", "x"))) == "f.yaml:1:14"


def test_merge_keys_fill_in_what_is_not_given():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  x: 9\n  <<: [*a, *b]\nd: {<<: *a}\n"
    document = only(text)
    assert document.data["c"] == {"x": 9, "y": 1, "z": 2}
    assert document.data["d"] == {"x": 1, "y": 1}
    assert str(document.positions.locate(("c", "z"), key=True)) == "f.yaml:5:3"


def test_a_quoted_merge_sign_is_a_key():
    assert only('"<<": 1').data == {"<<": 1}


def test_many_tag_lines_are_refused():
    lines = "".join(f"%TAG !a{number}! tag:x,2000:\n" for number in range(101))
    assert complaints(f"{lines}---\na: 1\n") == [
        "f.yaml:1:1: the file contains more than 100 %TAG lines; expected plain YAML"
    ]
    assert complaints(f"{lines[: lines.index('%TAG !a100')]}---\na: 1\n") == []
    assert complaints("a: |\n" + "  %TAG\n" * 200) == []


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("---\n" * 5_000 + "a: [\n---\nb: 1\n", [1, 5_002]),
        ("%YAML 1.2\n" * 3_000 + "---\n" * 3_000 + "a: [\n---\nb: 1\n", [1, 6_002]),
        ("---\na: [\n" + "\n" * 50_000 + "---\nb: 1\n", [1, 50_003]),
        ("# c\n---\n  # c\n\n---\n---\na: [\n--- # c\n---\nb: 1\n", [1, 8, 9]),
    ],
)
def test_a_broken_file_is_cut_before_each_document_with_content(text, starts):
    assert [line + 1 for line, _ in chunks(text)] == starts


def test_aliases_of_long_texts_are_bounded_by_their_text():
    text = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 20)}]\n"
    assert "aliases expand to more than 100,000 values or 10 MB of text" in complaints(text)[0]
    assert only(f"a: &a {'x' * 1_000_000}\nb: [*a, *a]\n").data["b"][1] == "x" * 1_000_000


def test_alias_bombs_are_refused_quickly():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "aliases expand to more than 100,000 values" in complaints("\n".join(lines))[0]


def test_one_broken_document_hides_no_other():
    text = "%YAML 1.1\n---\na: 1\na: 2\n---\nb: [\n---\nc: 1\n---\n\td: 1\n---\ne: &e [*e]\n---\nf: 1\n"
    loaded = load_text(text, "f.yaml")
    assert [document.data for document in loaded.documents] == [{"a": 1}, {"c": 1}, {"f": 1}]
    assert [problem.where.line for problem in loaded.problems] == [4, 7, 10, 12]
    assert str(loaded.documents[2].positions.locate(("f",))) == "f.yaml:14:4"


def test_encodings():
    assert load_bytes("\ufeffa: é".encode(), "f").documents[0].data == {"a": "é"}
    assert "is UTF-16" in str(load_bytes("a: 1".encode("utf-16"), "f").problems[0])
    assert str(load_bytes(b"a: 1\nb: \xff", "f").problems[0]).startswith("f:2:4: the file is not UTF-8")
    assert "larger than 10 MB" in str(load_bytes(b" " * (load.MAX_BYTES + 1), "f").problems[0])


PIECES = st.lists(
    st.sampled_from(
        ["a", ":", " ", "\n", "- ", "---\n", "[", "]", "{", "}", '"', "'", "&a ", "*a", "<<: ", "!!int ", "!x ", "\t",
         "|\n", "> ", "%YAML 1.1\n", "? ", "1", "{{ x }}", "\r", "\x85", "\u2028", "\x00", "\ud800", "#", ",", "...\n",
         "é"]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.binary(max_size=200) | PIECES.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"\xef\xbb\xbf\xff")
@example(b"%YAML 1.99999999999999999999\n---\na")
@example(b"a: !<%ff> x")
@settings(max_examples=share_of(400), deadline=None)
def test_any_bytes_give_documents_and_problems_only(content):
    loaded = load_bytes(content, "f.yaml")
    for problem in loaded.problems:
        assert problem.where is not None
        assert problem.where.line >= 1
        assert problem.where.column >= 1
        assert "\n" not in str(problem)


@given(PIECES | st.text(max_size=100))
@settings(max_examples=share_of(300), deadline=None)
def test_any_text_gives_documents_and_problems_only(text):
    for document in load_text(text, "f.yaml").documents:
        document.positions.locate(())


@pytest.mark.parametrize(
    ("written", "place", "what", "hint"),
    [
        ("&Soul # 2", "1:7", "&Soul is the name of an anchor, and no value follows it", "begin a text with &"),
        ("&Soul", "1:7", "&Soul is the name of an anchor, and no value follows it", "begin a text with &"),
        ("&Soul Food", "1:7", "&Soul is the name of an anchor that is not used", "begin a text with &"),
        ("&a &b", "1:10", "more text follows a value that is complete", "the whole value in quotes"),
        ("*New", "1:7", "the alias *New refers to no anchor", "begin a text with *"),
        ("*New Spin", "1:12", "more text follows a value that is complete", "the whole value in quotes"),
        ("[Hall] Spin", "1:14", "more text follows a value that is complete", "the whole value in quotes"),
        ("{Hall} Spin", "1:14", "more text follows a value that is complete", "the whole value in quotes"),
        ("'Spin' Hall", "1:14", "more text follows a value that is complete", "the whole value in quotes"),
        ("!Spin now", "1:7", 'the tag "!Spin" is not allowed', "begin a text with !"),
        ("!!spin now", "1:7", 'the tag "!!spin" is not allowed', "begin a text with !"),
        ("- Spin", "1:7", "a list cannot begin on the line of its key", "begins with - in quotes"),
        ("? Spin", "1:7", "a value cannot begin with ?", "in quotes"),
    ],
)
def test_a_text_that_yaml_reads_as_something_else_is_named(written, place, what, hint):
    (problem,) = load_text(f"name: {written}\ngroup: g\n", "f.yaml").problems
    assert str(problem.where) == f"f.yaml:{place}"
    assert what in problem.summary
    assert hint in problem.hint
    assert problem.severity == ("warning" if "not used" in what else "error")


def test_an_anchor_that_is_used_is_no_mistake():
    assert only("a: &x 1\nb: *x\nc: &y {d: 1}\n").data == {"a": 1, "b": 1, "c": {"d": 1}}


@pytest.mark.parametrize(
    "text", ["a: 1\n\ufeff---\nb: 2\n", "a: 1\n---\n\ufeffb: 2\n", '{"a": 1}\n---\n\ufeff{"b": 2}']
)
def test_a_byte_order_mark_between_joined_files_is_named(text):
    loaded = load_text(text, "f.yaml")
    assert [document.data for document in loaded.documents] == [{"a": 1}]
    assert [problem.code for problem in loaded.problems] == ["byte-order-mark"]
    assert loaded.problems[0].where.line == text[: text.index("\ufeff")].count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> branch\n",
        "a: 1\r\n>>>>>>> branch\r\nb: 2\r\n",
        "a: 1\n||||||| 12ab\nb: 2\n",
        "a: 1\n=======\n",
        '{"a":\n<<<<<<< HEAD\n1\n=======\n2\n>>>>>>> branch\n}',
    ],
)
def test_a_merge_conflict_is_named_and_hides_no_other_document(text):
    loaded = load_text(f"c: 1\n---\n{text}\n---\nd: 1\n", "f.json")
    assert [document.data for document in loaded.documents] == [{"c": 1}, {"d": 1}]
    assert [(problem.code, problem.where.line) for problem in loaded.problems] == [("conflict-marks", 4)]
    assert only("a: |\n  <<<<<<< not a mark\n  =======\n").data == {"a": "<<<<<<< not a mark\n=======\n"}


def test_a_pointer_of_git_lfs_is_named():
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 120\n"
    assert complaints(text) == ["f.yaml:1:1: the file is a pointer of Git LFS; expected the content of the file"]
