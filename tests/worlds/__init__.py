"""Seeded random worlds: the core under a virtual clock, against everything at once. `python -m tests.worlds --help`."""
