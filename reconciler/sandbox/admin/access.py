"""Authentication of the admin API, and the login that issues a token (bookingbug API notes §3.1)."""

from __future__ import annotations

import hmac
from typing import Any

from reconciler.sandbox.admin import refusals
from reconciler.sandbox.api import Call, Handler, Refusal, Reply, json_reply

_OK = 200
COMPANY_NAME = "Sandbox Company"
_OWNER_ID = 1


def check_app(call: Call) -> None:
    """Refuse a wrong App-Id or App-Key. This check comes before the path is matched (notes §3.8)."""
    if not _same(call.headers.get("app-id", ""), call.options.app_id):
        raise refusals.unauthorized()
    given = call.headers.get("app-key")
    required = call.options.require_app_key == "yes"
    if (given is not None or required) and not _same(given or "", call.options.app_key):
        raise refusals.unauthorized()


def for_public(handler: Handler) -> Handler:
    """Accept a call with an App-Id for the company. Another company is not found."""

    def guard(call: Call) -> Reply:
        check_app(call)
        if not _is_own(call, call.params["company"]):
            raise refusals.not_found()
        return handler(call)

    return guard


def for_admin(handler: Handler) -> Handler:
    """Accept a call with an App-Id and a valid token for the company."""

    def guard(call: Call) -> Reply:
        check_app(call)
        _check_token(call)
        _check_company(call, call.params["company"])
        return handler(call)

    return guard


def _check_token(call: Call) -> None:
    state = call.company.tokens.state(call.headers.get("auth-token", ""), call.options)
    if state == "expired":
        raise refusals.refusal(call.options.expired_status, f"{call.options.expired_status} Unauthorized")
    if state == "unknown":
        raise refusals.unauthorized()


def _check_company(call: Call, company: object) -> None:
    if not _is_own(call, company):
        raise refusals.forbidden()


def _is_own(call: Call, company: object) -> bool:
    return str(company) == str(call.options.company_id)


def login(call: Call) -> Reply:
    """Issue a token for email and password, sent as JSON or as a form."""
    check_app(call)
    body = refusals.read_object(call)
    for name in ("email", "password"):
        if not isinstance(body.get(name), str):
            raise refusals.invalid(f"{name} is missing")
    right = _same(body["email"], call.options.email) & _same(body["password"], call.options.admin_password)
    if not right:
        raise refusals.unauthorized()
    company = call.params.get("company", body.get("id", body.get("company_id")))
    if company is not None:
        _check_company(call, company)
    if company is None and call.options.several_companies == "yes":
        raise Refusal(json_reply(refusals.BAD_REQUEST, _choose_company(call)))
    token = call.company.tokens.issue(call.options.auth_token)
    return json_reply(call.options.login_status, _signed_in(call, token), {"Auth-Token": token})


def check_login(call: Call) -> Reply:
    """GET /api/v1/login and its variants: whose token this is, and for which company."""
    check_app(call)
    _check_token(call)
    _check_company(call, call.params.get("company", call.options.company_id))
    return json_reply(_OK, _signed_in(call, call.headers["auth-token"]))


def switch(call: Call) -> Reply:
    """PUT /api/v1/login/admin: use the token for another company of the administrator, of which there is none."""
    check_app(call)
    _check_token(call)
    body = refusals.read_object(call)
    if body.get("company_id") is None:
        raise refusals.invalid("company_id is missing")
    _check_company(call, body["company_id"])
    return json_reply(_OK, _signed_in(call, call.headers["auth-token"]))


def logout(call: Call) -> Reply:
    """Invalidate the caller's token."""
    check_app(call)
    _check_token(call)
    call.company.tokens.end(call.headers["auth-token"])
    return json_reply(_OK, {})


def _signed_in(call: Call, token: str) -> dict[str, Any]:
    company = call.options.company_id
    return {
        "email": call.options.email,
        "auth_token": token,
        "company_id": company,
        "path": f"{call.base_url}/api/v1",
        "role": "owner",
        "_embedded": {"members": [], "administrators": [_administrator(call, company)]},
        "_links": {
            "self": {"href": f"{call.base_url}/api/v1/login"},
            "administrator": {"href": _administrator_url(call, company), "templated": True},
        },
    }


def _choose_company(call: Call) -> dict[str, Any]:
    first = call.options.company_id
    return {
        "email": call.options.email,
        "error": "more than one company",
        "_embedded": {
            "members": [],
            "administrators": [_administrator(call, first), _administrator(call, first + 1)],
        },
        "_links": {"self": {"href": f"{call.base_url}/api/v1/login"}},
    }


def _administrator(call: Call, company: int) -> dict[str, Any]:
    return {
        "id": _OWNER_ID,
        "name": "Demo Owner",
        "email": call.options.email,
        "role": "owner",
        "company_id": company,
        "company_name": COMPANY_NAME if company == call.options.company_id else f"{COMPANY_NAME} (branch)",
        "_links": {
            "self": {"href": _administrator_url(call, company), "templated": True},
            "company": {"href": f"{call.base_url}/api/v1/admin/{company}/company"},
            "login": {"href": f"{call.base_url}/api/v1/login/admin/{company}"},
        },
    }


def administrator(call: Call) -> Reply:
    """GET /api/v1/admin/{company}/administrators/{id}: the owner."""
    if int(call.params["id"]) != _OWNER_ID:
        raise refusals.not_found()
    return json_reply(_OK, _administrator(call, call.options.company_id))


def _administrator_url(call: Call, company: int) -> str:
    # Official clients save a request if the link and the embedded self have the same URL (notes §3.7).
    return f"{call.base_url}/api/v1/admin/{company}/administrators/{_OWNER_ID}"


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
