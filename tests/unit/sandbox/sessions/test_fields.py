import pytest

from reconciler.sandbox.sessions.fields import READERS, SLOT_READERS


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("name", "x" * 50, "x" * 50),
        ("type", "2", 2),
        ("start_date", " 2031-01-01 ", "2031-01-01"),
        ("time", "9:30", "09:30"),
        ("time", "23:59", "23:59"),
        ("price", "35", "35.00"),
        ("price", "35.005", "35.00"),
        ("price", "999999.99", "999999.99"),
        ("disabled", "TRUE", True),
        ("disabled", "0", False),
        ("repeat", "8", 8),
        ("ticket_type", "3", 3),
        ("spaces", "+12", 12),
    ],
)
def test_values(field, text, value):
    assert READERS[field](text) == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("name", "x" * 51),
        ("type", "3"),
        ("type", "event"),
        ("group", "  "),
        ("start_date", "2031-02-30"),
        ("start_date", "2031-1-1T00:00"),
        ("time", "24:00"),
        ("time", "9.30"),
        ("time", "9:5"),
        ("price", "1000000"),
        ("price", "Infinity"),
        ("price", "cheap"),
        ("disabled", "yes"),
        ("repeat", "9"),
        ("ticket_type", "4"),
        ("spaces", "-1"),
        ("spaces", "1.5"),
        ("spaces", "1_0"),
    ],
)
def test_refusals(field, text):
    with pytest.raises(ValueError):
        READERS[field](text)


def test_the_tables_are_complete():
    assert len(READERS) == 17
    assert set(SLOT_READERS) == {"date", "time", "duration"}
