"""Templates: expressions only, typed where whole, bounded, and undefined names told well."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import share_of
from reconciler.manifests.load import load_text
from reconciler.manifests.template import render

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
        ("no template", "no template"),
    ],
)
def test_values(text, value):
    result, problems = rendered(text)
    assert not problems
    assert (result, type(result)) == (value, type(value))


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
        ("{{ 1 / 0 }}", "cannot be computed"),
        ("{{ values.price", "cannot be read"),
        ("{{ }}", "cannot be read"),
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
