"""Manifests, project files and plans that would fill the memory or never end: the real command, confined."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from functools import partial

import pytest
from combinations import quick_where

from reconciler.manifests.load import MAX_BYTES

HEAD = "apiVersion: reconciler/v1\nkind: Session\nmetadata: {name: x}\nspec:\n"

LARGE = {
    "documents": "---\na: 1\n" * 50_000,
    "empty documents": "---\n" * 200_000,
    "broken documents": "---\n[\n" * 40_000,
    "slots": HEAD + "  slots:\n" + "    - {date: 2027-03-01, time: 11:00}\n" * 30_000,
    "keys": HEAD + "".join(f"  k{number}: 1\n" for number in range(20_000)),
    "templates": HEAD + "".join(f'  k{number}: "{{{{ values.x }}}}"\n' for number in range(8_000)),
    "scalar": HEAD + "  name: " + "x" * (MAX_BYTES - 1_000) + "\n",
    "file": "a: 1\n" * (MAX_BYTES // 4),
    "anchors": "".join(f"a{number}: &a{number} 1\n" for number in range(20_000)),
    "brackets": "[" * 1_000_000,
    "digits": '{"a": ' + "9" * 1_000_000 + "}",
}

SECONDS, BYTES = 90, 2 << 30


def confined(memory=BYTES):
    """Allow a child so much memory and computing; no test waits longer for a slow machine than it must."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def confined_run(folder, *arguments, stdin=subprocess.DEVNULL, memory=BYTES):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=170,
        preexec_fn=partial(confined, memory),
        stdin=stdin,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert "internal error" not in done.stderr
    assert done.returncode == 1, (done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done.stdout + done.stderr


LONG = {"slots", "templates", "brackets"}
"""What takes 5 to 12 seconds of computing."""


@pytest.mark.parametrize("what", quick_where(lambda what: what not in LONG, LARGE))
def test_what_is_too_large_ends_in_time_and_memory(tmp_path, what):
    (tmp_path / "m.yaml").write_text(LARGE[what], encoding="utf-8")
    assert "m.yaml:" in confined_run(tmp_path, "validate", "m.yaml")


BOMBS = (
    "{{ " + " ~ ".join(["values.a"] * 1_300) + " }}",
    *("x{{ values.aliased }}", "{{ values.aliased | string }}", "{{ values.aliased | upper }}", "{{ values.aliased }}"),
    *("{{ '%500000000d' is even }}", "{{ '%500000000d' is divisibleby 3 }}"),
)


def test_no_operation_of_a_template_fills_the_memory(tmp_path):
    lines = "".join(f"  k{number}: {json.dumps(bomb)}\n" for number, bomb in enumerate(BOMBS))
    (tmp_path / "v.yaml").write_text(
        f"a: {'a' * 60_000}\nbig: &big {'y' * 4_000_000}\naliased: [{', '.join(['*big'] * 2)}]\n"
    )
    (tmp_path / "m.yaml").write_text(HEAD + lines)
    (tmp_path / "reconciler.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: p}\nspec:\n"
        "  manifests: [m.yaml]\n  values: [v.yaml]\n  connections: {}\n"
    )
    out = confined_run(tmp_path, "validate", memory=700 << 20)
    assert out.count("the template cannot be computed") == 2
    assert out.count("text is longer than") == len(BOMBS) - 2


KINDS = ("pipe", "device", "folder", "missing link", "circular link")
PLACES = ("manifest", "glob", "values", "project", "plan", "secret")


@pytest.mark.parametrize(
    ("kind", "place"), quick_where(lambda kind, place: kind == "pipe" or place == "manifest", KINDS, PLACES)
)
def test_what_is_no_regular_file_is_refused_and_never_waited_for(tmp_path, kind, place):
    name = {"manifest": "m.yaml", "glob": "g/m.yaml", "values": "v.yaml", "project": "reconciler.yaml"}.get(place, "f")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    manifests = {"manifest": "[m.yaml]", "glob": '["g/*.yaml"]'}.get(place, "[none]")
    (tmp_path / "none").mkdir()
    if place != "project":
        (tmp_path / "reconciler.yaml").write_text(
            "apiVersion: reconciler/v1\nkind: Project\nmetadata: {name: p}\nspec:\n"
            f"  manifests: {manifests}\n" + ("  values: [v.yaml]\n" if place == "values" else "") + "  connections:\n"
            "    sessions:\n      provider: bookingbug-sessions\n      base_url: http://127.0.0.1:9\n"
            "      auth: {username: {file: f}, password: {file: f}}\n"
        )
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        if place in {"manifest", "glob"}:
            pytest.skip("a folder of manifests is a fine thing")
    else:
        path.symlink_to({"device": "/dev/zero", "missing link": "nowhere", "circular link": path.name}[kind])
    if place == "secret":
        (tmp_path / "none" / "m.yaml").write_text(
            HEAD + "  {name: x, group: g, type: course, start_date: 2027-03-01}\n"
        )
    command = {"plan": ["apply", "f", "--yes"], "secret": ["plan"]}.get(place, ["validate"])
    shown = confined_run(tmp_path, *command)
    assert path.name in shown
