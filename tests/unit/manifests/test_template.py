"""Templates: expressions only, typed where whole, bounded, and undefined names told well."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from examples import share_of
from reconciler.manifests.expressions import Budget
from reconciler.manifests.load import load_text
from reconciler.manifests.template import render

parse = SandboxedEnvironment.parse

VALUES = {
    "values": {"price": 35.5, "n": 3, "s": "Yoga", "items": ["a"], "deep": {"x": {"y": True}}, "tpl": "{{ values.n }}"},
    "environment": "prod",
    "project": "acme",
}


def rendered(text):
    source = load_text("k: 1", "f.yaml").documents[0]
    source.data["k"] = text
    result, problems = render(source, VALUES)
    return result.data["k"], [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ values.price }}", 35.5),
        ("{{ values.n + 1 }}", 4),
        (" {{- values.deep.x.y -}} ", True),
        ("{{ values.items }}", ["a"]),
        ('{{ values["deep"]["x"] }}', {"y": True}),
        ("{{ values.s }} {{ values.n }}", "Yoga 3"),
        ("{{ values.s }}!", "Yoga!"),
        ("{{ '007' }}", "007"),
        ("{{ values.none | default(7) }}", 7),
        ("{{ values.s | upper }}", "YOGA"),
        ("{{ environment }}/{{ project }}", "prod/acme"),
        ("{{ values.tpl }}", "{{ values.n }}"),
        ("{{ '{{' }}", "{{"),
        ("{{ 1 if environment == 'prod' else 2 }}", 1),
        ("{{ 1 if values.n == 4 }}", ""),
        ("Yoga{{ ' (new)' if values.n == 4 }}", "Yoga"),
        ("{{ (1 if values.n == 4) | default(2) }}", 2),
        ("no template", "no template"),
    ],
)
def test_values(text, value):
    result, problems = rendered(text)
    assert not problems
    assert (result, type(result)) == (value, type(value))


WRITTEN = """\
price: 12.50
code: 3.10
many: 2e3
whole: 4.0
zero: -0
on: true
off: null
empty:
day: 2027-03-01
time: 09:05
word: No
list: [a, 2.50, false, null, {b: 1.10}]
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ values.price }}|", "12.50|"),
        ("{{ values.code }}.{{ values.many }}.{{ values.whole }}.{{ values.zero }}", "3.10.2e3.4.0.-0"),
        ("{{ values.on }} {{ values.off }} {{ values.empty }} {{ environment }}", "true null null null"),
        ("{{ values.day }} {{ values.time }} {{ values.word }}", "2027-03-01 09:05 No"),
        ("{{ values.list }}!", '["a", 2.50, false, null, {"b": 1.10}]!'),
        ("{{ values.list[1] }}{{ values.list | last }}", '2.50{"b": 1.10}'),
        ("{{ 'from ' ~ values.price ~ ' ' ~ values.on }}", "from 12.50 true"),
        ("{{ values.code | string }}", "3.10"),
        ("{{ values.on | upper }} {{ values.off | capitalize }} {{ values.code | trim }}", "TRUE Null 3.10"),
        ("{{ values.price if values.on else 0 }}:{{ values.no | default(values.code) }}", "12.50:3.10"),
        ("{{ values.price * 2 }} {{ values.many | int }} {{ values.price == 12.5 }}", "25 2000 true"),
        ("{{ true }}{{ none }}{{ (1, 'a') }}", 'truenull[1, "a"]'),
    ],
)
def test_a_value_in_a_text_keeps_its_spelling(text, value):
    values = {"values": load_text(WRITTEN, "v.yaml").documents[0].data, "environment": None}
    document = load_text(f"k: {json.dumps(text)}", "f.yaml").documents[0]
    result, problems = render(document, values)
    assert not problems
    assert result.data["k"] == value


