"""The settings of a project as typed values, and the sources of its credentials.

`reconciler.manifests.project` reads and checks the project file.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self

from msgspec import Struct
from msgspec.structs import replace

from reconciler import redaction
from reconciler.errors import ReconcilerError
from reconciler.files import read_regular
from reconciler.model.nearest import nearest
from reconciler.model.objects import Problem, SourceRef
from reconciler.model.risk import Level
from reconciler.reach import Reach
from reconciler.target import account_of, system_of, target_of
from reconciler.windows import Window

DEFAULT_STATE = "sqlite:///.reconciler/state.db"
COMMAND_TIMEOUT = 60.0
"""Maximum seconds for a credential command: enough for a person to touch a hardware key."""

FREE_UPDATES = 10
"""`free_updates` of a project that does not set `max_change_percent`: as many as it may delete (decision 020)."""

PLAN_KEY = "RECONCILER_PLAN_KEY"
"""The variable with the key that signs saved plans: no connection may send it, and no credential command gets it."""

MEGABYTE = 1024 * 1024

LIST_PAGES = 4
"""How many times its `max_list_mb` all pages of a list may have together."""

LARGEST = 64 * 1024
"""Maximum size of a credential in bytes: a wrong path or command must not fill the memory."""

_LOG = logging.getLogger("reconciler.settings")


@dataclass(frozen=True, slots=True)
class Secret:
    """The value of a credential. No representation, format or traceback shows it."""

    value: str = field(repr=False)

    def __str__(self) -> str:
        return redaction.MASK


class Credential(Struct, frozen=True, kw_only=True):
    """The source of one credential. It is read only when a connection is opened."""

    source: Literal["env", "file", "command"]
    name: str
    """The variable, the absolute path, or a name of the command for messages."""
    command: tuple[str, ...] = ()
    """The command and its arguments."""
    folder: str | None = None
    """The folder in which the command runs: that of the project file, wherever reconciler is started."""
    where: SourceRef
    """The place in the project file."""

    @property
    def shown(self) -> str:
        """The source for a hint; not the arguments of a command, which can hold a value."""
        return "the command under auth" if self.source == "command" else self.name

    def resolve(self) -> Secret:
        """Return the value; ReconcilerError names the source if there is none."""
        value = _READERS[self.source](self)
        if not value:
            raise self._error(f"is empty: {self._described()}")
        if not value.isprintable():
            raise self._error(
                f"contains a line break or another control character; expected one line: {self._described()}"
            )
        redaction.hide(value)
        if value != value.strip() or (len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"):
            _LOG.warning(
                "%s: warning: %s begins or ends with a blank or a quote, which is sent too", self.where, self.shown
            )
        return Secret(value)

    def hide(self) -> None:
        """Mask the value of a connection that this run does not open, if it is in the environment."""
        if self.source == "env":
            redaction.hide(os.environ.get(self.name, ""))

    def _described(self) -> str:
        return {
            "env": f"environment variable {self.name}",
            "file": f"file {self.name}",
            "command": f"command {self.name}",
        }[self.source]

    def _error(self, what: str) -> ReconcilerError:
        dotenv = " (.env is not read: set -a; . ./.env)" if Path(".env").is_file() else ""
        near = nearest(self.name, os.environ.keys() - {self.name}, closeness=0.85) if self.source == "env" else None
        hint = {
            "env": f"{near} is set: did you mean that?" if near else f"set it: export {self.name}=…{dotenv}",
            "file": "write the value to the file, and allow only yourself to read it",
            "command": "run the command in a terminal to see its error",
        }[self.source]
        return ReconcilerError(f"credential {what}", hint=hint)

    def from_env(self) -> str:
        """Read the environment variable."""
        value = os.environ.get(self.name)
        if value is None:
            raise self._error(f"is not set: {self._described()}")
        return value

    def from_file(self) -> str:
        """Read the file without its final newline. A pipe or device is refused, because it may never end."""
        try:
            content, mode = read_regular(self.name, LARGEST + 1)
        except OSError as error:
            raise self._error(f"cannot be read: {self._described()}: {error.strerror}") from None
        if os.name == "posix" and mode & stat.S_IROTH:
            _LOG.warning("%s: warning: every user of this machine can read %s: chmod 600", self.where, self.name)
        return self._text(content, "cannot be read")

    def from_command(self) -> str:
        """Run the command without a shell and return its standard output. Its error output is not shown.

        It gets no standard input, where `yes` answers questions of this program. It can ask the terminal.
        """
        refused = f"cannot be obtained: {self._described()}"
        try:
            content, code = _output(self.command, self.folder)
        except subprocess.TimeoutExpired:
            raise self._error(f"{refused}: it did not finish within {COMMAND_TIMEOUT:g} s") from None
        except (OSError, ValueError) as error:
            raise self._error(f"{refused}: {getattr(error, 'strerror', None) or type(error).__name__}") from None
        if len(content) <= LARGEST and code != 0:
            raise self._error(f"{refused} ended with exit code {code}")
        return self._text(content, "cannot be obtained")

    def _text(self, content: bytes, refused: str) -> str:
        """Return the bytes of a source as a value; ReconcilerError if they are too long or not text."""
        if len(content) > LARGEST:
            raise self._error(f"{refused}: {self._described()}: it is longer than {LARGEST // 1024} KB")
        try:
            return content.decode("utf-8").rstrip("\r\n")
        except UnicodeError:
            raise self._error(f"{refused}: {self._described()}: it is not UTF-8 text") from None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _program(name: str, folder: str | None) -> str:
    """Return the path of a program that runs in a folder; OSError if there is none.

    A name without a folder is never found in the current folder, also if PATH names it: a checkout could contain it.
    """
    if os.path.dirname(name):  # noqa: PTH120 - as it is written
        return os.path.join(folder or "", name)  # noqa: PTH118 - as it is written
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder).is_absolute()]
    found = shutil.which(name, path=os.pathsep.join(folders))
    if found is None or not Path(found).is_absolute():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return found


def _output(command: tuple[str, ...], folder: str | None) -> tuple[bytes, int]:
    """Run a command in a folder; return its output, one byte more than `LARGEST` at most, and its exit code.

    A descendant that keeps the output open is waited for until the time limit.
    """
    process = subprocess.Popen(  # noqa: S603 - the project's owner wrote the command into the project file
        command,
        executable=_program(command[0], folder),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != PLAN_KEY},
    )
    written = bytearray()
    pipe = process.stdout
    if pipe is None:  # pragma: no cover - it was asked for
        raise AssertionError

    def read() -> None:
        with pipe:  # closed here, because this thread may outlive the wait
            while len(written) <= LARGEST and (block := os.read(pipe.fileno(), LARGEST + 1 - len(written))):
                written.extend(block)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        reader.join(COMMAND_TIMEOUT)
        if reader.is_alive():
            raise subprocess.TimeoutExpired("", COMMAND_TIMEOUT)
        if len(written) > LARGEST:
            process.kill()
        return bytes(written), process.wait(COMMAND_TIMEOUT)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


_READERS = {"env": Credential.from_env, "file": Credential.from_file, "command": Credential.from_command}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """The connection settings that one provider adds to the common ones. A provider that has some subclasses this.

    Every dataclass field of the subclass is a key of a connection in the project file, which the provider's schema
    describes.
    """

    @classmethod
    def parse(cls, stated: Mapping[str, Any]) -> Self:
        """Return the provider's part of a connection that was checked."""
        return cls(**{item.name: stated[item.name] for item in fields(cls) if item.name in stated})

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Return the settings of a connection, which must be one of this provider."""
        if not isinstance(connection.settings, cls):
            raise TypeError(f"connection {connection.name} has no {cls.__name__}")
        return connection.settings

    @property
    def account(self) -> str | None:
        """The account that ids belong to where the settings choose it, such as `company 37004`."""
        return None

    @property
    def reads_only(self) -> bool:
        """Whether these settings give access only to what can be read."""
        return False


class Connection(Struct, frozen=True, kw_only=True):
    """How one remote system is reached."""

    name: str
    provider: str
    base_url: str
    where: SourceRef
    """Where the project file states it."""
    base_url_at: SourceRef | None = None
    """Where it states the `base_url`."""
    auth: Mapping[str, Credential] = {}
    """The source of each credential, by the provider's name for it."""
    settings: ProviderSettings = ProviderSettings()
    """What only this provider has."""
    timeout: float = 30.0
    """Seconds for one whole call."""
    settle_after: float = 120.0
    """Seconds for which the remote system may still process a call after this client stopped waiting for it."""
    max_concurrency: int = 8
    """Number of calls in flight, reads and writes together."""
    requests_per_second: float | None = None
    """Upper limit of calls per second; None for no limit."""
    max_object_mb: float = 1.0
    """Maximum size in MB of an answer about one object, unpacked."""
    max_list_mb: float = 16.0
    """Maximum size in MB of one page of a list, unpacked; all pages of a list may have LIST_PAGES times that."""
    ca_file: str | None = None
    """Path of a PEM file with the certificates to trust instead of the usual ones."""
    allow_http: bool = False
    """Whether http:// is accepted for a host that is not this machine."""
    user: str | None = None
    """The account that its credentials choose, such as `user 9f86d081884c`; None where that is not known (yet)."""

    @property
    def target(self) -> str:
        """Which remote system ids belong to, with the account as far as it is known (`reconciler.target`)."""
        return target_of(self.base_url, self.settings.account, self.user)

    def with_user(self, names: tuple[str, ...]) -> Connection:
        """Return the connection of the account that these user names choose."""
        return replace(self, user=account_of(system_of(self.base_url), names)) if names else self


