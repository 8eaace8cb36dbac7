"""How each remote system is talked to: one module a system, one HTTP client for all."""
