"""Telling others about drift: the webhooks of the project file. A message that is not delivered stops nothing."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler import redaction
from reconciler.commands import shown
from reconciler.documents.codec import drift_document
from reconciler.errors import InvalidInput, ReconcilerError, RemoteError
from reconciler.model.objects import Problem
from reconciler.model.report import Drift
from reconciler.operations.session import ProjectSession
from reconciler.render.message import message
from reconciler.render.summary import drift_headline
from reconciler.settings import Connection, Webhook, is_loopback
from reconciler.target import origin_of
from reconciler.trust import Bounds

CODE = "webhook"

_SECRET = 16
"""Characters of a part of a path that is surely no word."""


def notify(session: ProjectSession, found: Drift) -> tuple[Problem, ...]:
    """Send a message about drift to every webhook of the project; return a warning for each that failed."""
    failed = []
    for hook in session.project.drift.webhooks:
        try:
            _send(session, hook, found)
        except InvalidInput as error:
            failed += [_warning(hook, problem.summary, problem.hint) for problem in error.problems]
        except RemoteError as error:
            failed.append(_warning(hook, error.message, "check the URL of the webhook, and the service behind it"))
        except ReconcilerError as error:
            failed.append(_warning(hook, error.message, error.hint))
    return tuple(failed)


def _warning(hook: Webhook, why: str, hint: str | None) -> Problem:
    summary = f"the webhook got no message: {redaction.redacted(why)}"
    return Problem(code=CODE, summary=summary, severity="warning", hint=hint, where=hook.where)


def _send(session: ProjectSession, hook: Webhook, found: Drift) -> None:
    from reconciler.providers.http import HttpClient  # noqa: PLC0415 - httpx: 100 ms that a run without drift saves

    url = hook.url.resolve().value
    fault = _fault(url)
    if fault is not None:
        raise ReconcilerError(f"its URL {fault}")
    parts = urlsplit(url)
    Bounds.of(os.environ).check_host("drift.webhooks.url", origin_of(url), hook.where)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    for secret in (target, parts.path, *(part for part in parts.path.split("/") if len(part) >= _SECRET)):
        redaction.hide(secret)
    project = session.project
    facts = {"headline": shown(drift_headline(found)), "project": project.name, "environment": project.environment}
    body = message(hook.template, drift_document(found), facts)
    connection = Connection(
        name="webhook",
        provider="webhook",
        base_url=f"{parts.scheme}://{parts.netloc}",
        where=hook.where,
        timeout=hook.timeout,
        max_concurrency=1,
    )
    with HttpClient(connection, writes=True, secrets={}) as client:
        answer = client.notify(target or "/", body, _headers(hook, body))
        if not answer.ok:
            raise RemoteError(f"{parts.hostname} answered {answer.status}: {client.words(answer)}")


def _fault(url: str) -> str | None:
    """Return what is wrong with a webhook's URL; it does not repeat the URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return "is not a URL; expected one that begins with https://"
    if parts.scheme not in {"http", "https"} or not host:
        return "is not a URL; expected one that begins with https://"
    if parts.username is not None or parts.password is not None:
        return "contains a user name or password; expected one without"
    if parts.scheme == "http" and not is_loopback(host):
        return "uses http, which sends it unencrypted; expected https"
    return None


def _headers(hook: Webhook, body: bytes) -> Mapping[str, str]:
    headers = {"Content-Type": "application/json", "X-Reconciler-Delivery": uuid.uuid4().hex}
    if hook.secret is None:
        return headers
    moment = str(int(time.time()))
    key = hook.secret.resolve().value.encode()
    digest = hmac.new(key, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {**headers, "X-Reconciler-Timestamp": moment, "X-Reconciler-Signature": f"sha256={digest}"}
