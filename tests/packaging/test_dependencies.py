"""The dependencies: their bounds, and the files of .github that pin them, compared without a network."""

import re
import tomllib
from functools import cache
from importlib import metadata
from itertools import product
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from reconciler.version import DISTRIBUTION

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SELF = PROJECT["project"]["name"]
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
NEVER_BOUNDED = {"certifi", "packaging", "tzdata"}
"""Numbered by date, and used for what they know of today, or through what has not changed for years."""

WEAK = {
    "anyio": ("4.14.1", "CVE-2026-63374, CVE-2026-64847"),
    "certifi": ("2024.6.2", "CVE-2024-39689"),
    "click": ("8.3.2", "CVE-2026-7246"),
    "deepdiff": ("8.6.1", "CVE-2025-58367, CVE-2026-33155"),
    "h11": ("0.15.0", "CVE-2025-43859"),
    "httpcore": ("1.0.8", "it accepts the h11 above"),
    "idna": ("3.14", "CVE-2024-3651, CVE-2026-45409"),
    "jinja2": ("3.1.5", "CVE-2024-56326, CVE-2025-27516"),
    "lxml": ("6.0.4", "CVE-2026-41066"),
    "psycopg": ("3.3.4", "carries libpq 18.0: CVE-2025-12818, CVE-2026-6477"),
    "pygments": ("2.19.2", "CVE-2026-4539"),
    "pytest": ("9.0.2", "CVE-2025-71176"),
    "pyyaml": ("6.0.2", "CVE-2026-31132"),
    "starlette": ("1.3.0", "CVE-2025-62727, CVE-2026-48710, CVE-2026-48818, CVE-2026-54282, CVE-2026-54283"),
}
"""The newest version with a weakness that is known, by package."""

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PLACES = [
    {**default_environment(), "python_version": python, "python_full_version": f"{python}.0", **system}
    for python, system in product(
        PYTHONS,
        (
            {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
            {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
            {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
        ),
    )
]


def _parsed(lines: list[str]) -> list[Requirement]:
    return [found for found in map(Requirement, lines) if canonicalize_name(found.name) != SELF]


def _group(name: str) -> list[Requirement]:
    return [
        found
        for each in GROUPS[name]
        for found in (_group(each["include-group"]) if isinstance(each, dict) else [Requirement(each)])
    ]


RUNTIME = _parsed(PROJECT["project"]["dependencies"])
BUILD = _parsed(PROJECT["build-system"]["requires"])
DIRECT = [*RUNTIME, *BUILD, *_group("release"), *(each for lines in EXTRAS.values() for each in _parsed(lines))]
WANTED = {
    "requirements.txt": [*RUNTIME, *_parsed(EXTRAS["postgres"])],
    "requirements-sandbox.txt": [*RUNTIME, *_parsed(EXTRAS["postgres"]), *_parsed(EXTRAS["sandbox"])],
    "requirements-build.txt": BUILD,
    "requirements-release.txt": _group("release"),
}


def test_the_same_versions_of_python_are_stated_tested_and_pinned_for():
    prefix = "Programming Language :: Python :: 3."
    stated = [each.removeprefix(prefix) for each in PROJECT["project"]["classifiers"] if each.startswith(prefix)]
    assert [f"3.{each}" for each in stated] == PYTHONS
    assert PROJECT["project"]["requires-python"] == f">={PYTHONS[0]}"
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    assert [jobs[name]["strategy"]["matrix"]["python"] for name in ("test", "pinned")] == [PYTHONS, PYTHONS]
    assert f"for python in {' '.join(PYTHONS)};" in (ROOT / ".github/lock").read_text(encoding="utf-8")


def _bounds(wanted: Requirement) -> dict[str, Version]:
    return {each.operator: Version(each.version) for each in wanted.specifier}


@pytest.mark.parametrize("wanted", DIRECT, ids=str)
def test_every_dependency_has_a_lower_and_an_upper_bound(wanted):
    bounds = _bounds(wanted)
    assert ">=" in bounds
    assert ("<" in bounds) != (wanted.name in NEVER_BOUNDED)


@pytest.mark.parametrize("wanted", [each for each in DIRECT if _bounds(each)[">="].major == 0], ids=str)
def test_a_0_x_version_is_bounded_by_a_minor_version(wanted):
    assert (upper := _bounds(wanted)["<"]).major == 0, f"{wanted}: <{upper} allows minor versions nobody has tried"


@pytest.mark.parametrize("name", WEAK)
def test_no_version_with_a_known_weakness_is_allowed(name):
    version, why = WEAK[name]
    found = [each for each in DIRECT if canonicalize_name(each.name) == name]
    assert found
    assert [str(each) for each in found if each.specifier.contains(version)] == [], why


Pins = dict[str, tuple[Requirement, list[str]]]


def _pinned(name: str) -> Pins:
    """Return each package of a file with what pins it and its hashes; anything else in the file is an error."""
    text = (ROOT / ".github" / name).read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        words, *hashes = re.split(r"\s+--hash=", line.strip())
        pin = Requirement(words)
        assert re.fullmatch(r"==[\w.]+", str(pin.specifier)), f"{name} does not pin {line}"
        assert pin.url is None
        assert canonicalize_name(pin.name) not in found
        found[canonicalize_name(pin.name)] = (pin, hashes)
    return found


@pytest.mark.parametrize("name", WANTED)
def test_every_pinned_package_is_hashed_and_no_index_is_named(name):
    pinned = _pinned(name)
    assert pinned
    wrong = {
        package
        for package, (_, hashes) in pinned.items()
        if not hashes or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes)
    }
    assert wrong == set()
    assert "://" not in (ROOT / ".github" / name).read_text(encoding="utf-8")


@cache
def _needs(package: str) -> list[Requirement]:
    return [Requirement(each) for each in metadata.requires(package) or ()]


def _reached(wanted: list[Requirement], pinned: Pins, place: dict[str, str]) -> dict[str, list[Requirement]]:
    """Return every package that `wanted` leads to in an environment, with all that is asked of its version."""
    reached: dict[str, list[Requirement]] = {}
    waiting = [(each, "") for each in wanted]
    seen = set()
    while waiting:
        each, extra = waiting.pop()
        if (str(each), extra) in seen or not (each.marker is None or each.marker.evaluate({**place, "extra": extra})):
            continue
        seen.add((str(each), extra))
        reached.setdefault(canonicalize_name(each.name), []).append(each)
        if _is_installed(canonicalize_name(each.name), pinned):
            needs = _needs(canonicalize_name(each.name))
            waiting += [(need, under) for need in needs for under in ("", *each.extras)]
    return reached


def _is_installed(package: str, pinned: Pins) -> bool:
    """Whether the version that is pinned is here, so that what it needs can be read."""
    try:
        return package in pinned and pinned[package][0].specifier.contains(metadata.version(package))
    except metadata.PackageNotFoundError:  # a tool of the release, or what only another platform needs
        return False


@pytest.mark.parametrize("name", WANTED)
def test_the_pins_satisfy_what_the_project_and_its_dependencies_ask_for(name):
    pinned = _pinned(name)
    for place in PLACES:
        for package, asked in _reached(WANTED[name], pinned, place).items():
            pin, _ = pinned[package]
            assert pin.marker is None or pin.marker.evaluate(place), f"{pin} is left out where it is needed"
            version = next(iter(pin.specifier)).version
            refused = [str(each) for each in asked if not each.specifier.contains(version)]
            assert refused == [], f"{name} pins {pin}; run make lock"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-sandbox.txt", "requirements-build.txt"])
def test_nothing_is_pinned_that_nobody_asks_for(name):
    pinned = _pinned(name)
    needed = {package for place in PLACES for package in _reached(WANTED[name], pinned, place)}
    if others := {package for package in needed if not _is_installed(package, pinned)}:
        pytest.skip(f"what is installed is not what is pinned: {', '.join(sorted(others))}")
    assert set(pinned) - needed == set()


def test_the_build_uses_the_same_versions_of_what_it_shares_with_the_package():
    runtime, build = _pinned("requirements.txt"), _pinned("requirements-build.txt")
    assert {each for each in set(runtime) & set(build) if runtime[each] != build[each]} == set()


def test_the_distribution_has_one_name():
    assert SELF == DISTRIBUTION
    assert not re.search(r"(?<![\w-])reconciler\[", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_build_group_is_what_the_build_requires():
    assert sorted(map(str, _group("build"))) == sorted(map(str, BUILD))


def test_the_lowest_set_is_made_of_the_lower_bounds():
    lowest = {name: next(iter(pin.specifier)).version for name, (pin, _) in _pinned("requirements-lowest.txt").items()}
    wanted = [*RUNTIME, *(each for extra in ("sandbox", "postgres") for each in _parsed(EXTRAS[extra]))]
    assert {name: Version(version) for name, version in lowest.items()} == {
        canonicalize_name(each.name): _bounds(each)[">="] for each in wanted
    }, "run make lock"
