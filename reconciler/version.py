"""The version, and the name of the distribution, which every room may name."""

__version__ = "0.1.0"
DISTRIBUTION = "booking-reconciler"
"""What pip installs; the command and the import are `reconciler`, a name that another project has on PyPI."""
