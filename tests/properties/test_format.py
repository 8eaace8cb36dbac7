"""`fmt`: for any layout of a manifest the meaning and the comments stay, and a second run changes nothing."""

from __future__ import annotations

import re
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests.format import formatted
from reconciler.manifests.load import load_text
from reconciler.operations.explain import manifest_kinds

SCHEMAS = {**manifest_kinds(), "Project": "project"}

SCALARS = (
    *(
        "11:00",
        '"11:00"',
        "'9:30'",
        "No",
        "'No'",
        "010",
        '"010"',
        "2027-03-01",
        "'2027-03-01'",
        "yes",
        "~",
        "null",
        "1e5",
    ),
    *("7.50", '"7.50"', "0x1f", "Yoga", '"Yoga"', "'Yoga & tea'", '"it\'s"', "'say \"hi\"'", '"a: b"', '"a #b"', "a#b"),
    *('"{{ values.price }}"', "'{{ values.name }}'", '"{{ \\"x\\" }}"', '"- x"', "'*x'", '"é\\u200b"', '"a\\nb"', "''"),
    *(
        "true",
        "'true'",
        "on",
        "=",
        '"="',
        "<3",
        "'[x]'",
        "x, y",
        "'x, y'",
        "'<<'",
        "y",
        '"ünï"',
        "🧘",
        "1_000",
        "+1",
        ".5",
        "",
    ),
)
BLOCKS = ("|\n{0}  one\n{0}  # two\n\n{0}  three", ">-\n{0}  one\n{0}  two", "|+\n{0}  kept\n\n", "|2-\n{0}    deep")
FIELDS = ("name", "type", "group", "time", "price", "repeat", "description", "start_date", "own field", "'on'")
NAMES = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=5, unique=True)


@st.composite
def flow(draw):
    keys = draw(st.lists(st.sampled_from(("duration", "date", "time", '"x"')), min_size=1, max_size=3, unique=True))
    # What has brackets or a comma needs quotes inside brackets.
    fine = [scalar for scalar in SCALARS if scalar[:1] in "'\"" or not re.search(r"[\[\],{}]", scalar)]
    return "{" + ", ".join(f"{key}: {draw(st.sampled_from(fine))}" for key in keys) + "}"


@st.composite
def entries(draw, indent, deep=True):
    """The lines of a mapping, with comments and blank lines around its entries."""
    lines = []
    for name in draw(NAMES):
        comment = st.sampled_from(("", "", "\n", f"{indent}#~ about {name}\n", f"{indent}#~ one\n{indent}#~ two\n"))
        lines.append(draw(comment))
        end = draw(st.sampled_from(("", "", "  #~ why", " #~ {x: y}")))
        choice = draw(st.integers(0, 5 if deep else 2))
        if choice <= 1:
            lines.append(f"{indent}{name}: {draw(st.sampled_from(SCALARS))}{end}\n")
        elif choice == 2:
            lines.append(f"{indent}{name}: {draw(flow())}{end}\n")
        elif choice == 3:
            lines.append(f"{indent}{name}: {draw(st.sampled_from(BLOCKS)).format(indent)}\n")
        elif choice == 4:
            lines.append(f"{indent}{name}:{end}\n{draw(entries(indent + '  ', deep=False))}")
        else:
            item = draw(entries(indent + "    ", deep=False)).lstrip(" \n")
            first = item if not item.startswith("#") else f"x: 1\n{indent}    {item}"
            lines.append(f"{indent}slots:\n{indent}  - {first}{indent}  - {draw(flow())}\n")
        lines.append(draw(st.sampled_from(("", "", "\n", f"{indent}    #~ deeper\n"))))
    return "".join(lines)


@st.composite
def manifests(draw):
    parts = ["kind: Session\n", f"apiVersion: reconciler/v1{draw(st.sampled_from(('', '  #~ v1')))}\n"]
    parts += ["metadata: {labels: {x: 'y'}, name: \"a\"}\n", f"spec:\n{draw(entries('  '))}"]
    header = draw(st.sampled_from(("", "# yaml-language-server: $schema=x.json\n#~ A class.\n", "\n#~ A\n\n")))
    return header + "".join(draw(st.permutations(parts)))


FILES = st.builds(
    lambda docs, eol, last: ("---\n".join(docs).rstrip("\n") + "\n" * last).replace("\n", eol),
    st.lists(manifests(), min_size=1, max_size=2),
    st.sampled_from(("\n", "\r\n")),
    st.integers(0, 2),
)


def meaning(text):
    loaded = load_text(text, "x.yaml")
    return [repr(document.data) for document in loaded.documents if sorted_keys(document.data)]


def sorted_keys(value):
    """Sort the keys of every mapping in place: their order means nothing."""
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        sorted_keys(part)
    if isinstance(value, dict):
        items = sorted(value.items())
        value.clear()
        value.update(items)
    return True


def comments(text):
    return Counter(re.findall(r"#~[^\n\r]*", text))


@given(FILES)
@example("spec:\n  ? price\n  :\n  x:  #~ none\nkind: Session\napiVersion: reconciler/v1\n")  # nothing has no place
@example("spec: {time: , name: x}\rkind: Session\rapiVersion: reconciler/v1")
@settings(max_examples=share_of(200))
def test_the_meaning_and_the_comments_stay_and_a_second_run_changes_nothing(text):
    if any(problem.severity == "error" for problem in load_text(text, "x.yaml").problems):
        return
    new = formatted(text, SCHEMAS)
    assert meaning(new) == meaning(text)
    assert comments(new) == comments(text)
    assert formatted(new, SCHEMAS) == new
    assert set(re.findall(r"\r\n|\n|\r", new)) == set(re.findall(r"\r\n|\n|\r", text))
    assert new.splitlines()[0] == text.splitlines()[0] or not text.startswith("#")
