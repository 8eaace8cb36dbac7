"""The state: what this project manages, and which writing calls have no recorded result."""
