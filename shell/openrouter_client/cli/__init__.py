"""The command `openrouter-client`. Nothing is imported here before it is needed, so that `--help` is quick.

The commands' modules import cyclopts and rich, which come with the extra `cli` and not with the library.
"""

import importlib.util
import sys
from collections.abc import Sequence

_NEEDED = ("cyclopts", "rich")
_MISSING = 'openrouter-client needs {}. Install them with: pip install "aio-openrouter[cli]"'
_WRONG_USAGE = 2

COMMANDS = {
    "predict": (
        "openrouter_client.cli.predict.command:predict",
        """Ask a model about prediction markets: a table of typed predictions with their edge against the price.

        The real OpenRouter answers if OPENROUTER_API_KEY is set, and that costs money; with --simulate a stand-in on
        this machine makes answers up, for trying things out.

        Exit codes: 0 all markets predicted, 1 some failed, 2 bad input or usage, 3 none predicted, 130 interrupted
        (Ctrl-C prints what was done and spent).""",
    ),
    "simulate": (
        "openrouter_client.cli.simulate:simulate",
        """Run a local stand-in for OpenRouter, with faults and quotas on demand, until Ctrl-C.

        Its answers are made up, and the same for the same seed.

        Exit codes: 0 after Ctrl-C, 1 if it cannot listen, 2 for options that make no sense.""",
    ),
    "schedule": (
        "openrouter_client.cli.schedule:schedule",
        """Show what a policy of retries will do: each attempt, its wait and the end, without a network.

        A call is run on the client's own core under a virtual clock, with outcomes of your choice. Waits that chance
        shortens or lengthens are shown from and to.

        Exit codes: 0 shown, 2 for options that make no sense.""",
    ),
    "simulate-load": (
        "openrouter_client.cli.simulate_load:simulate_load",
        """Compare policies under load: thousands of calls against a described server, in virtual time.

        The client's own core runs with its limits, and beside it other policies; figures and curves are shown side by
        side, and are the same for the same seed.

        Exit codes: 0 shown, 2 for options that make no sense.""",
    ),
    "batch": (
        "openrouter_client.cli.batch.command:batch",
        """Ask a model about every row of a file, durably, or look at how such a run stands.

        Exit codes: 0 all rows answered (or shown), 1 some, 2 bad input, usage or ledger, 3 none answered, 4 out of
        money, 5 the ledger or the output could not be written, 130 interrupted.""",
    ),
}
"""Each command: where its function is, and its help. Of that the list shows the first line, without an import."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (that of the process, unless arguments are given); the result is the exit code.

    2 says that the command line could not be understood; a command's own codes are in its help.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(_MISSING.format(" and ".join(missing)) + "\n")
        return _WRONG_USAGE
    return _run(sys.argv[1:] if arguments is None else list(arguments))


def _run(arguments: list[str]) -> int:
    from cyclopts import App, CycloptsError  # noqa: PLC0415 -- only here: without the extra there is none

    from openrouter_core.version import __version__  # noqa: PLC0415 -- the same

    app = App(
        name="openrouter-client",
        help="An async client for the OpenRouter API, and a local stand-in to try it on.",
        version=__version__,
        result_action="return_value",
    )
    for name, (place, summary) in COMMANDS.items():
        app.command(place, name=name, help=summary)
    try:
        code: object = app(arguments, exit_on_error=False)
    except CycloptsError:  # it has been printed
        return _WRONG_USAGE
    return code if isinstance(code, int) else 0
