"""The BookingBug sessions XML API, as seed 000 (sessions) documents it."""
