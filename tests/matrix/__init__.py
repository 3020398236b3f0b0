"""The tests in many environments: each Python, the lowest and newest dependencies that are allowed, uvloop."""