class Policy(Struct, frozen=True, kw_only=True):
    """Limits on what one run may do."""

    max_deletes: int = 10
    """Number of objects that one run may delete."""
    max_change_percent: float = 30
    """Percentage of the managed objects that one run may change, where there are enough of them."""
    free_updates: int = 0
    """Number of objects that a run may update also if they are a large share, if it deletes and recreates none."""
    booked_approval: Literal["annotation", "flag"] = "annotation"
    """What may allow risks to bookings: `flag` leaves that to who runs the command, not to who writes a manifest."""
    risks: Mapping[str, Level] = {}
    """The levels that the project sets, by risk code."""
    windows: tuple[Window, ...] = ()
    """When runs may write to the remote systems; empty for any time."""
    set_at: Mapping[str, SourceRef] = {}
    """Where the project file sets each of the settings above; a default has no place."""
    risks_at: Mapping[str, SourceRef] = {}
    """Where it sets each level, by risk code."""


class DriftIgnore(Struct, frozen=True, kw_only=True):
    """Changes from outside that drift does not report as drift."""

    address: str
    """A glob on the address."""
    reason: str
    where: SourceRef
    """Where the project file states it."""
    field: str | None = None
    """A path of a field, or a glob on it; None for every change of the object, also that it is missing."""
    until: str | None = None
    """The last day on which it holds; None for ever."""


