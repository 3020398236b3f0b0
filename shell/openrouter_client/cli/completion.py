"""`openrouter-client completion`: a script that lets the shell complete commands and options."""

import sys
from typing import Literal

from openrouter_client.cli import NAME, application
from openrouter_client.cli.exits import DONE


def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the script; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    shell
        The shell that is to complete.

    """
    sys.stdout.write(application().generate_completion(prog_name=NAME, shell=shell).rstrip("\n") + "\n")
    return DONE
