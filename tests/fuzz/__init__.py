"""Coverage-guided fuzzing of what reads the words of others. `python -m tests.fuzz --help`."""