def test_a_whole_value_keeps_its_type_and_spelling():
    values = load_text(WRITTEN, "v.yaml").documents[0].data
    document = load_text('[{a: "{{ price }}", b: "{{ on }}", c: "{{ off }}", d: " {{ many }} "}]', "f.yaml").documents[
        0
    ]
    (data,) = render(document, values)[0].data
    assert data == {"a": 12.5, "b": True, "c": None, "d": 2000}
    assert str(data["a"]) == "12.50"
    assert str(data["d"]) == "2e3"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{{ values.prise }}", 'k: values.prise is not defined; did you mean "values.price"?'),
        ("{{ values.deep.x.z }}", "values.deep.x.z is not defined; expected one of y"),
        ("{{ valeus.price }}", 'valeus is not defined; did you mean "values"?'),
        ("{{ values.s.__class__ }}", "not defined"),
        ("{% for i in [1] %}{{ i }}{% endfor %}", "a template statement {% … %} is not allowed"),
        ("{% set x = 1 %}{{ x }}", "a template statement {% … %} is not allowed"),
        ("{{ values.s.upper() }}", "cannot call functions"),
        ("{{ values.s | uper }}", "uper"),
        ("{{ values.s | center(100000000) }}", "center"),
        ("{{ 'a' * 1000000000 }}", "only works on numbers"),
        ("{{ '%1000000000d' % 1 }}", "only works on numbers"),
        ("{{ 9 ** 9 ** 9 ** 9 }}", "too large"),
        ("{{ (9 ** 300) * (9 ** 300) }}", "the computed number is too large"),
        ("{{ 1e308 * 10 }}", "the computed number is too large"),
        ("{{ 1e999 }}", "the computed number is too large"),
        ("{{ values.x is nosuch }}", 'the test "nosuch" is not allowed'),
        ("{{ values.s is callable }}", "is not allowed"),
        ("{{ values.s | d(*[1]) }}", "not allowed"),
        ("{{ values.none is even }}", "values.none is not defined"),
        ("{{ values.items[7] }}", "values.items[7] is not defined"),
        ("{{ values.n.x.y }}", "values.n.x is not defined"),
        ("{{ [] | first }}", "an empty list"),
        ("{{ [] | max }}", "an empty list"),
        ("{{ 1 / 0 }}", "k: the template cannot be computed: it divides by zero"),
        ("{{ 10.0 ** 999 }}", "k: the template cannot be computed: the computed number is too large"),
        *[
            (text, "k: the template cannot be computed: an operator or a filter does not fit its values; ")
            for text in (
                "{{ values.price + values.s }}",
                "{{ none + 1 }}",
                "{{ values.s | round }}",
                "{{ values.s | abs }}",
                "{{ values.s < 3 }}",
                "{{ [1, 'a'] | max }}",
                "{{ 5 | length }}",
                "{{ (-8) ** 0.5 }}",
                "{{ {1: 2} }}",
                "{{ values.items - 1 }}",
                "{{ values.s | default(1, 2, 3, 4) }}",
            )
        ],
        ("{{ values.price", "k: the template cannot be read: unexpected end of template, expected }}"),
        ("{{ }}", "k: the template cannot be read: Expected an expression, got }}"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "k: "),
        ("{{ 'x' }}" + "y" * 20_000, "longer than"),
    ],
)
def test_refused(text, sentence):
    result, problems = rendered(text)
    assert result == text
    assert len(problems) == 1
    assert problems[0].startswith("f.yaml:1:4: k: ")
    assert sentence in problems[0]


@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", "{#", "#}", " ", "values", ".", "n", "s", "[", "]", "(", ")",
             "'", '"', "|", "~", "*",
             "**", "%", "/", "-", "1", "upper", "if", "else", "is", "not", ",", ":", "{", "}", "==",
             "raw", "endraw", "\n"]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
