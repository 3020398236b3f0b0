"""Prediction markets: what they are, and how a JSON-lines text becomes markets, or a list of what is wrong with it.

Pure: text and values in, values out. It opens no file, guesses nothing and knows nothing of models.

A contract pays 1 USD if its side is right and nothing if not, so a price in USD and a probability are on one scale.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from returns.result import Failure, Result, Success

Unit = Annotated[float, Meta(ge=0.0, le=1.0)]
"""A number from 0 to 1: a probability, or a price in USD per contract of 1 USD."""

_Text = Annotated[str, Meta(min_length=1)]
_Usd = Annotated[float, Meta(ge=0.0)]


class Market(Struct, frozen=True, kw_only=True):
    """One yes-or-no question as it is traded now. Prices are what a buyer pays, in USD per contract of 1 USD."""

    id: _Text
    question: _Text
    description: str
    yes_price: Unit
    no_price: Unit
    volume_24h: _Usd
    liquidity: _Usd
    hours_to_resolution: Annotated[float, Meta(gt=0.0)]


def implied_probability(market: Market) -> float:
    """What the prices say about YES, 0 to 1: the price of YES freed of the spread, `yes / (yes + no)`."""
    total = market.yes_price + market.no_price
    return market.yes_price / total if total > 0.0 else 0.5


def spread(market: Market) -> float:
    """What buying both sides costs above the 1 USD that they pay, in USD: `yes_price + no_price - 1`."""
    return market.yes_price + market.no_price - 1.0


_PRICE_REMEDY = "a price is in USD per contract of 1 USD: write 0.62, neither 62 nor a text"
_AMOUNT_REMEDY = "write an amount of USD as a plain number, 0 or more"
_OBJECT_REMEDY = "write one JSON object on each line, and nothing else"
_REMEDIES: Mapping[str, str] = {
    "id": "give every market a text of its own to be known by",
    "question": "write the question that resolves to yes or no",
    "description": "write the rules of resolution as one text, empty if there are none",
    "yes_price": _PRICE_REMEDY,
    "no_price": _PRICE_REMEDY,
    "volume_24h": _AMOUNT_REMEDY,
    "liquidity": _AMOUNT_REMEDY,
    "hours_to_resolution": "write the hours from now until the market resolves, a number above 0",
}
_PRICE_SUM = (0.8, 1.25)
"""Prices of both sides add up to 1 and a spread. Far from it, one of them is a slip or in another unit."""

_SHOWN = 90
"""How much of a wrong value is shown, in characters."""

_OBJECT = msgspec.json.Decoder(dict[str, Any])


class Slip(Struct, frozen=True):
    """One field that is missing (then `value` is empty), or whose value is not what it should be."""

    field: str
    value: str
    problem: str


class MarketProblem(Struct, frozen=True):
    """One thing wrong with a file of markets, and where."""

    source: str
    line: int
    slip: Slip

    def __str__(self) -> str:
        """One line that begins like a compiler's message, `file:line:`, and ends with what to write instead."""
        field, value, problem = self.slip.field, self.slip.value, self.slip.problem
        what = f"{field} = {value}: {problem}" if value else f"{field} {problem}"
        return f"{self.source}:{self.line}: {what}; {_REMEDIES.get(field, _OBJECT_REMEDY)}"


def parse_markets(text: str, source: str) -> Result[tuple[Market, ...], tuple[MarketProblem, ...]]:
    """The markets of a JSON-lines text in its order, or everything that is wrong with it.

    Blank lines are skipped; fields that are not known are ignored. A text without any market is a problem too.
    `source` is the name of the text in messages.
    """
    markets: dict[str, Market] = {}
    first_line: dict[str, int] = {}
    problems: list[MarketProblem] = []
    # Not str.splitlines: it also splits at U+2028 and others, which JSON allows inside of a text.
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if not line.strip():
            continue
        found = _parse_line(line)
        if isinstance(found, Market) and found.id in first_line:
            found = [Slip("id", _shown(found.id), f"is already the id of line {first_line[found.id]}")]
        if isinstance(found, Market):
            markets[found.id] = found
            first_line[found.id] = number
        else:
            problems.extend(MarketProblem(source, number, slip) for slip in found)
    if not markets and not problems:
        problems.append(MarketProblem(source, 1, Slip("file", "", "holds no market")))
    return Failure(tuple(problems)) if problems else Success(tuple(markets.values()))


def _parse_line(line: str) -> Market | list[Slip]:
    """One market, or all of its bad fields."""
    try:
        data = _OBJECT.decode(line)
    # A lone surrogate cannot be encoded; nesting without end is a RecursionError.
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as fault:
        return [Slip("line", _shown(line), str(fault))]
    slips = list(_slips(data))
    return slips or msgspec.convert(data, Market)


def _slips(data: Mapping[str, Any]) -> Iterator[Slip]:
    """All that keeps `data` from being a market. msgspec alone stops at the first field, and without its value."""
    good: dict[str, Any] = {}
    for info in msgspec.structs.fields(Market):
        name = info.encode_name
        if name not in data:
            yield Slip(name, "", "is missing")
            continue
        try:
            good[name] = msgspec.convert(data[name], info.type)
        except msgspec.ValidationError as fault:
            yield Slip(name, _shown(data[name]), str(fault))
    if "yes_price" in good and "no_price" in good:
        (low, high), yes, total = _PRICE_SUM, good["yes_price"], good["yes_price"] + good["no_price"]
        if not low <= total <= high:
            problem = f"with yes_price = {yes:g} both add up to {total:.3g}, expected {low} to {high}"
            yield Slip("no_price", f"{good['no_price']:g}", problem)


def _shown(value: object) -> str:
    """A value as JSON, on one line and bounded."""
    told = json.dumps(value, ensure_ascii=False, default=str)
    return told if len(told) <= _SHOWN else f"{told[:_SHOWN]}…"
