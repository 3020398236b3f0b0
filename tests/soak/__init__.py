"""Mixed traffic through chaos, for a minute or an hour: what must hold, and what must not leak."""
