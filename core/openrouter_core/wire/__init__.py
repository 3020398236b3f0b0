"""The shapes of OpenRouter's JSON as frozen structs: what is sent and what comes back. No decisions, no I/O."""
