"""The BookingBug sessions XML API (seed 000, sessions)."""