@settings(max_examples=share_of(400), deadline=None)
def test_any_template_gives_a_value_or_a_problem(text):
    rendered("{{" + text)


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "''['upper']",
            "''.upper",
            "[''['upper']]",
            "{'a': ''['upper']}",
            "'x' ~ ''['upper']",
            "''['upper'] | string",
        ),
        *("values['keys']", "values.items['append']", "values.deep.x.y['real']", "1.0['hex']", "''['upper'] | upper"),
        *(
            "[''['upper']] | first",
            "''['upper'] == 1",
            "1 if ''['upper'] else 2",
            "''['upper'] or 1",
            "{}['__class__']",
        ),
        *("values.s['format']", "[1, 2]['copy'] ~ ''", "values | max(attribute='upper')", "self", "loop", "range"),
    ],
)
@pytest.mark.parametrize("around", ["{{ %s }}", "at {{ %s }}"])
def test_no_attribute_of_an_object_is_ever_a_value(expression, around):
    text = around % expression
    result, problems = rendered(text)
    assert result == text
    assert len(problems) == 1
    assert problems[0].startswith("f.yaml:1:4: k: ")
    assert "0x" not in problems[0]


LONG = {"a": "a" * 60_000, "big": "y" * 5_000_000, "ones": [1] * 90_000, "deep": [[[[[[1]]]]]]}
LONG["aliased"] = [LONG["big"]] * 150


@pytest.mark.parametrize(
    "text",
    [
        "{{ " + " ~ ".join(["values.a"] * 1_300) + " }}",
        "{{ " + " + ".join(["values.a"] * 100) + " }}",
        "{{ values.a }}" * 1_100,
        "{{ [" + ", ".join(["values.a"] * 500) + "] | string }}",
        *(
            "{{ values.aliased | string }}",
            "x{{ values.aliased }}",
            "{{ values.aliased | upper }}",
            "{{ values.aliased }}",
        ),
        *("{{ values.big | upper }}", "{{ values.big | title }}", "{{ values.big ~ 1 }}", "{{ values.big }}"),
        "{{ values.big[::2] }}",
        "{{ values.a | upper ~ 'ß' * 3 }}",
        "{{ values.ones + values.ones }}",
        "{{ [" + ", ".join(["values.ones"] * 500) + "] }}",
        "{{ " + "[" * 70 + "1" + "]" * 70 + " }}",
        "{{ " + " == ".join(["values.ones"] * 500) + " }}",
        "{{ [" + ", ".join(["values.ones | max"] * 300) + "] }}",
        "{{ [" + ", ".join(["1 in values.ones"] * 300) + "] }}",
        "{{ [" + ", ".join(["values.ones is eq values.ones"] * 400) + "] }}",
        *(f"{{{{ '%500000000{sign}' is {test} }}}}" for sign, test in (("d", "even"), ("d", "odd"), ("s", "even"))),
        "{{ '%500000000d' is divisibleby 3 }}",
    ],
)
def test_each_operation_is_bounded_before_it_makes_a_value(text):
    source = load_text("k: 1", "f.yaml").documents[0]
    source.data["k"] = text
    result, problems = render(source, {"values": LONG})
    assert result.data["k"] == text
    assert len(problems) == 1


def test_all_templates_of_a_run_share_one_budget():
    text = "\n".join(f'k{number}: "x{{{{ values.a }}}}"' for number in range(500))
    budget = Budget()
    names = {"values": LONG}
    first, problems = render(load_text(text, "f.yaml").documents[0], names, budget)
    assert (first.data["k499"], problems) == ("x" + LONG["a"], [])
    _, problems = render(load_text(text, "f.yaml").documents[0], names, budget)
    assert [problem.code for problem in problems] == ["template"]
    assert "together" in problems[0].summary
    assert render(load_text(text, "f.yaml").documents[0], names, budget)[1] == []


def test_a_template_that_occurs_many_times_is_parsed_once(monkeypatch):
    parsed = []
    monkeypatch.setattr(SandboxedEnvironment, "parse", lambda *given: parsed.append(given[1]) or parse(*given))
    text = "\n".join(f'k{number}: "once {{{{ values.n }}}}"' for number in range(50))
    document, problems = render(load_text(text, "f.yaml").documents[0], VALUES)
    assert (set(document.data.values()), problems, len(parsed)) == ({"once 3"}, [], 1)
