"""The tables of all endpoints but chat completions, which `api` has: one line each, by what they are for."""
