"""Text to desired objects: load, check, resolve."""
