"""The command `openrouter-client`. Nothing is imported here before it is needed, so that `--help` is quick.

The commands' modules import cyclopts and rich, which come with the extra `cli` and not with the library. Those that
call import aiohttp when they make a client, and not before.
"""

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from openrouter_client.cli import exits

if TYPE_CHECKING:
    from cyclopts import App

NAME: Final = "openrouter-client"

_NEEDED = ("cyclopts", "rich")
_MISSING = 'openrouter-client needs {}. Install them with: pip install "aio-openrouter[cli]"'

_ABOUT = """An async client for the OpenRouter API, and a local stand-in to try it on.

The key comes from OPENROUTER_API_KEY, from the file that OPENROUTER_API_KEY_FILE names, or from
~/.config/openrouter/key (chmod 600). Data goes to the standard output, remarks to the standard error."""


class Command(NamedTuple):
    """A command: where its function is, what it does (the first line is for the list), examples, and exit codes.

    One that has `parts` is nothing by itself: they are its subcommands, by name.
    """

    place: str
    about: str
    examples: tuple[str, ...]
    codes: tuple[int, ...] = exits.CALLING
    parts: Mapping[str, "Command"] = MappingProxyType({})

    @property
    def epilogue(self) -> str:
        """What closes the command's help: examples and exit codes."""
        shown = "\n".join(f"    {NAME} {example}" for example in self.examples)
        return f"For example:\n\n{shown}\n\n{exits.told(*self.codes)}"


BATCH = {
    "run": Command(
        "openrouter_client.cli.batch.command:run",
        """Ask a model about every row of a file, once. Killed and run again, it goes on where it was.""",
        (
            "batch run prompts.jsonl -o results.jsonl --model openai/gpt-4o-mini --max-tokens 200 --max-cost 5",
            "batch run prompts.csv -o results.jsonl --template 'Translate to French: {text}' --dry-run",
        ),
        exits.RUNNING,
    ),
    "status": Command(
        "openrouter_client.cli.batch.command:status",
        """Show how a run stands, while it runs too.""",
        ("batch status results.jsonl", "batch status results.jsonl --json | jq .done"),
        (exits.DONE, exits.USAGE),
    ),
    "export": Command(
        "openrouter_client.cli.batch.command:export",
        """Write all lines of a ledger, in the order of the input, while it runs too.""",
        ("batch export results.jsonl -o all.jsonl",),
        (exits.DONE, exits.USAGE),
    ),
    "failures": Command(
        "openrouter_client.cli.batch.command:failures",
        """Show the rows that failed, each with its error, while it runs too.""",
        ("batch failures results.jsonl", "batch failures results.jsonl --json > failed.jsonl"),
        (exits.DONE, exits.USAGE),
    ),
}
"""What `batch` is made of."""

