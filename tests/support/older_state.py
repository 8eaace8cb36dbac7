"""A state as the first version wrote it: what later versions added is removed."""

TABLES = ("doubts", "drift", "hosts", "seen", "unmanaged")
COLUMNS = (("objects", "written_by"), ("runs", "context"))

FIRST_VERSION = (
    *(f"DROP TABLE reconciler_{table}" for table in TABLES),
    *(f"ALTER TABLE reconciler_{table} DROP COLUMN {column}" for table, column in COLUMNS),
    "UPDATE reconciler_meta SET value = '1'",
)
"""The statements that make it of a state of the present version."""
