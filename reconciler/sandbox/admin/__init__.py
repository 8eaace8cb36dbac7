"""The BookingBug admin JSON API, as seed 002 (resources) and the bookingbug API notes §3 describe it."""
