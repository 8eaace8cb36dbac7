"""Whatever the layout of a file: an edit changes the value, what is read then is the new one, and other bytes stay."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests.edit import Put, edited
from reconciler.manifests.load import load_bytes
from reconciler.manifests.revise import alike, revise

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=30)
TEXTS = st.one_of(
    WORDS,
    st.sampled_from(
        [
            "No",
            "11:00",
            "2027-03-01",
            "null",
            "~",
            "a: b",
            "a # b",
            "- x",
            "{{ x }}",
            "it's",
            'say "x"',
            "%",
            "*x",
            "010",
        ]
    ),
    st.lists(WORDS, min_size=2, max_size=3).map("\n".join),
)
NUMBERS = st.integers(0, 9999)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans())
GAPS = st.sampled_from([" ", "   "])
COMMENTS = st.sampled_from(["", "   # why", " #"])
EOLS = st.sampled_from(["\n", "\r\n"])


def written(draw, value):
    """Write a value as one of many authors would."""
    if not isinstance(value, str):
        return json.dumps(value)
    forms = [json.dumps(value, ensure_ascii=False)]
    if "\n" not in value:
        forms += ["'" + value.replace("'", "''") + "'"] * 2
        if value.replace(" ", "").isalnum() and value.isascii() and value == value.strip() and not value[0].isdigit():
            forms += [value] * 3
    return draw(st.sampled_from(forms))


@st.composite
def files(draw):
    """Return a file with several documents, and its lines with a value each."""
    eol = draw(EOLS)
    indent = " " * draw(st.integers(1, 5))
    lines, places = ["# the head"], []
    for number in range(draw(st.integers(1, 3))):
        lines += ["---", "kind: Session", draw(st.sampled_from(["spec:", "spec:   # about"]))]
        for name in "abc":
            value = draw(VALUES)
            style = draw(st.sampled_from(["line", "flow", "block"]))
            comment = draw(COMMENTS)
            if style == "flow":
                lines.append(f"{indent}{name}: {{x: 1,  v:{draw(GAPS)}{written(draw, value)} , y: [1, 2]}}{comment}")
                places.append((number, ("spec", name, "v")))
            elif (
                style == "block"
                and isinstance(value, str)
                and value.isprintable()
                and "\n" not in value
                and value == value.strip()
            ):
                lines += [
                    f"{indent}{name}: {draw(st.sampled_from(['|', '|-', '>', '>-']))}{comment}",
                    f"{indent}   {value}",
                    "",
                ]
                places.append((number, ("spec", name)))
            else:
                lines.append(f"{indent}{name}:{draw(GAPS)}{written(draw, value)}{comment}")
                places.append((number, ("spec", name)))
    text = eol.join(lines) + draw(st.sampled_from(["", eol, eol + eol]))
    return text, draw(st.sampled_from(places))


def documents(text):
    loaded = load_bytes(text.encode(), "x.yaml")
    assume(not loaded.problems)
    return loaded.documents


def value_at(data, path):
    for step in path:
        data = data[step]
    return data


@settings(max_examples=share_of(400))
@given(files(), VALUES)
def test_an_edit_changes_the_value_and_no_other_byte(file, new):
    text, (number, path) = file
    before = documents(text)
    assume(len(before) > number)
    document = before[number]
    old = value_at(document.data, path)
    changed = edited(text, document.positions.locate(()).line, [Put(path=path, value=new)])
    after = load_bytes(changed.encode(), "x.yaml")
    assert not after.problems, (text, changed)
    found = value_at(after.documents[number].data, path)
    wanted = '{{ "' if isinstance(new, str) and "{{" in new else None
    if wanted is None:
        same = (
            str(found).rstrip("\n") == str(new).rstrip("\n")
            if isinstance(new, str)
            else str(found) == json.dumps(new) or found == new
        )
        assert same, (text, changed, found)
    for index, (one, other) in enumerate(zip(before, after.documents, strict=True)):
        expected = json.loads(json.dumps(one.data))
        if index == number:
            holder = value_at(expected, path[:-1])
            holder[path[-1]] = found
        assert json.loads(json.dumps(other.data)) == expected, (text, changed)
    start = len(common(text, changed))
    end = len(common(text[start:][::-1], changed[start:][::-1]))
    middle = text[start : len(text) - end]
    assert len(middle) <= len(json.dumps(old)) * 2 + 40, (text, changed)
    assert ("\r\n" in text) == ("\r\n" in changed)
    assert "\n" not in changed.replace("\r\n", "") or "\r\n" not in text


def common(one, other):
    size = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one[:size]


ITEMS = st.lists(
    st.tuples(st.integers(1, 28), st.sampled_from(["9:00", "11:00", "18:30"]), st.sampled_from([30, 60])),
    min_size=1, max_size=5, unique_by=lambda item: item[:2],
)  # fmt: skip


def item(entry):
    day, time, length = entry
    return {"date": f"2027-03-{day:02}", "time": time, "duration": length}


@st.composite
def lists(draw):
    """Return a list of slots as text, in one of the layouts that people use, with a comment here and there."""
    layout = draw(st.sampled_from(["flow items", "block items", "json", "one line"]))
    entries = [item(each) for each in draw(ITEMS)]
    if layout == "json":
        return json.dumps({"spec": {"slots": entries}}, indent=draw(st.sampled_from([None, 2, "\t"]))) + "\n"
    inline = [f"{{date: {e['date']}, time: '{e['time']}', duration: {e['duration']}}}" for e in entries]
    if layout == "one line":
        return f"spec: {{slots: [{', '.join(inline)}]}}  # all\n"
    lines = ["spec:", "  slots:  # the term"]
    for entry, short in zip(entries, inline, strict=True):
        lines += draw(st.sampled_from([[], ["  # about the next"]]))
        if layout == "flow items":
            lines.append(f"  - {short}{draw(COMMENTS)}")
        else:
            lines += [
                f"  -   date: {entry['date']}",
                f'      time: "{entry["time"]}"',
                f"      duration: {entry['duration']}",
            ]
    return "\n".join([*lines, "  # the end", "  name: x", ""])


@settings(max_examples=share_of(400))
@given(lists(), ITEMS)
def test_a_list_becomes_the_other_one_and_its_comments_stay(text, wanted):
    (document,) = documents(text)
    new = sorted((item(each) for each in wanted), key=lambda each: (each["date"], each["time"]))
    kept = [item for item in document.data["spec"]["slots"] if {**item, "time": item["time"]} in new]
    steps = list(revise(document.data["spec"]["slots"], new, ("spec", "slots"), dict, new))
    changed = edited(text, document.positions.locate(()).line, steps)
    (after,) = documents(changed)
    assert sorted(after.data["spec"]["slots"], key=str) == sorted(new, key=str), (text, changed)
    assert [each for each in after.data["spec"]["slots"] if each in kept] == kept, (text, changed)
    comments = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in changed.splitlines() if line in comments] == comments
    assert {**after.data["spec"], "slots": None} == {**document.data["spec"], "slots": None}


@given(st.decimals(0, 9999, places=2), st.booleans())
def test_equal_amounts_need_no_edit(amount, quoted):
    assert alike(str(amount), float(amount) if quoted else str(amount.normalize()))


@pytest.mark.parametrize(
    "spec",
    [
        "\n  name: x\n  price:\n",
        "\n  name: x\n  price: # none\n\n# next\n",
        " {name: x, price: }\n",
        " {name: x, price}\n",
    ],
)
def test_a_new_field_comes_after_one_without_a_value(spec):
    changed = edited(f"spec:{spec}kind: Session\n", 1, [Put(path=("spec", "group"), value="g")])
    loaded = load_bytes(changed.encode(), "x.yaml")
    assert loaded.problems == ()
    assert loaded.documents[0].data == {"spec": {"name": "x", "price": None, "group": "g"}, "kind": "Session"}
