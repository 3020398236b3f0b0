"""Says why nothing is begun, and gives the exit code."""

import sys
from pathlib import Path

from returns.result import Failure, Result, Success

from openrouter_client.cli import exits
from openrouter_client.cli.problems import words_of
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import AuthError, DataSourceError

NO_KEY = "no API key: export OPENROUTER_API_KEY=sk-or-... or put it into {file}, and: chmod 600 {file}"


def keyed(config: OpenRouterConfig, file: Path) -> Result[OpenRouterConfig, DataSourceError]:
    """Accept settings that have a key; `file` is where one could be."""
    return Success(config) if config.api_key else Failure(AuthError(message=NO_KEY.format(file=file)))


def refused(error: DataSourceError) -> int:
    """Say what stands in the way."""
    sys.stderr.write(f"{words_of(error)}\n")
    return exits.code_of(type(error).__name__)


def complained(words: str) -> int:
    """Say what is wrong with the command line."""
    sys.stderr.write(f"{words}\n")
    return exits.USAGE
