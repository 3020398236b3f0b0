"""What happens when nobody reads on: `openrouter-client ... | head` ends quietly."""

import os
import sys
from typing import NoReturn

from rich.console import Console


class PipeConsole(Console):
    """A console that leaves it to the command what happens when nobody reads on."""

    def on_broken_pipe(self) -> NoReturn:
        """Tell the command."""
        raise BrokenPipeError


def discard_output() -> None:
    """Let what is still in the buffer go nowhere, without a complaint at exit: whoever read has gone."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
