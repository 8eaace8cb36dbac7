"""Time zones are those of the installed package, not of the machine."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from importlib import resources

import pytest

from reconciler import zones
from reconciler.kinds import block
from reconciler.manifests.explain import schema_problems
from reconciler.render.values import words
from reconciler.sandbox import Options, clock
from reconciler.schema import FORMATS


class Nowhere:
    def locate(self, *_, **__):
        return None


@pytest.fixture
def other_machine(tmp_path):
    """A machine whose zone files are wrong: London is where Tokyo is."""
    for name in ("Europe/London", "Mars/Base"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        content = resources.files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
        (tmp_path / name).write_bytes(content)
    zoneinfo.reset_tzpath([tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    zones.zone.cache_clear()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()
    zones.zone.cache_clear()


@pytest.mark.usefixtures("other_machine")
def test_the_files_of_the_machine_are_not_used():
    summer = datetime(2027, 7, 1, tzinfo=UTC)
    assert summer.astimezone(zoneinfo.ZoneInfo("Europe/London")).hour == 9
    assert summer.astimezone(zones.zone("Europe/London")).hour == 1
    spec = {"resource_id": 1, "start": "2027-07-01T09:00", "end": "2027-07-01T10:00", "timezone": "Europe/London"}
    assert block.canonical(spec)["start"] == "2027-07-01T08:00:00Z"
    assert words("2027-07-01T08:00:00Z", zone="Europe/London") == "Thu 1 Jul 2027, 09:00 Europe/London"
    assert clock.shown("2027-07-01T08:00:00Z", Options(company_zone="Europe/London")).endswith("T09:00:00+01:00")
    assert not FORMATS["iana-timezone"]("Mars/Base")


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/GMT+5", "EST", "America/Argentina/Ushuaia", "GB"])
def test_a_zone_has_its_name(name):
    assert zones.zone(name).key == name


ODD = [
    "localtime",
    "posixrules",
    "Factory",
    "right/Asia/Tokyo",
    "posix/UTC",
    "",
    ".",
    "..",
    "/etc/localtime",
    "zone.tab",
]


@pytest.mark.parametrize("name", [*ODD, "__init__.py", "europe/berlin", "Europe", "CEST", "Europe/Berlin\0", "A\n/B"])
def test_what_is_no_zone_is_refused(name):
    with pytest.raises(ValueError, match="is not a time zone"):
        zones.zone(name)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("BST", '; did you mean "Europe/London"?'),
        ("CEST", '; did you mean "Europe/Paris"?'),
        ("EEST", '; did you mean "Europe/Athens"?'),
        ("pdt", '; did you mean "America/Los_Angeles"?'),
        ("NZST", '; did you mean "Pacific/Auckland"?'),
        ("IST", "; IST is used in Europe/Dublin, Asia/Kolkata"),
        ("AEST", "; AEST is used in Australia/Brisbane, Australia/Sydney"),
        ("right/Asia/Tokyo", '; did you mean "Asia/Tokyo"?'),
        ("posix/Europe/Rome", '; did you mean "Europe/Rome"?'),
        ("Europe/Belrin", '; did you mean "Europe/Berlin"?'),
        ("new york", '; did you mean "America/New_York"?'),
        ("UK", '; did you mean "Europe/London"?'),
        *((odd, "") for odd in ("localtime", "Factory", "GMT+1", "UTC-3", "XST", "MESZ", "ART", "+02:00", "US")),
    ],
)
def test_the_zone_that_was_meant_is_named(name, near):
    spec = {"resource_id": 1, "start": "2027-07-01T09:00", "end": "2027-07-01T10:00", "timezone": name}
    (problem,) = schema_problems("block", spec, Nowhere())
    assert problem.summary == f'timezone is "{name}"; expected an IANA time zone such as Europe/London{near}'
