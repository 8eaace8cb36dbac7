"""How each remote system is talked to: one module a system, one HTTP door for all."""
