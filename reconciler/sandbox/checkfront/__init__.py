"""The booking/session API, version 3.0, with the items that a session can hold (seed 004, checkfront API notes)."""
