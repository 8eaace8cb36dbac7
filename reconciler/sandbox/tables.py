"""The tables of the emulated company.

The first ids are those of the samples: session 123, slot 123456 (seed 000), resource 13, address 6 and
block 22 (seed 002). Booking sessions have text ids; the first one is that of the sample (seed 004).
"""

from reconciler.sandbox.database import Table

SESSION_FIELDS = (
    "name",
    "type",
    "group",
    "start_date",
    "end_date",
    "time",
    "duration",
    "description",
    "spaces",
    "price",
    "max_num_bookings",
    "repeat",
    "disabled",
    "min_cancel",
    "max_advance",
    "ask_address",
    "ticket_type",
)
"""The writable fields of a session without its slots, in the order of the parameter table of seed 000."""

ADDRESS_FIELDS = ("address1", "address2", "address3", "address4", "address5", "postcode", "country")
"""The fields of an address (seed 002)."""

# start_stated and end_stated: whether a client set the date. Otherwise the date follows the slots.
SESSION = Table(
    name="session",
    columns=("id", *SESSION_FIELDS, "start_stated", "end_stated"),
    booleans=frozenset({"disabled", "ask_address", "start_stated", "end_stated"}),
    first_id=123,
)
SESSION_SLOT = Table(
    name="session_slot",
    columns=("id", "session_id", "date", "time", "duration", "spaces_booked", "spaces_reserved"),
    index=("session_id",),
    first_id=123456,
)
RESOURCE = Table(
    name="resource",
    columns=(
        "id",
        "name",
        "description",
        "email",
        "disabled",
        "deleted",
        "price",
        "position",
        "never_booked",
        "count",
        "max_book",
        "api_ref",
        "address_id",
        "schedule_id",
        "service_ids",
        "person_ids",
        "extra",
    ),
    booleans=frozenset({"disabled", "deleted", "never_booked"}),
    documents=frozenset({"service_ids", "person_ids", "extra"}),
    index=("api_ref",),
    first_id=13,
)
ADDRESS = Table(name="address", columns=("id", *ADDRESS_FIELDS), first_id=6)

# start and end are UTC, YYYY-MM-DDTHH:MM:SSZ, and sort as text. booking_id is set if a booking occupies
# the slot.
SLOT = Table(
    name="slot",
    columns=(
        "id",
        "resource_id",
        "start",
        "end",
        "status",
        "full_describe",
        "spaces_booked",
        "spaces_reserved",
        "spaces_blocked",
        "spaces_wait",
        "num_spaces",
        "booking_id",
    ),
    index=("start", "resource_id"),
    first_id=22,
)
BOOKING = Table(
    name="booking",
    columns=(
        "id",
        "slot_id",
        "resource_id",
        "start",
        "end",
        "status",
        "full_describe",
        "is_cancelled",
        "pre_time",
        "post_time",
    ),
    booleans=frozenset({"is_cancelled"}),
    index=("slot_id",),
    first_id=501,
)

# A booking session is called a hold here, to distinguish it from a session. used_at is in seconds since
# 1970; next_line is the number of the next line.
HOLD = Table(
    name="hold",
    columns=("id", "session_id", "used_at", "next_line", "expired"),
    booleans=frozenset({"expired"}),
    index=("session_id",),
)
# options: `in` or `out` for each add-on of a package, by item id.
HOLD_LINE = Table(
    name="hold_line",
    columns=(
        "id",
        "hold_id",
        "number",
        "slip",
        "item_id",
        "start",
        "units",
        "params",
        "start_time",
        "end_time",
        "discount_code",
        "options",
    ),
    documents=frozenset({"params", "options"}),
    index=("hold_id",),
)
STOCK_TAKEN = Table(name="stock_taken", columns=("id", "item_id", "day", "qty"), index=("item_id",))

ALL = (SESSION, SESSION_SLOT, RESOURCE, ADDRESS, SLOT, BOOKING, HOLD, HOLD_LINE, STOCK_TAKEN)
"""Every table of the sandbox."""