class Webhook(Struct, frozen=True, kw_only=True):
    """A place that drift is reported to."""

    url: Credential
    where: SourceRef
    """Where the project file states it."""
    secret: Credential | None = None
    """What signs each message; None where messages are not signed."""
    template: str | None = None
    """A template that makes the message of a drift; None for the drift document itself."""
    timeout: float = 10.0
    """Seconds for one attempt."""


class DriftSettings(Struct, frozen=True, kw_only=True):
    """What is to be done about drift."""

    ignore: tuple[DriftIgnore, ...] = ()
    webhooks: tuple[Webhook, ...] = ()


class Project(Struct, frozen=True, kw_only=True):
    """A project, merged with the chosen environment. Paths are absolute."""

    name: str
    file: Path
    """The project file."""
    root: Path
    """The folder that relative paths start from."""
    manifests: tuple[str, ...]
    """Files, folders and globs, as the project file states them."""
    connections: Mapping[str, Connection]
    """By name."""
    state: str = DEFAULT_STATE
    """URL of the state."""
    state_at: SourceRef | None = None
    """Where the project file states it."""
    policy: Policy = Policy()
    drift: DriftSettings = DriftSettings()
    environment: str | None = None
    """Name of the chosen environment."""
    reach: Reach | None = None
    """The files that the project file may name; None for any."""
    values: Mapping[str, object] = {}
    """The content of the values files, for templates."""
    values_files: tuple[Path, ...] = ()
    """The values files themselves, in their order: later ones win."""
    overlays: frozenset[Path] = frozenset()
    """Those of them that the environment names."""
    currency: str | None = None
    """What prices are in (ISO 4217)."""
    manifests_at: Mapping[str, SourceRef] = {}
    """Where the project file states each entry of `manifests`."""
    templates: Path | None = None
    """The folder of the templates that replace the built-in pages; beside the file that decides."""
    warnings: tuple[Problem, ...] = ()
    """What the project file states without effect, because a trusted file decides."""
