"""Plausible predictions: what the simulator answers to a prediction market's prompt. Pure.

The numbers move around the YES price in the prompt, so that a table of them is worth reading. They are seeded noise,
not forecasts, and the reasoning says so.
"""

import re
from collections.abc import Mapping

from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, mapping
from openrouter_client.simulator.schemas import fits, flat

FIELDS = ("prediction", "confidence", "reasoning", "target_price")
"""The fields of a prediction. A schema or a prompt that has the first two asks for one."""

_PRICES = (
    re.compile(r"yes[\s_-]*(?:token[\s_-]*)?price[^0-9\n]{0,20}?(\d*\.?\d+)\s*(%|¢|cent)?", re.IGNORECASE),
    re.compile(r"\byes\b[^0-9\n]{0,20}?(\d*\.\d+|\d+(?=\s*(?:%|¢|cent)))\s*(%|¢|cent)?", re.IGNORECASE),
)
_EDGE = 0.04


def asked(prompt: str) -> bool:
    """Whether a prompt asks for a prediction in JSON, in so many words."""
    words = prompt.lower()
    return all(word in words for word in ("json", *FIELDS[:2]))


def yes_price(prompt: str) -> float | None:
    """The YES price that the prompt names, from 0 to 1 (cents and per cents are converted), if it names one."""
    for pattern in _PRICES:
        found = pattern.search(prompt)
        if found:
            price = float(found[1])
            price = price / 100 if found[2] or price > 1 else price
            return price if price <= 1 else None
    return None


def prediction(prompt: str, dice: Dice) -> Json:
    """A prediction for the market in the prompt, as the strategy wants it."""
    price = yes_price(prompt)
    price = dice.between(0.2, 0.8) if price is None else price
    noise = (dice.roll() + dice.roll() + dice.roll() - 1.5) * 0.18
    fair = round(min(max(price + noise, 0.02), 0.98), 2)
    edge = fair - price
    side = "hold" if abs(edge) < _EDGE else "yes" if edge > 0 else "no"
    confidence = dice.between(0.45, 0.6) if side == "hold" else min(0.55 + 1.6 * abs(edge) + 0.08 * dice.roll(), 0.95)
    why = dice.pick(
        (
            "Base rates and the time that is left speak for",
            "Recent volume and the depth of the book point to",
            "The wording of the resolution and similar past markets suggest",
        )
    )
    reasoning = f"{why} a fair YES price near {fair:.2f}, against {price:.2f} now. (Stand-in: seeded, not a forecast.)"
    return {"prediction": side, "confidence": round(confidence, 2), "reasoning": reasoning, "target_price": fair}


def overlaid(made: object, schema: Mapping[str, object], prompt: str, dice: Dice) -> object:
    """The value made for a schema, with a plausible prediction in it where the schema has the fields for one."""
    properties = mapping(flat(schema, schema).get("properties"))
    if not all(name in properties for name in FIELDS[:2]):
        return made
    result = dict(mapping(made))
    for name, value in prediction(prompt, dice).items():
        spellings = (value, value.upper(), value.title()) if isinstance(value, str) else (value,)
        fitting = [one for one in spellings if name in properties and fits(properties[name], one, schema)]
        result.update({name: fitting[0]} if fitting else {})
    return result
