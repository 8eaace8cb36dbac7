"""The demo: a complete example on an embedded sandbox."""
