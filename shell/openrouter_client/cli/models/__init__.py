"""`openrouter-client models`: which models there are. `choosing` decides and is pure; `command` asks and shows."""
