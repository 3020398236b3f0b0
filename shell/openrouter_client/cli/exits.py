"""How commands end: one table of exit codes, by class of error, for all of them. Pure, and imports nothing.

Errors are named instead of imported, so that help needs no more than this; the tests hold the names against the core's.
"""

from collections.abc import Iterable
from typing import NamedTuple

DONE, SOME, USAGE, NO_ANSWER, KEY, MONEY, RATE, NETWORK, TIME, ABSENT, FORBIDDEN, LEDGER = range(12)
INTERRUPTED = 130


class Exit(NamedTuple):
    """An exit code, what it means, and the errors (by the names of their types) that end a command with it."""

    code: int
    meaning: str
    errors: tuple[str, ...] = ()


EXITS = (
    Exit(DONE, "done"),
    Exit(SOME, "a part failed"),
    Exit(USAGE, "the command line, a file or the request is wrong", ("InvalidRequest",)),
    Exit(
        NO_ANSWER,
        "no usable answer came",
        ("HttpError", "ProviderError", "ParseError", "EmptyCompletion", "TruncatedStream", "ToolLoopFailed"),
    ),
    Exit(KEY, "the key is missing or refused", ("AuthError",)),
    Exit(MONEY, "credits or the budget do not suffice", ("InsufficientCredits", "BudgetExceeded")),
    Exit(RATE, "a quota is used up", ("RateLimited",)),
    Exit(NETWORK, "the network failed", ("ConnectError", "Disconnected")),
    Exit(TIME, "the time ran out", ("Timeout", "DeadlineExceeded")),
    Exit(ABSENT, "there is no such model or generation", ("NotFound",)),
    Exit(FORBIDDEN, "it is forbidden", ("Forbidden",)),
    Exit(LEDGER, "the ledger or the output is in use, another run's, or cannot be written", ("LedgerFailed",)),
    Exit(INTERRUPTED, "interrupted, or nobody reads on"),
)
"""Every exit code there is. Each command has some of them."""

CALLING = (DONE, USAGE, NO_ANSWER, KEY, MONEY, RATE, NETWORK, TIME, ABSENT, FORBIDDEN, INTERRUPTED)
"""How commands end that ask OpenRouter."""

RUNNING = (DONE, SOME, USAGE, NO_ANSWER, KEY, MONEY, TIME, LEDGER, INTERRUPTED)
"""How bulk runs end."""

_CODES = {name: one.code for one in EXITS for name in one.errors}


def code_of(kind: str) -> int:
    """Give the exit code of an error, by the name of its type."""
    return _CODES.get(kind, NO_ANSWER)


def code_of_all(kinds: Iterable[str]) -> int:
    """Give the exit code of several errors of which none was made good: their common one, or that no answer came."""
    codes = {code_of(kind) for kind in kinds}
    return codes.pop() if len(codes) == 1 else NO_ANSWER


def told(*codes: int) -> str:
    """Say in a line what exit codes mean: the end of a command's help."""
    return f"Exit codes: {', '.join(f'{one.code} {one.meaning}' for one in EXITS if one.code in codes)}."
