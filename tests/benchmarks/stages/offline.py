"""Loading, resolving, validating: everything that `validate` does with files of size n."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import reconciler

_ROOT = Path(tempfile.mkdtemp(prefix="exponents-"))
atexit.register(shutil.rmtree, _ROOT, ignore_errors=True)
_PROJECT = """\
apiVersion: reconciler/v1
kind: Project
metadata: {{name: p}}
spec:
  manifests: {manifests}
  {more}
  connections:
    admin:
      provider: bookingbug-admin
      base_url: https://a.example
      company_id: 1
      auth: {{app_id: {{env: A}}, app_key: {{env: B}}, auth_token: {{env: C}}}}
    sessions:
      provider: bookingbug-sessions
      base_url: https://a.example
      auth: {{username: {{env: A}}, password: {{env: B}}}}
"""


def _manifest(kind: str, name: str, spec: str, metadata: str = "") -> str:
    return f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec: {{{spec}}}\n---\n"


def _resource(number: int, metadata: str = "", name: str = "room") -> str:
    return _manifest("Resource", f"{name}-{number}", f"name: {name} {number}", metadata)


def _block(number: int, resource: str) -> str:
    return _manifest(
        "Block",
        f"b-{number}",
        f"resource: {resource}, start: '2027-01-01T10:00', end: '2027-01-01T{11 + number % 10}:00', "
        "timezone: Europe/London",
    )


def _session(number: int, spec: str) -> str:
    return _manifest("Session", f"s-{number}", f"name: 's {number}', group: g, type: event, {spec}")


def _item(number: int) -> str:
    return f"{{key: k{number // 2}, item_id: 1, start_date: 2027-03-01, end_date: 2027-03-02, quantity: 1}}"


def _checked(
    files: Mapping[str, str], manifests: str = "[m.yaml]", more: str = "currency: GBP"
) -> Callable[[], object]:
    """Write a project, and return the call that reads and checks it."""
    folder = Path(tempfile.mkdtemp(dir=_ROOT))
    for name, text in {"reconciler.yaml": _PROJECT.format(manifests=manifests, more=more), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def run() -> object:
        try:
            return reconciler.check(reconciler.open_project(folder / "reconciler.yaml"))
        except reconciler.InvalidInput as error:
            return error

    return run


def _one_file(text: Callable[[int], str]) -> Callable[[int], Callable[[], object]]:
    return lambda n: _checked({"m.yaml": text(n)})


def _many(text: Callable[[int], str]) -> Callable[[int], Callable[[], object]]:
    return _one_file(lambda n: "".join(text(number) for number in range(n)))


def _templates(expression: str) -> Callable[[int], Callable[[], object]]:
    """Return a stage: n values, and a manifest with n templates."""

    def stage(n: int) -> Callable[[], object]:
        values = "".join(f"value_{number}: {number}\n" for number in range(n))
        lines = "".join(f'  k{number}: "{expression.replace("N", str(number))}"\n' for number in range(n))
        manifest = f"apiVersion: reconciler/v1\nkind: Session\nmetadata: {{name: x}}\nspec:\n{lines}"
        return _checked({"m.yaml": manifest, "v.yaml": values}, more="values: [v.yaml]")

    return stage


def _values_files(n: int) -> Callable[[], object]:
    files = {f"v/{number}.yaml": f"key_{number}: {number}\n" for number in range(n)}
    return _checked({"m.yaml": "", **files}, more=f"values: [{', '.join(files)}]")


def _globs(n: int) -> Callable[[], object]:
    files = {f"m/{number % 20}/a/{number}.yaml": _resource(number) for number in range(n)}
    return _checked(files, manifests="['m/**/*/**/*.yaml', 'm/**/**/*.yaml']")


def _paths(n: int) -> Callable[[], object]:
    files = {f"m/{number}.yaml": _resource(number) for number in range(n)}
    return _checked(files, manifests=f"[{', '.join(files)}]")


def _links(n: int) -> Callable[[], object]:
    files = {f"m/{number}.yaml": _resource(number) for number in range(n)}
    return _checked(files, manifests=f"[{', '.join(['m'] * (n // 50))}]")


def _keys(line: str) -> Callable[[int], Callable[[], object]]:
    head = "apiVersion: reconciler/v1\nkind: Session\nmetadata: {name: x}\nspec:\n"
    return _one_file(lambda n: head + "".join(line.replace("N", str(number)) for number in range(n)))


def _environments(n: int) -> Callable[[], object]:
    over = ", ".join(f"e{number}: {{connections: {{admin: {{base_url: 'https://b.example'}}}}}}" for number in range(n))
    return _checked({"m.yaml": _resource(1)}, more=f"environments: {{{over}}}")


STAGES = {
    "sound objects": _many(_resource),
    "unknown references": _one_file(
        lambda n: "".join(_resource(number) + _block(number, f"rooom-{number}") for number in range(n))
    ),
    "unknown connections": _many(lambda number: _resource(number, f", connection: admim-{number}")),
    "unknown kinds": _many(lambda number: _manifest(f"Sesion{number}", f"s-{number}", "name: x")),
    "unknown kinds beside a word for credentials": _many(
        lambda number: _manifest(f"Sesion{number}", f"s-{number}", "name: auth")
    ),
    "two objects with one address": _many(lambda number: _resource(number // 2)),
    "chain of moves": _many(lambda number: _resource(number, f", moved_from: room-{number + 1}")),
    "many former names of one object": _one_file(
        lambda n: _resource(0, f", moved_from: [{', '.join(f'old-{number}' for number in range(n))}]")
    ),
    "one former name of many objects": _many(lambda number: _resource(number, ", moved_from: old")),
    "repeated former names": _one_file(
        lambda n: _resource(0, f", moved_from: [{', '.join(f'old-{number // 2}' for number in range(n))}]")
    ),
    "repeated removals": _one_file(
        lambda n: (
            "apiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: r}\nspec:\n  forget:\n"
            + "".join(f"    - Resource/r-{number // 2}\n" for number in range(n))
        )
    ),
    "removals": _one_file(
        lambda n: (
            "apiVersion: reconciler/v1\nkind: Removed\nmetadata: {name: r}\nspec:\n  forget:\n"
            + "".join(f"    - Resource/r-{number}\n" for number in range(n))
        )
    ),
    "%TAG lines": _one_file(
        lambda n: "".join(f"%TAG !a{number}! tag:x,2000:\n" for number in range(10 * n)) + "---\n" + _resource(1)
    ),
    "empty documents before a broken one": _one_file(lambda n: "---\n" * (5 * n) + "a: [\n"),
    "blank lines in a broken file": _one_file(lambda n: "---\na: [\n" + "\n" * (20 * n) + "---\n"),
    "brackets on a broken line": _one_file(lambda n: "a: " + "x: [ " * (20 * n) + ": :\n"),
    "broken documents": _many(lambda _: "---\na: [\n"),
    "repeated keys": _keys("  name: N\n"),
    "repeated different keys": _one_file(
        lambda n: (
            "apiVersion: reconciler/v1\nkind: Session\nmetadata: {name: x}\nspec:\n"
            + "".join(f"  k{number}: 1\n" for number in range(n)) * 2
        )
    ),
    "unknown keys": _keys("  kN: 1\n"),
    "keys with forbidden characters": _keys('  "kN\\u0001": 1\n'),
    "labels": _one_file(
        lambda n: _resource(1, f", labels: {{{', '.join(f'k{number}: v{number}' for number in range(n))}}}")
    ),
    "wrong labels": _one_file(
        lambda n: _resource(1, f", labels: {{{', '.join(f'_k{number}: 1' for number in range(n))}}}")
    ),
    "annotations": _one_file(
        lambda n: _resource(1, f", annotations: {{{', '.join(f'adopt_id{number}: v' for number in range(n))}}}")
    ),
    "unused anchors": _keys("  kN: &aN 1\n"),
    "merged mappings": _one_file(
        lambda n: "a0: &a0 {k0: 1}\n" + "".join(f"a{i}: {{<<: *a{i - 1}}}\n" for i in range(1, n))
    ),
    "templates": _templates("{{ values.value_N }}" + "." * 520),  # too long to be kept
    "equal templates": _templates("{{ values.value_0 + 1 }}"),
    "undefined template names": _templates("{{ values.valeu_N }}"),
    "unknown filters": _templates("{{ values.value_N | uppper }}"),
    "values files": _values_files,
    "globs": _globs,
    "paths": _paths,
    "one path many times": _links,
    "environments": _environments,
    "blocks of one resource": _one_file(
        lambda n: _resource(0) + "".join(_block(number, "room-0") for number in range(n))
    ),
    "slots": _one_file(
        lambda n: _session(
            1,
            f"repeat: custom, slots: [{', '.join('{date: 2027-03-01, time: 11:00, duration: 60}' for _ in range(n))}]",
        )
    ),
    "wrong slots": _one_file(
        lambda n: _session(1, f"repeat: custom, slots: [{', '.join('{date: x, time: y}' for _ in range(n))}]")
    ),
    "sessions with one natural key": _many(
        lambda number: _manifest(
            "Session", f"s-{number}", "name: yoga, group: g, type: event, start_date: 2027-03-01, time: 11:00"
        )
    ),
    "resources with one reference": _many(
        lambda number: _manifest("Resource", f"r-{number}", f"name: r {number}, api_ref: one")
    ),
    "items of a booking": _one_file(
        lambda n: _manifest("BookingSession", "h", f"items: [{', '.join(_item(number) for number in range(n))}]")
    ),
}
