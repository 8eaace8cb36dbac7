"""Commands with a cache of manifests say what they say without one."""

from __future__ import annotations

import pytest

MANIFEST = """\
apiVersion: reconciler/v1
kind: Session
metadata: {{name: class-{number}}}
spec:
  name: Class {number}
  type: course
  group: Body & Mind
  start_date: 2027-03-01
  time: 18:00
  price: 35.50
  spaces: 12
"""
MISTAKES = {
    "none": "",
    "a type": MANIFEST.format(number=900).replace("12", "many"),
    "a warning": MANIFEST.format(number=900).replace("  spaces: 12\n", ""),
    "an address twice": MANIFEST.format(number=7),
    "a reference": "apiVersion: reconciler/v1\nkind: Block\nmetadata: {name: b}\n"
    "spec: {resource: none, start: 2027-03-01T09:00Z, end: 2027-03-01T10:00Z}\n",
    "no YAML": "a: [\n",
}
COMMANDS = (
    ("validate",),
    ("validate", "--format", "json"),
    ("validate", "manifests/many.yaml"),
    ("plan",),
    ("plan", "--target", "Session/class-1"),
    ("why", "Session/class-1.price"),
)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_command_says_the_same(desk, mistake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache") / "own"
    desk.manifest("many.yaml", "---\n".join(MANIFEST.format(number=number) for number in range(120)))
    if MISTAKES[mistake]:
        desk.manifest("mistake.yaml", MISTAKES[mistake])
    for command in COMMANDS:
        expected = desk.run(*command, RECONCILER_CACHE="off")
        cold, warm = (desk.run(*command, RECONCILER_CACHE=str(folder)) for _ in range(2))
        assert (cold, warm) == (expected, expected)
        files = list((folder / "read-manifests").iterdir())
        assert files
        for file in files:
            file.write_bytes(file.read_bytes()[:-1] + b"?")
        assert desk.run(*command, RECONCILER_CACHE=str(folder)) == expected


def test_a_target_is_refused_for_a_mistake_in_another_file_that_has_not_changed(desk, tmp_path_factory):
    cache = {"RECONCILER_CACHE": str(tmp_path_factory.mktemp("cache"))}
    desk.manifest("many.yaml", "---\n".join(MANIFEST.format(number=number) for number in range(120)))
    desk.run("validate", code=0, **cache)
    desk.run("validate", code=0, **cache)
    desk.manifest("again.yaml", MANIFEST.format(number=119))
    done = desk.run("plan", "--target", "Session/class-1", code=1, **cache)
    assert "is declared twice" in done.out + done.err


def test_the_installed_command_keeps_its_cache_in_the_folder_of_the_user(desk, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    desk.manifest("many.yaml", "---\n".join(MANIFEST.format(number=number) for number in range(120)))
    env = {"RECONCILER_CACHE": "", "XDG_CACHE_HOME": str(home)}
    first, second = (desk.process("validate", code=0, **env) for _ in range(2))
    assert first == second
    names = [path.name for path in (home / "reconciler/read-manifests").iterdir()]
    assert len(names) == 2
    assert {(home / "reconciler/read-manifests" / name).stat().st_mode & 0o777 for name in names} == {0o600}
    assert {path.name for path in desk.folder.iterdir()} == {"manifests", "reconciler.yaml"}
