"""Which models are wanted, and in which order. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, get_args

from msgspec import Struct

from openrouter_client.cli.money import per_million, tokens
from openrouter_core.wire.models import Model

Ability = Literal["tools", "structured", "json", "reasoning", "images", "audio", "files", "video", "draws", "speaks"]
Order = Literal["name", "price", "output-price", "context", "newest"]

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"tools": "tools", "structured": "structured_outputs", "json": "response_format", "reasoning": "reasoning"}
)
"""Abilities that are parameters which a model heeds."""
INPUTS: Mapping[str, str] = MappingProxyType({"images": "image", "audio": "audio", "files": "file", "video": "video"})
"""Abilities that are inputs which a model takes."""
OUTPUTS: Mapping[str, str] = MappingProxyType({"draws": "image", "speaks": "audio"})
"""Abilities that are outputs which a model makes."""

ABILITIES: tuple[Ability, ...] = get_args(Ability)
HEADINGS = ("model", "context", "in $/M", "out $/M", "abilities")
_MILLION = 1_000_000


class Wanted(Struct, frozen=True, kw_only=True):
    """What a model must have: all words in its slug or name; prices at most, in USD per million tokens; a context."""

    words: tuple[str, ...] = ()
    max_price: float | None = None
    max_output_price: float | None = None
    min_context: int | None = None
    abilities: tuple[Ability, ...] = ()


def able(model: Model, ability: Ability) -> bool:
    """Tell whether a model has an ability; what is not said is no."""
    made = model.architecture
    for names, told in (
        (PARAMETERS, model.supported_parameters),
        (INPUTS, made and made.input_modalities),
        (OUTPUTS, made and made.output_modalities),
    ):
        if ability in names:
            return names[ability] in (told or ())
    return False


def abilities_of(model: Model) -> tuple[Ability, ...]:
    """List what a model can."""
    return tuple(ability for ability in ABILITIES if able(model, ability))


def prompt_price(model: Model) -> Decimal | None:
    """Give the price of a prompt token in USD; None where it is unknown or varies."""
    return settled(None if model.pricing is None else model.pricing.prompt)


def output_price(model: Model) -> Decimal | None:
    """Give the price of a token of the answer in USD; None where it is unknown or varies."""
    return settled(None if model.pricing is None else model.pricing.completion)


def settled(price: Decimal | None) -> Decimal | None:
    """Give a price that is one: OpenRouter writes -1 for prices that vary."""
    return None if price is None or price < 0 else price


def affordable(price: Decimal | None, most: float | None) -> bool:
    """Tell whether a price per token is at most so many USD per million; an unknown one is not."""
    return most is None or (price is not None and price * _MILLION <= Decimal(repr(most)))


def fits(model: Model, wanted: Wanted) -> bool:
    """Tell whether a model is wanted."""
    named = f"{model.id} {model.name or ''}".lower()
    return (
        all(word.lower() in named for word in wanted.words)
        and affordable(prompt_price(model), wanted.max_price)
        and affordable(output_price(model), wanted.max_output_price)
        and (wanted.min_context is None or (model.context_length or 0) >= wanted.min_context)
        and all(able(model, ability) for ability in wanted.abilities)
    )


ORDERS: Mapping[Order, Callable[[Model], Decimal | None]] = MappingProxyType(
    {
        "name": lambda _: Decimal(0),
        "price": prompt_price,
        "output-price": output_price,
        "context": lambda model: None if model.context_length is None else Decimal(-model.context_length),
        "newest": lambda model: None if model.created is None else Decimal(-model.created),
    }
)
"""What models are put in order by: the smallest first, what is unknown last."""


def place(model: Model, order: Order) -> tuple[bool, Decimal, str]:
    """Give the place of a model in an order; equals go by name."""
    value = ORDERS[order](model)
    return value is None, value or Decimal(0), model.id


def chosen(models: Iterable[Model], wanted: Wanted, order: Order, limit: int | None = None) -> list[Model]:
    """Give the models that are wanted, in order: cheapest, widest or newest first."""
    return sorted((model for model in models if fits(model, wanted)), key=lambda model: place(model, order))[:limit]


def row(model: Model) -> Sequence[str]:
    """Write a model into a table, under `HEADINGS`."""
    pricing = model.pricing
    return (
        model.id,
        tokens(model.context_length),
        per_million(None if pricing is None else pricing.prompt),
        per_million(None if pricing is None else pricing.completion),
        " ".join(abilities_of(model)),
    )
