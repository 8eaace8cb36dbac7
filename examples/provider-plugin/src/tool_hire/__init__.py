"""The tool hire API (made up for this example), for reconciler: the provider `tool-hire` and the kind `Tool`."""
