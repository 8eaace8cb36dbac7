"""Authentication for the admin API: the application's headers, and a token that is renewed when it expires."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.errors import ReconcilerError, RemoteError
from reconciler.providers.answer import json_object, reported, says_yes
from reconciler.providers.bookingbug_admin.settings import AdminSettings
from reconciler.providers.bookingbug_admin.wire import login_path

if TYPE_CHECKING:
    from reconciler.providers.answer import Answer
    from reconciler.providers.http import HttpClient
    from reconciler.settings import Connection

EXPIRED = frozenset({401, 419})
"""Statuses of an answer to an expired token (bookingbug API notes §3.1)."""

_FUTILE = 2
"""Renewals in a row that changed nothing, after which no more logins are tried: they could lock the account."""


class Authorised:
    """Sends requests with `App-Id`, `App-Key` and `Auth-Token` (seed 002); safe from several threads."""

    def __init__(self, connection: Connection, http: HttpClient) -> None:
        self._connection = connection
        self._http = http
        self._app = {
            header: value
            for header, name in (("App-Id", "app_id"), ("App-Key", "app_key"))
            if (value := http.secret(name)) is not None
        }
        admin = not AdminSettings.of(connection).reads_only
        self._shared = http.token
        given = http.secret("auth_token") if admin else None
        self._renewable = admin and None not in {http.secret("email"), http.secret("password")}
        if admin and given is None and not self._renewable:
            raise ReconcilerError(
                f"{connection.where}: connection `{connection.name}` needs auth_token, or email and password",
                hint="or set access: public, which only reads resources",
            )
        self._masked = given
        with self._shared.lock:
            self._shared.value = self._shared.value or given

    def ask(self, send: Callable[[Mapping[str, str]], Answer]) -> Answer:
        """Return the answer to `send(headers)`, sent once more with a new token where the first expired.

        That includes writing calls: one with a 401 or 419 was not applied.
        """
        token = self.token()
        answer = send(self._headers(token))
        if answer.status in EXPIRED:
            fresh = self._renewed(token)
            if fresh is None:
                return answer
            answer = send(self._headers(fresh))
        if answer.status not in EXPIRED:
            self._shared.futile = 0
        return answer

    def token(self) -> str | None:
        """Return the token, logging in where there is none yet; RemoteError where the login is refused."""
        with self._shared.lock:
            if self._shared.value is None and self._renewable:
                self._shared.value = self._login()
            return self._known()

    def _renewed(self, stale: str | None) -> str | None:
        """Return a token newer than `stale`. The first thread that needs one logs in for all."""
        if not self._renewable:
            return None
        with self._shared.lock:
            if self._shared.value == stale:
                if self._shared.futile >= _FUTILE:
                    return None
                self._shared.futile += 1
                self._shared.value = self._login()
            return self._known()

    def _known(self) -> str | None:
        """Return the token, which another client of this connection may have obtained: masked here too."""
        value = self._shared.value
        if value is not None and value != self._masked:
            self._http.hide(value)
            self._masked = value
        return value

    def _headers(self, token: str | None) -> dict[str, str]:
        headers = {**self._app, "Accept": "application/hal+json,application/json", "Cache-Control": "no-cache"}
        return headers if token is None else {**headers, "Auth-Token": token}

    def _login(self) -> str:
        if self._shared.refused is not None:
            raise self._shared.refused
        payload = {"email": self._http.secret("email"), "password": self._http.secret("password")}
        path = login_path(self._connection)
        answer = self._http.login(path, payload, headers=self._headers(None))
        if answer.status not in {200, 201} or reported(answer) is not None:
            error = self._refusal(answer, f"POST {path}")
            if answer.status // 100 == 4 and answer.status != 429:  # noqa: PLR2004 - trying again would not help
                self._shared.refused = error
            raise error
        token = _token_in(answer)
        if token is None:
            why = "an HTML page" if answer.is_html else "the login returned no token"
            said = "" if answer.is_html or says_yes(answer) else f": {self._http.words(answer)}"
            raise RemoteError(f"POST {path}: {answer.status}: {why}{said}")
        return token

    def _refusal(self, answer: Answer, doing: str) -> RemoteError:
        companies = _companies(_object(answer)) if answer.status == 400 else []  # noqa: PLR2004 - notes §3.1
        if not companies:
            return self._http.refusal(answer, doing)
        return RemoteError(
            f"{doing}: 400: this login can manage several companies ({', '.join(companies)}), "
            f"and company_id {AdminSettings.of(self._connection).company_id} is not one of them",
            hint=f"set company_id to one of them ({self._connection.where})",
            status=400,
        )


def _token_in(answer: Answer) -> str | None:
    found = _object(answer).get("auth_token") or answer.headers.get("auth-token")
    return found if isinstance(found, str) and found.strip() else None


def _companies(data: Mapping[str, Any]) -> list[str]:
    embedded = data.get("_embedded")
    rows = embedded.get("administrators") if isinstance(embedded, dict) else None
    found = [row.get("company_id") for row in rows or () if isinstance(row, dict)] if isinstance(rows, list) else []
    return [str(company) for company in found if isinstance(company, int)]


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        return json_object(answer.content)
    except ValueError:
        return {}
