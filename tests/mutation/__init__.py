"""Mutation testing of the core: each small change to it must make a test fail. `python -m tests.mutation --help`."""