COMMANDS = {
    "chat": Command(
        "openrouter_client.cli.chat.command:chat",
        """Ask a model, with files and images, or talk with it.

        With a question, or with text through a pipe, one answer is streamed to the standard output; tokens and cost
        are told on the standard error. At a terminal, without a question, a conversation begins.""",
        (
            'chat "Why is the sky blue?" --model x-ai/grok-4.7',
            'chat "Summarise this" --file report.txt',
            "git diff | openrouter-client chat 'Review this change' --max-cost 0.05",
            'chat "What is on it?" --image photo.jpg --schema answer.schema.json --json',
        ),
    ),
    "models": Command(
        "openrouter_client.cli.models.command:models",
        """List models: search them, filter by price, context and abilities, and sort them.

        In a pipe the table becomes lines with tabs; --json prints everything that is known.""",
        (
            "models claude --can tools --can structured --sort price",
            "models --max-price 0.5 --min-context 200000 --can images",
            "models --json | jq -r .id",
        ),
    ),
    "embed": Command(
        "openrouter_client.cli.embed:embed",
        """Turn texts into vectors: one JSON object a line for each text.

        Texts are arguments, lines of a file, or lines that come through a pipe.""",
        ('embed "rain" "sun"', "embed --file questions.txt --dimensions 256 > vectors.jsonl"),
    ),
    "key": Command(
        "openrouter_client.cli.account:key",
        "Show what the key has used and may use.",
        ("key", "key --json | jq .limit_remaining"),
    ),
    "credits": Command(
        "openrouter_client.cli.account:credit",
        """Show the credits bought, used and left.

        This takes a management key: OPENROUTER_MANAGEMENT_KEY, or the file that OPENROUTER_MANAGEMENT_KEY_FILE names,
        or ~/.config/openrouter/management-key.""",
        ("credits", "credits --json | jq .left"),
    ),
    "generation": Command(
        "openrouter_client.cli.account:generation",
        """Show what a generation used and cost, by the id that its answer had.

        OpenRouter knows of a generation some seconds after it; until then this asks again.""",
        ("generation gen-1790000000-abc123",),
    ),
    "doctor": Command(
        "openrouter_client.cli.doctor.command:doctor",
        """Check the key, the network, the proxy, TLS, the clock and the limits, and say what to do.

        Every check is a line: ok, warn, fail, or skip. Nothing is asked that costs money.""",
        ("doctor", "doctor --json | jq '.checks[] | select(.status == \"fail\")'"),
        (exits.DONE, exits.SOME, exits.USAGE, exits.INTERRUPTED),
    ),
    "predict": Command(
        "openrouter_client.cli.predict.command:predict",
        """Ask a model about prediction markets: a table of typed predictions with their edge against the price.

        The real OpenRouter answers if there is a key, and that costs money; with --simulate a stand-in on this machine
        makes answers up, for trying things out. Ctrl-C prints what was done and spent. If all markets fail, their
        common error decides the exit code.""",
        ("predict markets.jsonl --simulate", "predict markets.jsonl --concurrency 4 --json > predictions.jsonl"),
        (exits.DONE, exits.SOME, *exits.CALLING[1:]),
    ),
    "simulate": Command(
        "openrouter_client.cli.simulate:simulate",
        """Run a local stand-in for OpenRouter, with faults and quotas on demand, until Ctrl-C.

        Its answers are made up, and the same for the same seed.""",
        ('simulate --port 8080 --faults "503:0.1,reset:0.02" --quota 10/s',),
        (exits.DONE, exits.USAGE, exits.NETWORK),
    ),
    "schedule": Command(
        "openrouter_client.cli.schedule:schedule",
        """Show what a policy of retries will do: each attempt, its wait and the end, without a network.

        A call is run on the client's own core under a virtual clock, with outcomes of your choice. Waits that chance
        shortens or lengthens are shown from and to.""",
        ("schedule --outcomes 429@5,503,200 --jitter full --deadline 60", "schedule --json | jq .ends"),
        (exits.DONE, exits.USAGE),
    ),
    "simulate-load": Command(
        "openrouter_client.cli.simulate_load:simulate_load",
        """Compare policies under load: thousands of calls against a described server, in virtual time.

        The client's own core runs with its limits, and beside it other policies; figures and curves are shown side by
        side, and are the same for the same seed.""",
        ("simulate-load --scenarios", "simulate-load --scenario outage --policies ours,openai-python --json"),
        (exits.DONE, exits.USAGE),
    ),
    "completion": Command(
        "openrouter_client.cli.completion:completion",
        """Print a script with which the shell completes commands and options.""",
        (
            "completion bash > ~/.local/share/bash-completion/completions/openrouter-client",
            'completion zsh > "${fpath[1]}/_openrouter-client"',
            "completion fish > ~/.config/fish/completions/openrouter-client.fish",
        ),
        (exits.DONE, exits.USAGE),
    ),
    "batch": Command(
        "",
        """Ask a model about every row of a file, durably, or look at how such a run stands.

        Killed at any instant and run again, a run goes on: no row is lost, and none is there twice.""",
        ("batch run prompts.jsonl -o results.jsonl --dry-run", "batch status results.jsonl"),
        exits.RUNNING,
        BATCH,
    ),
}
"""The commands by name. The list of them is shown without an import of any."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (that of the process, unless arguments are given); the result is the exit code.

    `exits.EXITS` lists them all; a command's own are in its help. Interruptions end it without a traceback.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.stderr.write(_MISSING.format(" and ".join(missing)) + "\n")
        return exits.USAGE
    from openrouter_client.cli.pipes import discard_output

    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return exits.INTERRUPTED
    except KeyboardInterrupt:
        sys.stderr.write(f"{NAME}: interrupted\n")
        return exits.INTERRUPTED
    return code


def application() -> "App":
    """Put the commands together."""
    from cyclopts import App

    from openrouter_client.cli.pipes import PipeConsole
    from openrouter_core.version import __version__

    app = App(
        name=NAME,
        help=_ABOUT,
        help_epilogue=exits.told(*(one.code for one in exits.EXITS)),
        help_format="plaintext",
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        console=PipeConsole(),
        error_console=PipeConsole(stderr=True),
    )
    _add(app, COMMANDS)
    return app


def _add(app: "App", commands: Mapping[str, Command]) -> None:
    """Add commands, and theirs."""
    from cyclopts import App

    for name, command in commands.items():
        about, epilogue = cleandoc(command.about), command.epilogue
        if command.parts:
            part = App(name=name, help=about, help_epilogue=epilogue, result_action="return_value")
            _add(part, command.parts)
            app.command(part)
        else:
            app.command(command.place, name=name, help=about, help_epilogue=epilogue)


def _run(arguments: list[str]) -> int:
    from cyclopts import CycloptsError

    try:
        code: object = application()(arguments, exit_on_error=False)
    except CycloptsError:  # it has been printed
        return exits.USAGE
    return code if isinstance(code, int) else 0
