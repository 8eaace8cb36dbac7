"""The files of a new project, as `init` writes them: what a person edits from then on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from reconciler.target import origin_of
from reconciler.trust import shown_host

_WEEKS = 12


class Secret(Struct, frozen=True, kw_only=True):
    """A variable with a credential."""

    name: str
    what: str
    rights: str


class Kit(Struct, frozen=True, kw_only=True):
    """What a new project needs of one booking system."""

    provider: str
    connection: str
    """Its name in the project file."""
    url: str
    """A usual address; the real one is the business's own."""
    auth: tuple[tuple[str, str], ...]
    """Each credential, with the variable that holds it."""
    secrets: tuple[Secret, ...]
    sample: tuple[str, str]
    """The first manifest: its template, and its file."""
    company: bool = False
    """Whether a company must be named."""


_READS = "plan and drift read; apply also creates, changes and deletes {}"

KITS = (
    Kit(
        provider="bookingbug-sessions",
        connection="sessions",
        url="https://uk.bookingbug.com",
        auth=(("username", "BB_USERNAME"), ("password", "BB_PASSWORD")),
        secrets=(
            Secret(name="BB_USERNAME", what="user of the sessions API", rights=_READS.format("sessions")),
            Secret(name="BB_PASSWORD", what="password of that user", rights="as above"),
        ),
        sample=("session.yaml.j2", "manifests/classes.yaml"),
    ),
    Kit(
        provider="bookingbug-admin",
        connection="admin",
        url="https://acme.bookingbug.com",
        auth=(("app_id", "BB_APP_ID"), ("app_key", "BB_APP_KEY"), ("auth_token", "BB_TOKEN")),
        secrets=(
            Secret(name="BB_APP_ID", what="id of your application", rights="names the application, no rights"),
            Secret(name="BB_APP_KEY", what="key of your application", rights="as above"),
            Secret(
                name="BB_TOKEN",
                what="token of an administrator of the company",
                rights=_READS.format("resources and blocks"),
            ),
        ),
        sample=("resource.yaml.j2", "manifests/rooms.yaml"),
        company=True,
    ),
    Kit(
        provider="checkfront",
        connection="shop",
        url="https://your-company.checkfront.com",
        auth=(("key", "CF_KEY"), ("secret", "CF_SECRET")),
        secrets=(
            Secret(name="CF_KEY", what="API key", rights=_READS.format("held bookings")),
            Secret(name="CF_SECRET", what="its secret", rights="as above"),
        ),
        sample=("booking.yaml.j2", "manifests/groups.yaml"),
    ),
)
"""Every booking system that a project can start with."""


class System(Struct, frozen=True, kw_only=True):
    """A booking system of the new project."""

    kit: Kit
    url: str
    company: int | None = None

    @property
    def connection(self) -> str:
        """Its name in the project file."""
        return self.kit.connection

    @property
    def provider(self) -> str:
        """Its provider."""
        return self.kit.provider

    @property
    def auth(self) -> tuple[tuple[str, str], ...]:
        """Each credential, with the variable that holds it."""
        return self.kit.auth


class NewProject(Struct, frozen=True, kw_only=True):
    """What was found out, or chosen, about a new project."""

    name: str
    systems: Sequence[System]
    ci: str
    """`github`, `gitlab` or `none`."""
    today: date
    state: str | None = None
    """The URL of a state that pipelines share; None for the default."""
    branch: str = "main"
    """The branch that is applied."""
    live: bool = False
    """Whether the manifests come from the live systems."""
    placeholder: bool = False
    """Whether the workflows do not yet name the repository of reconciler."""

    @property
    def hosts(self) -> str:
        """The hosts that pipelines use."""
        found = [shown_host(origin_of(system.url)) for system in self.systems]
        state = urlsplit((self.state or "").removeprefix("git+")).hostname
        return " ".join(dict.fromkeys([*found, *([state] if state else ())]))


def project_files(project: NewProject) -> dict[str, str]:
    """Return the files of a new project, without schemas and workflows, by their paths."""
    first = project.today + timedelta(days=28)
    day = first + timedelta(days=-first.weekday() % 7)
    facts = {
        "name": project.name,
        "systems": project.systems,
        "state": project.state,
        "ci": project.ci,
        "live": project.live,
        "branch": project.branch,
        "hosts": project.hosts,
        "placeholder": project.placeholder,
        "secrets": [secret for system in project.systems for secret in system.kit.secrets],
        "day": day.isoformat(),
        "last": (day + timedelta(weeks=_WEEKS)).isoformat(),
    }
    templates = {
        "reconciler.yaml": "reconciler.yaml.j2",
        "README.md": "README.md.j2",
        ".gitignore": "gitignore.j2",
        ".pre-commit-config.yaml": "pre-commit-config.yaml.j2",
    }
    if not project.live:
        templates |= {system.kit.sample[1]: system.kit.sample[0] for system in project.systems}
    files = {path: _templates().get_template(name).render(facts) for path, name in templates.items()}
    return files | {"manifests/.gitkeep": ""}  # Git keeps no empty folder, and the first commit may have no manifest


@cache
def _templates() -> Environment:
    """Open the templates. Every value is checked before: names, addresses and dates need no escapes in YAML."""
    return Environment(  # noqa: S701 - YAML and Markdown, not HTML
        loader=PackageLoader("reconciler.render", "templates/init"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
