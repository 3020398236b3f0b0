"""What a command used and paid, seen from the answers: all of them, also those that were asked for again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from openrouter_client.cli.money import usd
from openrouter_core.errors import DataSourceError
from openrouter_core.journal import Answered, Moment, Sent, Slept
from openrouter_core.outcome import Outcome, Responded, Streamed
from openrouter_core.wire.response import Usage

N = TypeVar("N", int, float)


def total(numbers: Iterable[N | None]) -> N | None:
    """The sum of those that are known; unknown if none is."""
    known = [number for number in numbers if number is not None]
    return sum(known[1:], known[0]) if known else None


class _Used(msgspec.Struct):
    """The part of a body that tells what was used."""

    usage: Usage | None = None


def usages_in(body: bytes) -> list[Usage]:
    """What an answer says that it used, whatever else it is."""
    try:
        usage = msgspec.json.decode(body, type=_Used).usage
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return [usage] if usage else []


def usages_of(outcome: Outcome) -> list[Usage]:
    """What an attempt says that it used, however it came."""
    match outcome:
        case Responded(body=body):
            return usages_in(body)
        case Streamed(answer=answer):
            usage = getattr(answer, "usage", None)
            return [usage] if isinstance(usage, Usage) else []
        case _:
            return []


def short_reason(error: DataSourceError) -> str:
    """How an attempt ended, in a few words that can be counted: the status it came with, and the kind."""
    kind = type(error).__name__
    if error.status is None:
        return kind
    return f"{kind} in a 200" if error.status == 200 else f"{error.status} {kind}"


def counted(number: int, name: str) -> str:
    """Write a number of things."""
    return f"{number} {name}{'' if number == 1 else 's'}"


@dataclass
class Meter:
    """The client's hook: counts requests and what they used, and says aloud when one is made again.

    `under_way` are the calls whose request was sent and has not ended; `broken` counts streams that ended before they
    told what they used.
    """

    say: Callable[[str], None]
    attempts: int = 0
    broken: int = 0
    usages: list[Usage] = field(default_factory=list[Usage])
    under_way: set[int] = field(default_factory=set[int])

    def __call__(self, moment: Moment) -> None:
        """Hear one event of a call."""
        match moment.event:
            case Sent():
                self.attempts += 1
                self.under_way.add(moment.call)
            case Answered(outcome=outcome):
                self.under_way.discard(moment.call)
                used = usages_of(outcome)
                self.usages += used
                self.broken += isinstance(outcome, Streamed) and not used
            case Slept(number=number, of=of, delay=delay, error=error):
                place = str(number) if of is None else f"{number}/{of - 1}"
                self.say(f"retry {place} in {delay:.1f} s: {short_reason(error)}: {error.message}")
            case _:
                pass

    def spent(self) -> str:
        """Say what is known to have been spent, and what may have been."""
        cost, cut = total(usage.cost for usage in self.usages), self.broken + len(self.under_way)
        known = f"Spent {usd(cost or 0.0)} in {counted(self.attempts, 'request')}."
        return (
            f"{known} {cut} of them {'was' if cut == 1 else 'were'} cut off, and may be billed too." if cut else known
        )
