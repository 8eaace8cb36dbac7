"""Checkfront's booking/session API 3.0 and its items (seed 004, checkfront API notes)."""
