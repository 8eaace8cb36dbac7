"""URLs of connections and of the state: which are refused, and that no refusal repeats a password."""

from pathlib import Path

import pytest

from reconciler.manifests.endpoints import absolute_state, base_url_fault, overlaid_fault, state_fault


def test_plain_http_is_accepted_for_this_machine_or_where_the_project_allows_it():
    assert base_url_fault("http://127.0.0.1:8700", allow_http=False) is None
    assert base_url_fault("https://uk.bookingbug.com", allow_http=False) is None
    assert "allow_http" in base_url_fault("http://10.0.0.1", allow_http=False)
    assert base_url_fault("http://10.0.0.1", allow_http=True) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "uk.bookingbug.com",
        "ftp://h",
        "https://",
        "https://h:99999",
        "https://h/ x",
        "https://h?",
        "https://h#",
        "https://h/?a=1",
    ],
)
def test_a_base_url_that_cannot_be_one_is_refused(url):
    assert base_url_fault(url, allow_http=True)


@pytest.mark.parametrize("url", ["https://bob:hunter2@h", "https://hunter2@h", "https://h?password=hunter2"])
def test_a_base_url_with_credentials_is_refused_in_each_environment_and_not_repeated(url):
    for fault in (base_url_fault(url, allow_http=True), overlaid_fault("base_url", url)):
        assert fault
        assert "hunter2" not in fault


def test_an_environment_that_was_not_chosen_is_only_asked_about_credentials():
    assert overlaid_fault("base_url", "nonsense") is None
    assert overlaid_fault("state", "nonsense") is None
    assert overlaid_fault("state", "postgresql://bob:hunter2@h/db")


@pytest.mark.parametrize(
    "url", ["sqlite:///x.db", "postgresql://bob@h/db", "postgresql://h/db?passfile=/x/.pgpass", "git+git@h:x.git#b"]
)
def test_places_for_the_state(url):
    assert state_fault(url) is None


@pytest.mark.parametrize(
    "url", ["sqlite:///", "sqlite:///:memory:", "mysql://h/db", "x.db", "postgresql://h:99999/db", "git+x"]
)
def test_what_is_no_place_for_the_state_is_refused(url):
    assert state_fault(url)


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("postgresql://bob@h:abc/db", False),
        ("postgresql://bob@h:99999/db", False),
        ("postgresql://bob@h/a b", False),
        ("postgresql://bob:hunter2@h:abc/db", True),
        ("postgresql://bob:hunter2@h@x:abc/db", True),
        ("postgresql://bob%3Ahunter2@h:abc/db", True),
        ("postgresql://bob@h:abc/db?password=hunter2", True),
    ],
)
def test_a_url_with_another_mistake_is_said_to_hold_a_password_only_where_it_does(url, holds):
    fault = state_fault(url)
    assert ("contains a password" in fault) is holds
    assert "hunter2" not in fault


def test_the_other_name_of_postgresql_is_named():
    assert "expected postgresql://" in state_fault("postgres://bob@h/db")


def test_a_relative_state_begins_at_the_project_s_folder():
    assert (
        absolute_state("sqlite:///.reconciler/state.db", Path("/srv/acme"))
        == "sqlite:////srv/acme/.reconciler/state.db"
    )
    assert absolute_state("sqlite:////var/s.db?mode=ro", Path("/srv/acme")) == "sqlite:////var/s.db?mode=ro"
    assert absolute_state("postgresql://h/db", Path("/srv/acme")) == "postgresql://h/db"


@pytest.mark.parametrize("url", ["git+https://ghp_hunter2@h/x", "git+ssh://u:hunter2@h/x", "git+https://h/x?t=hunter2"])
def test_a_credential_in_the_state_of_another_environment_is_found_and_not_repeated(url):
    assert "hunter2" not in overlaid_fault("state", url)
    assert overlaid_fault("state", "git+git@h:x.git#b") is overlaid_fault("state", "git+other") is None
