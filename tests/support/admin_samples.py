"""The admin API's own samples (seed 002), as Python values, and a connection to speak to it."""

from provider_script import Script, connection, open_client

from reconciler.model.objects import Scope
from reconciler.providers.bookingbug_admin import SPEC
from reconciler.providers.bookingbug_admin.settings import AdminSettings

HOST = "https://acme.bookingbug.com"
ADMIN = "/api/v1/admin/37004"
LOGIN = "/api/v1/login/admin/37004"

RESOURCE = {
    "id": 13,
    "name": "Consultation room 1",
    "description": "Consultation room",
    "type": "resource",
    "deleted": False,
    "disabled": False,
    "company_id": 37004,
    "email": "room1@email.com",
    "order": 13,
    "address_id": 6,
    "_links": {
        "self": {"href": f"{HOST}{ADMIN}/resources/13"},
        "address": {"href": f"{HOST}{ADMIN}/addresses/6"},
        "schedule": {"href": f"{HOST}{ADMIN}/schedules/48351{{?start_date,end_date}}", "templated": True},
        "enabled_services": [],
    },
    "schedule_id": 48351,
    "service_ids": [],
    "person_ids": [],
}
BLOCK = {
    "id": 22,
    "datetime": "2017-09-07T12:00:00+01:00",
    "end_datetime": "2017-09-07T13:00:00+01:00",
    "full_describe": "Person - Staff One",
    "status": 3,
    "spaces_booked": 0,
    "spaces_reserved": 0,
    "spaces_blocked": 1,
    "num_spaces": 1,
    "spaces_wait": 0,
    "person_id": 15288,
    "duration": 60,
    "duration_span": 3600,
    "company_id": 37004,
    "_links": {
        "self": {"href": "https://host.bookingbug.com/api/v1/admin/37004/slots/22"},
        "person": {"href": "https://host.bookingbug.com/api/v1/admin/37004/resource/15288"},
        "bookings": {"href": "https://host.bookingbug.com/api/v1/admin/37004/bookings?slot_id=22"},
    },
}
WRITTEN = {
    "name": "Consultation room 1",
    "description": "Consultation room 1",
    "email": "room1@email.com",
    "disabled": False,
    "price": 35,
    "never_booked": False,
    "max_book": 1,
    "api_ref": "roomSR1",
    "address": {
        "address1": "Pet Store",
        "address2": "123 Some Street",
        "address3": "Address line 3",
        "address4": "London",
        "postcode": "E12 8YH",
        "country": "United Kingdom",
    },
}
TOKEN = {"app_id": "app", "app_key": "key", "auth_token": "tok-static"}
OWNER = {"app_id": "app", "email": "owner@acme.example", "password": "hunter2"}


def admin(**settings):
    given = {"name": "admin", "provider": "bookingbug-admin", "base_url": HOST, "company_id": 37004}
    stated = {**given, **settings}
    own = {name: stated.pop(name) for name in ("company_id", "access") if name in stated}
    return connection(**stated, settings=AdminSettings(**own))


def opened(replies, *, secrets=None, writes=True, **settings):
    conn = admin(**settings)
    script = Script(replies)
    given = {key: getattr(conn, key) for key in ("name", "base_url", "settings", "max_concurrency", "max_list_mb")}
    http = open_client(
        script, secrets=TOKEN if secrets is None else secrets, writes=writes, login_path=LOGIN, settings=given
    )
    return script, SPEC.open(conn, http)


def read(replies, kind="Resource", *, settings=None, secrets=None, **scope):
    script, provider = opened(replies, writes=False, secrets=secrets, **(settings or {}))
    reading = provider.read(Scope(kind=kind, **scope))
    provider.close()
    return script, reading


def resource(number, **values):
    return {"id": number, "name": f"Room {number}", **values}


def slot(number, start="2027-03-01T09:00:00Z", end="2027-03-01T10:00:00Z", **values):
    return {"id": number, "status": 3, "datetime": start, "end_datetime": end, "resource_id": 13, **values}
