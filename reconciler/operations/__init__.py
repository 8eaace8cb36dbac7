"""The operations of the command line and the Python API: one verb a module."""
