"""The endpoints of the API as methods, in groups: one module for each, imported when it is first used."""
