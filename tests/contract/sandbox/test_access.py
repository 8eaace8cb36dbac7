"""Authentication of the JSON API, and the login."""

import httpx
import pytest

COMPANY = "/api/v1/admin/37004"
RIGHT = {"email": "owner@example.com", "password": "demo-password"}


@pytest.fixture
def app(anyone):
    anyone.headers["App-Id"] = "demo-app"
    return anyone


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Auth-Token": "demo-token"},
        {"App-Id": "wrong", "Auth-Token": "demo-token"},
        {"App-Id": "demo-app"},
        {"App-Id": "demo-app", "Auth-Token": "wrong"},
        {"App-Id": "demo-app", "App-Key": "wrong", "Auth-Token": "demo-token"},
    ],
)
def test_bad_headers(anyone, headers):
    answer = anyone.get(f"{COMPANY}/resources", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"error": "401 Unauthorized"})


def test_the_app_id_is_checked_before_the_route(anyone):
    assert anyone.get("/api/v1/nonsense").status_code == 401
    assert anyone.get("/api/v1/nonsense", headers={"App-Id": "demo-app"}).status_code == 404


@pytest.mark.parametrize(("choice", "status"), [("no", 200), ("yes", 401)])
def test_require_app_key(box, app, choice, status):
    box.set_options(require_app_key=choice)
    headers = {"Auth-Token": "demo-token"}
    assert app.get(f"{COMPANY}/resources", headers=headers).status_code == status
    assert app.get(f"{COMPANY}/resources", headers=headers | {"App-Key": "demo-key"}).status_code == 200


def test_another_company_is_forbidden(app):
    headers = {"Auth-Token": "demo-token"}
    assert app.get("/api/v1/admin/1/resources", headers=headers).status_code == 403
    assert app.get("/api/v1/admin/1/company", headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/1/resources", "/1/resources/13", "/1/addresses/6", "/1/items", "/company/1"])
def test_an_unknown_company_is_not_found_in_public(app, path):
    answer = app.get(f"/api/v1{path}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/login/admin", "/api/v1/login/admin/37004"])
@pytest.mark.parametrize(
    "body", [{"json": RIGHT}, {"data": RIGHT}, {"files": {name: (None, value) for name, value in RIGHT.items()}}]
)
def test_login(app, path, body):
    answer = app.post(path, **body)
    assert answer.status_code == 201
    body = answer.json()
    assert {"email", "auth_token", "company_id", "path", "_embedded", "_links"} <= body.keys()
    assert answer.headers["auth-token"] == body["auth_token"]
    administrator = body["_embedded"]["administrators"][0]
    assert administrator["_links"]["self"] == body["_links"]["administrator"]
    assert body["_links"]["administrator"]["templated"] is True
    headers = {"Auth-Token": body["auth_token"]}
    assert app.get(f"{COMPANY}/resources", headers=headers).status_code == 200
    assert app.delete("/api/v1/login", headers=headers).status_code == 200
    assert app.get(f"{COMPANY}/resources", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/api/v1/login", "/api/v1/login/admin", "/api/v1/login/admin/37004"])
def test_a_token_can_be_checked_where_it_was_issued(app, path):
    assert app.get(path).status_code == 401
    signed_in = app.post("/api/v1/login", json=RIGHT).json()
    headers = {"Auth-Token": signed_in["auth_token"]}
    answer = app.get(path, headers=headers)
    assert (answer.status_code, answer.json()) == (200, signed_in)
    assert app.delete("/api/v1/login", headers=headers).status_code == 200
    assert app.get(path, headers=headers).status_code == 401


@pytest.mark.parametrize(("company", "status"), [(37004, 200), ("37004", 200), (37005, 403), (None, 400)])
def test_a_login_can_switch_the_company(app, company, status):
    headers = {"Auth-Token": app.post("/api/v1/login", json=RIGHT).json()["auth_token"]}
    body = {"role": "owner"} if company is None else {"company_id": company}
    for form in ({"json": body}, {"data": body}):
        assert app.put("/api/v1/login/admin", headers=headers, **form).status_code == status


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (RIGHT | {"password": "wrong"}, 401),
        (RIGHT | {"email": "nobody@example.com"}, 401),
        ({"email": "owner@example.com"}, 400),
        (RIGHT | {"id": 1}, 403),
    ],
)
def test_refused_logins(app, body, status):
    answer = app.post("/api/v1/login", json=body)
    assert answer.status_code == status
    assert "auth_token" not in answer.json()


def test_login_needs_the_app_id(anyone):
    assert anyone.post("/api/v1/login", json=RIGHT).status_code == 401


@pytest.mark.parametrize("status", [201, 200])
def test_login_status(box, app, status):
    box.set_options(login_status=status)
    assert app.post("/api/v1/login", json=RIGHT).status_code == status


@pytest.mark.parametrize("choice", ["no", "yes"])
def test_several_companies(box, app, choice):
    box.set_options(several_companies=choice)
    answer = app.post("/api/v1/login", json=RIGHT)
    assert answer.status_code == (400 if choice == "yes" else 201)
    administrators = answer.json()["_embedded"]["administrators"]
    assert administrators[0]["company_id"] == 37004
    assert app.post("/api/v1/login/admin/37004", json=RIGHT).status_code == 201
    assert app.post("/api/v1/login", json=RIGHT | {"id": 37004}).status_code == 201


@pytest.mark.parametrize("status", [401, 419])
def test_expired_tokens_are_renewed_by_a_login(box, app, status):
    box.set_options(expired_status=status)
    token = app.post("/api/v1/login", json=RIGHT).json()["auth_token"]
    box.expire_tokens()
    for old in (token, "demo-token"):
        assert app.get(f"{COMPANY}/resources", headers={"Auth-Token": old}).status_code == status
    new = app.post("/api/v1/login", json=RIGHT).json()["auth_token"]
    assert app.get(f"{COMPANY}/resources", headers={"Auth-Token": new}).status_code == 200


def test_token_uses(box, app):
    box.set_options(token_uses=2)
    headers = {"Auth-Token": "demo-token"}
    statuses = [app.get(f"{COMPANY}/resources", headers=headers).status_code for _ in range(4)]
    assert statuses == [200, 200, 401, 401]


def test_credentials_are_options(box):
    box.set_options(username="anna", password="geheim:ß", company_id=5)
    # A password may hold a colon and any letter.
    answer = httpx.get(box.url + "/api/sessions.xml", auth=("anna", "geheim:ß"))
    assert answer.status_code == 200
    headers = {"App-Id": "demo-app", "Auth-Token": "demo-token"}
    assert httpx.get(box.url + "/api/v1/admin/5/resources", headers=headers).status_code == 200
