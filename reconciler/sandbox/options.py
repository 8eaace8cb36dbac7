"""One option for each undocumented behaviour.

The seeds document field names and most status codes. The bookingbug API notes §8 and the checkfront API notes §7
list what is not documented. A client that works with every value depends on no guess. The first allowed
value is the default: the default profile of the bookingbug notes (§9); for booking sessions, the value shown in seed
004 or the strictest one.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler import zones
from reconciler.sandbox import spelling

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def _choice(*allowed: str | int, about: str) -> Any:
    """Make an option with a fixed list of values; the first is the default."""
    return field(default=allowed[0], metadata={"choices": allowed, "about": about})


def _number(default: int, *, least: int, about: str) -> Any:
    """Make an option with a whole number."""
    return field(default=default, metadata={"least": least, "about": about})


def _text(default: str, *, about: str) -> Any:
    """Make an option with any text."""
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The undocumented behaviour of a sandbox, and its credentials.

    `describe()` returns the description of each option.
    """

    # Sessions XML API
    create_answer: str = _choice(
        "body",
        "location",
        "none",
        about="content of the 201 for a new session: the sessions API document shows only 201 CREATED",
    )
    location_style: str = _choice("absolute", "path", about="a Location header is a full URL or only a path")
    update_answer: str = _choice("body", "none", about="whether a 200 for a session or slot PUT has a body")
    show_fields: str = _choice(
        "documented", "all", about="whether reading a session returns the fields of the sample or all writable fields"
    )
    slot_counts: str = _choice(
        "yes", "no", about="whether the slots of a session contain the counts of booked and reserved places"
    )
    list_shows_disabled: str = _choice("yes", "no", about="whether the session list contains disabled sessions")
    list_order: str = _choice("id", "newest", about="order of lists of sessions and resources")
    slot_order: str = _choice("date", "id", about="order of the slots in a session")
    partial_slot: str = _choice(
        "fill", "refuse", about="a slot without time or duration: filled from the session, or refused"
    )
    regenerate: str = _choice(
        "keep", "regenerate", about="whether a PUT of repeat, dates or time without slots generates new slots"
    )
    booked_delete: str = _choice(
        "allow", "conflict", about="deleting or replacing booked slots: accepted, or refused with 409"
    )
    session_after_delete: int = _choice(404, 410, about="status for a deleted session")
    xml_declaration: str = _choice("yes", "no", about="whether XML answers start with a declaration")
    number_style: str = _choice("plain", "fixed", about='decimals as "35.0" or "35.00"')
    boolean_style: str = _choice("word", "digit", about="booleans in XML as true/false or 1/0")
    time_style: str = _choice(
        "padded", "unpadded", about='times as "09:30" or "9:30"; the sessions API document writes both'
    )
    empty_style: str = _choice("element", "absent", about="a field without a value: an empty element, or no element")
    xml_invalid_status: int = _choice(422, 400, about="status for a well-formed XML body with invalid content")

    # Admin JSON API
    page_size: int = _number(0, least=0, about="default page size of lists; 0 = 300 resources, 100 slots, else 30")
    max_page_size: int = _number(1024, least=1, about="maximum page size")
    next_links: str = _choice(
        "honest",
        "misleading",
        about="next and previous links are correct, or both are on every list with page=0",
    )
    self_query: str = _choice(
        "parts",
        "always",
        "never",
        about="whether the self link of a list has its query (filters, page, per_page): where the answer is a part of "
        "all, always (a sample of people), or never",
    )
    slot_list: str = _choice(
        "documented",
        "all",
        about="whether the list of slots has start_date, end_date and company_id too, and its slots a link `slot`",
    )
    resource_fields: str = _choice(
        "documented", "all", about="whether reads return price, count, max_book, never_booked, api_ref, reference"
    )
    resource_delete: str = _choice(
        "soft", "hard", about="a deleted resource stays readable with deleted: true, or is removed"
    )
    list_shows_deleted: str = _choice("yes", "no", about="whether lists contain softly deleted resources")
    resource_put: str = _choice(
        "partial", "replace", about="whether a resource PUT keeps the fields that it does not have, or resets them"
    )
    address_put: str = _choice("in_place", "new", about="a resource PUT with address updates that row or creates one")
    address_wins: str = _choice("object", "id", about="which one is used if both address and address_id are sent")
    api_ref_unique: str = _choice("no", "yes", about="whether a duplicate api_ref is refused with 400")
    block_over_block: str = _choice("allow", "conflict", about="a block that overlaps a block: 200 or 409")
    block_over_booking: str = _choice("allow", "conflict", about="a block that overlaps a booking: 200 or 409")
    block_answer: str = _choice(
        "asked",
        "slot",
        "booking",
        about="the answer to a block is a slot or a booking; asked = as the booking flag of the body says",
    )
    block_owner: str = _choice(
        "both",
        "resource",
        "person",
        about="keys of a slot with the id of its resource: resource_id, person_id (sample), both",
    )
    naive_times: str = _choice(
        "utc", "company", about="time zone of a date-time without offset; the admin API document shows UTC"
    )
    company_zone: str = _text("Europe/London", about="time zone of the company (IANA); answers use it")
    datetime_style: str = _choice("seconds", "millis", about="date-times without or with .000")
    slot_end: str = _choice("yes", "no", about="whether listed slots have end_datetime; a sample of 2017 has none")
    bookings_list: str = _choice(
        "yes", "not_found", "forbidden", about="whether the list of bookings is readable, or answers 404 or 403"
    )
    blocks_as_bookings: str = _choice(
        "no", "yes", about="whether a block is also listed as a booking of status 3 without a customer"
    )
    json_create_status: int = _choice(201, 200, about="status of a JSON create")
    malformed_json_status: int = _choice(400, 500, about="status for a body that is not JSON; 500 was seen once")
    singular_paths: str = _choice("yes", "no", about="whether /resource works too, as in the curl samples")

    # Checkfront booking/session API
    session_hold: int = _number(0, least=0, about="seconds until an unused booking session expires; 0 = never")
    session_expired: str = _choice(
        "error",
        "new_id",
        "empty",
        "absent",
        about="an unknown or expired session: an error, a new id, the same id emptied, or an answer without a session",
    )
    session_error: str = _text(
        "The session was not found or has expired", about="words of the error about an unknown or expired session"
    )
    session_error_status: int = _choice(
        200, 404, about="status of an expired session's error; other errors in a body have 200"
    )
    error_shape: str = _choice(
        "envelope",
        "object",
        "text",
        "list",
        about="an error in a body: in `request` as documented, or with request.status OK in `error` as an object or "
        "text, or in `errors` as a list",
    )
    refused_start: str = _choice(
        "rolled_back",
        "named",
        "kept",
        about="a refused call that would start a session: no session is left, or the error names an empty one, or it "
        "names one with what was added before the refusal",
    )
    clear_answer: str = _choice(
        "session", "envelope", about="the answer to a cleared session: the empty session, or the envelope only"
    )
    get_extends: str = _choice("no", "yes", about="whether reading a session restarts its lifetime, like writing")
    end_again: str = _choice("ok", "error", about="ending an unknown or expired session: accepted, or an error")
    line_renumber: str = _choice(
        "keep", "renumber", about="whether the lines after a removed one keep their line ids or are renumbered"
    )
    numeric_alter: str = _choice(
        "ignored", "works", about="whether alter with a number sets the first param of a regular item"
    )
    alter_zero: str = _choice("keep", "remove", about="alter with 0: the line stays empty, or is removed")
    over_quantity: str = _choice(
        "error", "silent", about="more than available: an error, or an OK answer without the change"
    )
    bad_slip: str = _choice("error", "silent", about="an unknown slip, line id or alteration: an error, or ignored")
    rated_params: str = _choice(
        "all",
        "none",
        about="whether a rated answer lists the parameters of the item; no sample of a simple item exists",
    )
    rated_fields: str = _choice(
        "documented", "slip", about="a rate as documented, or with status, available and slip only"
    )
    rates: str = _text(
        "",
        about="what a rated query ignores although its answer is OK: days (only the first is rated), params, times, "
        "discount; separated by commas",
    )
    rate_status: str = _text(
        "", about="the status of every rated query, which then returns no slip, such as INVALID_DURATION; empty = none"
    )
    hold_stock: str = _choice("yes", "no", about="whether the lines of a session reduce the availability for others")
    slip_style: str = _choice("documented", "opaque", about="slips in the documented format, or opaque tokens")
    slip_times: str = _choice(
        "sealed", "plain", about="the time slot in a documented slip: encoded, or as in 50.20310708X1@17:00X120X120-…"
    )
    altered_slip: str = _choice(
        "rewritten",
        "kept",
        about="the slip of a line with another quantity: rewritten, or kept (only its rate shows it)",
    )
    slip_echo: str = _choice("same", "normalised", about="a line shows the posted slip, or an equivalent one")
    empty_items: str = _choice("list", "object", "absent", about="a session without lines: item is [], {} or absent")
    line_dates: str = _choice("string", "unix", about="dates of a line as in the sample of 2014 or of 2017")
    line_fields: str = _choice(
        "documented", "all", about="fields of the 2014 sample, or with rates and totals as in 2017"
    )
    day_status: str = _choice(
        "letter", "word", about='status of a day in a rated answer: "A" or "U" as in 2017, or AVAILABLE or ERROR'
    )
    default_time: str = _choice(
        "first", "error", about="a rated query without time of an item with time slots: the first one, or an error"
    )
    foreign_parameters: str = _choice(
        "ignore",
        "error",
        about="parameters that the API does not know: ignored (rated answers repeat them in `query`), or an error",
    )
    money_style: str = _choice("plain", "symbol", about='amounts as "130.00" or "$130.00"')
    session_cookie: str = _choice("no", "yes", about="whether answers set session_id as a cookie too")
    short_paths: str = _choice("yes", "no", about="whether /api/3.0/session works too, as in the documents of 2014")

    # All
    delete_answer: int = _choice(200, 204, about="status of a delete")
    delete_body: str = _choice("object", "empty", about="body of a JSON delete with status 200: the object or {}")
    delete_again: int = _choice(404, 200, about="status for deleting a deleted object")
    strict: str = _choice("strict", "lenient", about="unknown fields and wrong types are refused or ignored")

    stores: str = _text(
        "",
        about="fields of sessions, slots and resources that the server silently stores differently: FIELD=VALUE "
        "stores that value, FIELD ignores the sent value; separated by commas",
    )

    spells: str = _text(
        "",
        about="how the server changes texts that it stores: strip (a final newline), trim, crlf, lf, nfc, nfd, escape "
        "(HTML), lower (email); separated by commas",
    )

    keeps: str = _text(
        "",
        about="objects that the server keeps although it accepts their delete: session, resource, slot; "
        "separated by commas",
    )

    lag_seconds: int = _number(0, least=0, about="seconds for which reads do not show a write; 0 = at once")
    lag_reads: int = _number(0, least=0, about="number of reads of an API after a write that do not show it")
    lagging: str = _text(
        "sessions,admin,checkfront",
        about="APIs to which lag_seconds and lag_reads apply: sessions, admin, checkfront; separated by commas",
    )

    # Credentials
    login_status: int = _choice(201, 200, about="status of a login; official clients require 201")
    expired_status: int = _choice(401, 419, about="status for an expired token")
    token_uses: int = _number(0, least=0, about="a token expires after this many uses; 0 = never")
    several_companies: str = _choice(
        "no", "yes", about="whether a login without company answers 400 with a list of companies"
    )
    require_app_key: str = _choice("no", "yes", about="whether App-Key is required, as for older customers")
    username: str = _text("demo", about="Basic user of the XML API")
    password: str = _text("demo-password", about="Basic password of the XML API")
    app_id: str = _text("demo-app", about="App-Id header of the JSON API")
    app_key: str = _text("demo-key", about="App-Key header of the JSON API")
    auth_token: str = _text("demo-token", about="an Auth-Token that is valid at the start")
    email: str = _text("owner@example.com", about="email of the company's owner, for the login")
    admin_password: str = _text("demo-password", about="password of the company's owner, for the login")
    checkfront_key: str = _text("demo-key", about="key of the booking/session API (Basic user)")
    checkfront_secret: str = _text("demo-secret", about="secret of the booking/session API (Basic password)")
    company_id: int = _number(37004, least=1, about="id of the company")
    company_alias: int = _number(0, least=0, about="another id under which the company is found; 0 = none")
    name: str = _text("", about="name of the sandbox, which a refusal of credentials says")
    fixed_now: str = _text("", about="an ISO date-time to use as the current time; empty = the real time")

    def __post_init__(self) -> None:
        """Refuse values that are not allowed."""
        for spec in fields(self):
            _check(spec.name, getattr(self, spec.name), spec.metadata, type(spec.default))
        _zone(self.company_zone)
        if not ((self.name.isascii() and self.name.replace("-", "").isalnum()) or not self.name):
            msg = f"sandbox option name must be letters, digits and hyphens; got {self.name!r}"
            raise ValueError(msg)
        unknown = {item.strip() for item in self.spells.split(",")} - {"", *spelling.CHANGES}
        if unknown:
            msg = f"sandbox option spells: {min(unknown)!r} is not one of {', '.join(spelling.CHANGES)}"
            raise ValueError(msg)
        if self.fixed_now:
            _instant(self.fixed_now)

    def rates_as_asked(self, what: str) -> bool:
        """Return whether a rated query honours what it is asked for: days, params, times or discount (see `rates`)."""
        return what not in {item.strip() for item in self.rates.split(",")}

    def spelled(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return values as the server stores their texts (see `spells`)."""
        changes = [spelling.CHANGES[name.strip()] for name in self.spells.split(",") if name.strip()]
        return {name: spelling.changed(name, value, changes) for name, value in values.items()}

    @property
    def stored_values(self) -> dict[str, str | None]:
        """Return `stores` as a mapping: the stored value of each field, or None if the sent value is ignored."""
        pairs = (item.partition("=") for item in self.stores.split(",") if item.strip())
        return {name.strip(): value.strip() if equals else None for name, equals, value in pairs}

    def deletes(self, what: str) -> bool:
        """Return whether a delete of `what` (session, resource, slot) really removes it (see `keeps`)."""
        return what not in {item.strip() for item in self.keeps.split(",")}

    @classmethod
    def choices(cls) -> dict[str, tuple[str | int, ...]]:
        """Return the allowed values of each option with a fixed list, default first."""
        return {spec.name: spec.metadata["choices"] for spec in fields(cls) if "choices" in spec.metadata}

    @classmethod
    def describe(cls) -> dict[str, str]:
        """Return the description of each option."""
        return {spec.name: spec.metadata["about"] for spec in fields(cls)}

    @classmethod
    def parse(cls, pairs: Iterable[str]) -> Options:
        """Build options from KEY=VALUE strings.

        Raises ValueError with a message that names the key and suggests a similar one.
        """
        changes: dict[str, Any] = {}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                msg = f"option {pair!r} must have the form KEY=VALUE"
                raise ValueError(msg)
            changes[key.strip().replace("-", "_")] = value.strip()
        return cls().changed(**changes)

    def changed(self, /, **changes: Any) -> Options:
        """Return these options with some fields changed. Digits are accepted for a number.

        Raises ValueError for an unknown name or an invalid value.
        """
        known = {spec.name: spec for spec in fields(self)}
        values: dict[str, Any] = {}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(_unknown(name, known))
            is_digits = isinstance(value, str) and value.isdecimal()
            values[name] = int(value) if is_digits and isinstance(known[name].default, int) else value
        return replace(self, **values)


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"unknown sandbox option {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def _check(name: str, value: object, metadata: Mapping[str, Any], kind: type) -> None:
    if "choices" in metadata:
        if value not in metadata["choices"] or isinstance(value, bool):
            allowed = ", ".join(str(item) for item in metadata["choices"])
            msg = f"sandbox option {name} must be one of {allowed}; got {value!r}"
            raise ValueError(msg)
    elif not isinstance(value, kind) or isinstance(value, bool):
        msg = f"sandbox option {name} must be {'a whole number' if kind is int else 'text'}; got {value!r}"
        raise ValueError(msg)
    elif isinstance(value, int) and value < metadata["least"]:
        msg = f"sandbox option {name} must be at least {metadata['least']}; got {value}"
        raise ValueError(msg)


def _zone(name: str) -> None:
    try:
        zones.zone(name)
    except ValueError as error:
        msg = f"sandbox option company_zone: {name!r} is not an IANA time zone"
        raise ValueError(msg) from error


def _instant(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"sandbox option fixed_now: {text!r} is not an ISO date-time"
        raise ValueError(msg) from error
