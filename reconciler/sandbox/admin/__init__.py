"""The BookingBug admin JSON API (seed 002, resources; bookingbug API notes §3)."""
