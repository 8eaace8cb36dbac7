"""Starting a project: what can be found out about it, its files, and writing them all or none."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from reconciler.checkout import COMMIT, Checkout, find_checkout
from reconciler.errors import InvalidInput, OutputFailed, ReconcilerError, UsageError
from reconciler.files import shipped, write_whole
from reconciler.manifests.endpoints import base_url_fault
from reconciler.model.objects import Problem
from reconciler.operations.export import Export, export
from reconciler.operations.project import check, open_project
from reconciler.operations.schemas import MANIFEST, MODELINE, SETTINGS, editor_files
from reconciler.operations.session import ProjectSession
from reconciler.registry import providers
from reconciler.render.project_files import KITS, NewProject, System, project_files
from reconciler.version import DISTRIBUTION

STATE_BRANCH = "reconciler-state"
NO_COMMIT = "0" * 40
SOURCE = "OWNER/reconciler"
"""What the shipped workflows have in place of the repository of reconciler."""

SANDBOX_COMPANY = 37004

_NAME = re.compile(r"[^a-z0-9]+")
_SOURCE = re.compile(r"(?:https://([\w.-]+)/)?([\w.-]+(?:/[\w.-]+)+?)(?:\.git)?@([0-9a-f]{40})")
_REMOTE = re.compile(r"(?:[\w+.-]+://)?(?:[\w.-]+@)?([\w.-]+)(?::\d+)?[:/]+([\w./-]+?)(?:\.git)?/?")
_FORGES = {"github": "github", "gitlab": "gitlab"}


class Found(Struct, frozen=True, kw_only=True):
    """What the folder of a new project says about it."""

    name: str
    branch: str
    host: str | None = None
    """The host of the Git remote."""
    repository: str | None = None
    """Its path there, such as `acme/timetable`."""

    @property
    def forge(self) -> str:
        """The forge of the remote, `none` where it is not known."""
        return next((name for word, name in _FORGES.items() if word in (self.host or "")), "none")

    @property
    def state(self) -> str | None:
        """The URL of a state in the repository itself."""
        return f"git+https://{self.host}/{self.repository}.git#{STATE_BRANCH}" if self.repository else None


def look_around(folder: Path) -> Found:
    """Return what a folder, which need not exist, says about the project in it.

    The checkout that this program was installed from says nothing: who tries it there wants no state in its repository.
    """
    name = _NAME.sub("-", folder.absolute().name.lower()).strip("-")[:63].strip("-") or "timetable"
    near = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    try:
        checkout = find_checkout(near)
        if checkout is not None and checkout == _installed_from()[2]:
            checkout = None
        ref = checkout.head()[0] if checkout is not None else None
        remote = checkout.remote() if checkout is not None else None
    except (OSError, ValueError):
        ref = remote = None
    match = _REMOTE.fullmatch(remote or "")
    branch = (ref or "").removeprefix("refs/heads/") or "main"
    if match is None or not re.fullmatch(r"[\w./-]+", branch):
        return Found(name=name, branch=branch if re.fullmatch(r"[\w./-]+", branch) else "main")
    return Found(name=name, branch=branch, host=match[1], repository=match[2])


class Source(Struct, frozen=True, kw_only=True):
    """The repository of reconciler that pipelines use, at a commit."""

    path: str
    """Its path at its host, such as `acme/reconciler`."""
    commit: str
    host: str | None = None

    @classmethod
    def parse(cls, text: str) -> Source:
        """Read `[https://HOST/]OWNER/REPOSITORY@COMMIT`; UsageError for any other text."""
        match = _SOURCE.fullmatch(text)
        if match is None:
            hint = "the commit has 40 digits: git rev-parse HEAD, in the repository of reconciler"
            raise UsageError(f"--source {text} is not OWNER/REPOSITORY@COMMIT", hint=hint)
        return cls(path=match[2], commit=match[3], host=match[1])

    def serves(self, ci: str, host: str | None) -> bool:
        """Whether pipelines of a forge can use it; those of GitLab include only what their own server has."""
        known = self.host or host
        return known in {host, None} if ci == "gitlab" else known is None or ci in known


def own_source() -> Source | None:
    """Return where the installed reconciler comes from, if pip or its checkout knows."""
    url, commit, _ = _installed_from()
    match = _REMOTE.fullmatch(url)
    if match is None or not COMMIT.fullmatch(commit):
        return None
    return Source(path=match[2], commit=commit, host=match[1])


def _installed_from() -> tuple[str, str, Checkout | None]:
    """Return the URL, the commit and the checkout that this program was installed from, as far as pip knows them."""
    try:
        stated = json.loads(metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
        url = str(stated.get("url", ""))
        if "dir_info" not in stated:
            return url, str(stated.get("vcs_info", {}).get("commit_id", "")), None
        own = find_checkout(Path(unquote(urlsplit(url).path)))
        return ("", "", None) if own is None else (own.remote() or "", own.head()[1] or "", own)
    except (metadata.PackageNotFoundError, OSError, ValueError, AttributeError):
        return "", "", None


def systems(stated: Sequence[str], company: int | None) -> tuple[System, ...]:
    """Return the booking systems that `PROVIDER` or `PROVIDER=URL` name; UsageError for any other text."""
    kits = {kit.provider: kit for kit in KITS}
    found: dict[str, System] = {}
    for text in stated:
        provider, _, url = text.partition("=")
        if provider not in kits:
            if provider in providers():
                hint = "add the connection to the project file: `reconciler explain Project.connections`"
                raise UsageError(f"--connection {text}: init does not know the settings of {provider}", hint=hint)
            raise UsageError(f"--connection {text}: unknown provider", hint=f"expected {', '.join(kits)}")
        kit = kits[provider]
        fault = base_url_fault(url, allow_http=False) if url else None
        if fault is not None:
            raise UsageError(f"--connection {text}: the address {fault}", hint=f"for example {provider}={kit.url}")
        found[provider] = System(
            kit=kit, url=url or kit.url, company=(company or SANDBOX_COMPANY) if kit.company else None
        )
    return tuple(found.values())


def files_of(project: NewProject, source: Source | None, host: str | None = None) -> dict[str, str]:
    """Return every file of a new project by its path. `host` is that of its Git remote.

    Pipelines that cannot use the `source` keep the words that a person replaces.
    """
    pipelines = _pipelines(project.ci, project.branch)
    usable = source if source is not None and source.serves(project.ci, host) else None
    if usable is not None:
        for word, value in (
            (SOURCE, usable.path),
            (NO_COMMIT, usable.commit),
            ("https://GITLAB/", f"https://{usable.host or host or 'GITLAB'}/"),
        ):
            pipelines = {path: text.replace(word, value) for path, text in pipelines.items()}
    left = any(word in text for text in pipelines.values() for word in (SOURCE, NO_COMMIT, "https://GITLAB/"))
    files = project_files(replace(project, placeholder=left))
    return dict(sorted((files | editor_files() | pipelines).items()))


def _pipelines(ci: str, branch: str) -> dict[str, str]:
    """Return the workflows of a forge, which `examples/pipelines` has, for the branch that is applied."""
    if ci == "none":
        return {}
    folder = ".github/workflows/" if ci == "github" else ""
    source = shipped("examples", "pipelines", ci)
    if not source.is_dir():
        raise ReconcilerError(f"the pipelines for {ci} are missing", hint="reinstall reconciler, or use --ci none")
    entries = [item for item in source.iterdir() if item.name.endswith(".yml")]
    return {
        f"{folder}{item.name}": item.read_text(encoding="utf-8").replace("branches: [main]", f"branches: [{branch}]")
        for item in entries
    }


def exported(folder: Path, files: Mapping[str, str]) -> tuple[dict[str, str], Export]:
    """Read what is live and return it as manifests of a new project, with the export that they are from.

    `folder` is an empty one, for the project file and a state that nothing is written to.
    """
    (folder / "reconciler.yaml").write_text(files["reconciler.yaml"], encoding="utf-8")
    (folder / "manifests").mkdir()
    project = replace(open_project(folder), state=f"sqlite:///{folder}/state.db")
    with ProjectSession(project) as session:
        made = export(session, check(project))
    return {
        f"manifests/{item.path}": MODELINE.format("../" * (item.path.count("/") + 1) + MANIFEST) + item.text
        for item in made.manifests
    }, made


def write_all(folder: Path, files: Mapping[str, str], *, keep: bool = False) -> tuple[str, ...]:
    """Write the files of a project, all or none; return those that were written.

    InvalidInput names every file that exists with other content, unless `keep` leaves those as they are.
    """
    there = {path for path in files if os.path.lexists(folder / path)}
    same = {path for path in there if _content(folder / path) == files[path].encode()}
    conflicts = sorted(there - same - {SETTINGS})  # the settings of the user stay: each file names its schema as well
    if conflicts and not keep:
        problems = [
            Problem(code="file-exists", summary=f"{folder / path} already exists with different content")
            for path in conflicts
        ]
        hint = "choose another folder, or keep these files and write the others: --keep"
        raise InvalidInput("refusing to overwrite existing files; nothing was written", problems, hint=hint)
    written: list[Path] = []
    made: list[Path] = []
    try:
        for path in sorted(files.keys() - there):
            target = folder / path
            made += [parent for parent in reversed((target, *target.parents)) if not parent.exists()][:-1]
            target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(target, files[path].encode())
            written.append(target)
    except OSError as error:
        _undo(written, made)
        raise OutputFailed(f"cannot write {error.filename or folder}: {error.strerror}; nothing was written") from None
    return tuple(os.path.relpath(path, folder) for path in written)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _undo(written: Sequence[Path], made: Sequence[Path]) -> None:
    for path in written:
        path.unlink(missing_ok=True)
    for folder in reversed(made):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
