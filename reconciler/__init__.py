"""reconciler: config as code for booking businesses."""

__version__ = "0.1.0"
