"""The rows of the table: each module has functions that take the lab and yield lines."""
