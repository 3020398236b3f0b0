"""Says why nothing is begun, and gives the exit code."""

import sys

from openrouter_client.cli import exits
from openrouter_client.cli.problems import words_of
from openrouter_core.errors import DataSourceError


def refused(error: DataSourceError) -> int:
    """Say what stands in the way."""
    sys.stderr.write(f"{words_of(error)}\n")
    return exits.code_of(type(error).__name__)


def complained(words: str) -> int:
    """Say what is wrong with the command line."""
    sys.stderr.write(f"{words}\n")
    return exits.USAGE
