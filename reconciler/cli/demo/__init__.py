"""The demo: the whole loop on an embedded sandbox."""
