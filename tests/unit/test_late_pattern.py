import re

import pytest

from reconciler.late_pattern import late_pattern


def test_a_pattern_is_compiled_once_and_when_it_is_first_used(monkeypatch):
    compiled, real = [], re.compile
    monkeypatch.setattr(re, "compile", lambda *given: compiled.append(given) or real(*given))
    pattern = late_pattern("(?P<day>MON|TUE)", re.IGNORECASE)
    assert compiled == []
    assert [pattern.search("on mon")["day"], pattern.search("tue")["day"], pattern.sub("x", "Mon")] == [
        "mon",
        "tue",
        "x",
    ]
    assert compiled == [("(?P<day>MON|TUE)", re.IGNORECASE)]
    assert pattern.pattern == "(?P<day>MON|TUE)"


def test_bytes_are_searched_by_a_pattern_of_bytes():
    assert late_pattern(rb"\d+").findall(b"1 22") == [b"1", b"22"]


def test_a_name_that_no_pattern_has_is_refused():
    with pytest.raises(AttributeError):
        late_pattern("a").searched  # noqa: B018 - the error
