"""The names of the faults, and the small language in which they are asked for. Pure.

    500:0.05, 429:0.1, reset:0.02        each kind with its probability
    slow@0.2:0.1, 429-retry-after@3:0.1  with its number: seconds, or MiB
    batch-expired@0.2:0.1                the share of the batch's requests that are answered
    418:0.01                             any status from 400 to 599, with a plain envelope

Facts about the errors: OpenRouter docs, api_reference/errors-and-debugging and api_reference/limits.
"""

import difflib
import http
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from openrouter_client.simulator.faults import (
    BatchEnds,
    BrokenStream,
    Cut,
    Drip,
    False200,
    Fault,
    Healthy,
    Huge,
    Lost,
    NotAStream,
    Redirect,
    Refusal,
    Silent,
    Slow,
    Unreadable,
)
from openrouter_client.simulator.refusals import REFUSALS

FAULTS: Mapping[str, Fault] = {
    "ok": Healthy(),
    "slow": Slow(seconds=0.5),
    **REFUSALS,
    "502-html": Unreadable(body="cloudflare", status=502),
    "520": Unreadable(body="empty", status=520),
    "524-html": Unreadable(body="cloudflare", status=524),
    "html": Unreadable(body="html"),
    "empty": Unreadable(body="empty"),
    "text": Unreadable(body="text"),
    "badjson": Unreadable(body="badjson"),
    "wrong-shape": Unreadable(body="wrong-shape"),
    "huge": Huge(mebibytes=65),
    "gzip-bomb": Huge(mebibytes=65, compressed=True),
    "error200": False200(shape="error-only"),
    "error200-429": False200(shape="error-only", code=429),
    "error200-400": False200(shape="error-only", code=400),
    "error200-string": False200(shape="error-only", code="429"),
    "null-choices": False200(shape="null-choices"),
    "choice-error": False200(shape="choice-error"),
    "no-choices": False200(shape="no-choices"),
    "no-content": False200(shape="no-content"),
    "drip": Drip(seconds=0.5),
    "drip-finish": Drip(seconds=0.1, times=5),
    "silent": Silent(),
    "reset": Lost(reset=True),
    "close": Lost(),
    "reset-body": Cut(reset=True),
    "cut": Cut(),
    "cut-chunked": Cut(framing="chunked"),
    "cut-close": Cut(framing="close"),
    "redirect": Redirect(),
    "midstream": BrokenStream(shape="error", plainly="choice-error"),
    "midstream-429": BrokenStream(shape="error", code=429, plainly="error200-429"),
    "midstream-bare": BrokenStream(shape="bare", plainly="null-choices"),
    "midstream-done": BrokenStream(shape="bare", done=True, plainly="null-choices"),
    "midstream-alone": BrokenStream(shape="alone", plainly="error200"),
    "midstream-string": BrokenStream(shape="error", code="server_error", plainly="error200-string"),
    "midstream-late": BrokenStream(shape="late", code=400, done=True, plainly="error200-400"),
    "midstream-first": BrokenStream(shape="bare", at_once=True, plainly="error200"),
    "cutstream": BrokenStream(shape="cut", plainly="cut-close"),
    "stall": BrokenStream(shape="stall", plainly="drip"),
    "stall-first": BrokenStream(shape="stall", at_once=True, plainly="drip"),
    "malformed": BrokenStream(shape="malformed", plainly="badjson"),
    "no-done": BrokenStream(shape="unfinished", plainly="ok"),
    "stream-json": NotAStream(body="json", plainly="error200"),
    "stream-html": NotAStream(body="html", plainly="html"),
    "batch-failed": BatchEnds(status="failed", share=0.0),
    "batch-expired": BatchEnds(status="expired"),
    "batch-cancelled": BatchEnds(status="cancelled"),
}
"""Every fault that has a name. Other statuses are made on demand, see `parse_fault`."""


class Chance(Struct, frozen=True):
    """A fault and how likely it is, from 0 to 1."""

    name: str
    fault: Fault
    probability: float


def parse_fault(spec: str) -> Fault:
    """The fault that `name` or `name@number` describes; a ValueError says what is wrong and what is known."""
    name, at, number = (part.strip() for part in spec.strip().partition("@"))
    found = FAULTS.get(name) or _status(name)
    if found is None:
        near = difflib.get_close_matches(name, FAULTS, n=1)
        guess = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"unknown fault {name!r}{guess} Known: any status from 400 to 599, {', '.join(FAULTS)}")
    return _with_number(spec, found, number) if at else found


def plain_name(spec: str) -> str:
    """The name in `name@number`."""
    return spec.partition("@")[0].strip()


def name_of(wanted: Fault) -> str:
    """The name of a fault, or the name of its kind if it has none of its own."""
    return next((name for name, known in FAULTS.items() if known == wanted), type(wanted).__name__.lower())


def parse_faults(spec: str | Mapping[str, float]) -> tuple[Chance, ...]:
    """The chances that a text such as `500:0.05,reset:0.02` describes, or the same as a mapping.

    Raises ValueError that names the piece: an unknown fault, a probability outside 0 to 1, a sum above 1.
    """
    pairs = (
        list(spec.items())
        if isinstance(spec, Mapping)
        else [_pair(piece) for piece in spec.split(",") if piece.strip()]
    )
    chances = tuple(Chance(plain_name(name), parse_fault(name), _probability(name, chance)) for name, chance in pairs)
    total = sum(chance.probability for chance in chances)
    if total > 1 + 1e-9:
        raise ValueError(f"the probabilities of the faults add up to {total:g}, which is more than 1")
    return chances


def choose(chances: tuple[Chance, ...], roll: float) -> Chance | None:
    """The fault that a roll in [0, 1) meets, if any."""
    for chance in chances:
        if roll < chance.probability:
            return chance
        roll -= chance.probability
    return None


def _pair(piece: str) -> tuple[str, str]:
    name, colon, chance = (part.strip() for part in piece.partition(":"))
    if not colon or not name:
        raise ValueError(f"fault {piece.strip()!r}: expected name:probability, for example '500:0.05'")
    return name, chance


def _probability(name: str, chance: float | str) -> float:
    try:
        value = float(chance)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"fault {name!r}: {chance!r} is not a probability from 0 to 1")
    return value


def _status(name: str) -> Fault | None:
    if not (name.isascii() and name.isdigit() and 400 <= int(name) <= 599):
        return None
    known = {status.value: status.phrase for status in http.HTTPStatus}
    return Refusal(status=int(name), message=known.get(int(name), f"Error {name}"))


def _with_number(spec: str, found: Fault, number: str) -> Fault:
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"fault {spec.strip()!r}: {number!r} is not a number of seconds or MiB")
    match found:
        case Slow() | Refusal() | Drip() | BrokenStream():
            return msgspec.structs.replace(found, seconds=value)
        case Huge():
            return msgspec.structs.replace(found, mebibytes=value)
        case BatchEnds() if value <= 1:
            return msgspec.structs.replace(found, share=value)
        case _:
            raise ValueError(f"fault {spec.strip()!r} takes no number")
