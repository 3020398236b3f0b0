"""What a run would take, before anything is sent: rows, tokens, and USD by the price list.

Tokens of prompts are estimated from the bytes of the requests; those of answers are bounded by the requests' own limit,
else by what the model can write. `about_usd` is for the prompts alone, `most_usd` a bound on everything.
"""

from __future__ import annotations

import msgspec

from openrouter_core.evidence import BYTES_PER_TOKEN
from openrouter_core.prices import Prices, priced, worst_case

VARIANT = ":batch"
"""The variant of a model that runs in batches, with a price of its own in the list of models."""

SHOWN = 10
"""How many flaws an estimate keeps."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The sums over the rows. `invalid` rows cannot be asked; `flaws` are the first of them in words.

    `most_tokens` bounds the answers, as far as the requests bound them; `unbounded` requests do not. Of `unpriced` rows
    the price, or what it is for, is not known: they are in none of the sums in USD. `priceless` says why there is no
    price list at all. Where the rows are to go in batches, `batches` is how many these are, and for `full_price` rows
    the list has no price of batches: they are counted at the full one, of which a batch costs about half.
    """

    rows: int = 0
    invalid: int = 0
    prompt_tokens: int = 0
    most_tokens: int = 0
    unbounded: int = 0
    about_usd: float = 0.0
    most_usd: float = 0.0
    unpriced: int = 0
    priceless: str = ""
    batches: int = 0
    full_price: int = 0
    flaws: tuple[str, ...] = ()


def with_row(so_far: Estimate, body: bytes, model: str, max_tokens: int | None, prices: Prices) -> Estimate:
    """Add a row whose request would be sent as this JSON."""
    tokens = round(len(body) / BYTES_PER_TOKEN)
    price, worst = priced(model, prices), worst_case(body, prices)
    unpriced = price is None or worst is None
    return msgspec.structs.replace(
        so_far,
        rows=so_far.rows + 1,
        prompt_tokens=so_far.prompt_tokens + tokens,
        most_tokens=so_far.most_tokens + (max_tokens or 0),
        unbounded=so_far.unbounded + (max_tokens is None),
        about_usd=so_far.about_usd + (0.0 if price is None or unpriced else price.prompt * tokens + price.request),
        most_usd=so_far.most_usd + (worst or 0.0),
        unpriced=so_far.unpriced + unpriced,
    )


def slug_in_batch(variant: str, prices: Prices) -> str:
    """Give the slug whose price a model has in batches: its own variant's, else the full price of the model."""
    return variant if variant in prices else variant.removesuffix(VARIANT)


def worst_in_batch(body: bytes, variant: str, prices: Prices) -> float | None:
    """Tell what a request in a batch can cost at most, in USD; `body` has no model of its own."""
    return worst_case(named(body, slug_in_batch(variant, prices)), prices)


def named(body: bytes, slug: str) -> bytes:
    """Name the model in a request's JSON that has none."""
    return b'{"model":%b,%b' % (msgspec.json.encode(slug), body[1:])


def with_row_in_batch(so_far: Estimate, body: bytes, variant: str, max_tokens: int | None, prices: Prices) -> Estimate:
    """Add a row whose request would be sent in a batch; `body` has no model of its own."""
    slug = slug_in_batch(variant, prices)
    made = with_row(so_far, named(body, slug), slug, max_tokens, prices)
    return msgspec.structs.replace(made, full_price=made.full_price + (slug != variant))


def with_flaw(so_far: Estimate, flaw: str) -> Estimate:
    """Add a row that cannot be asked."""
    flaws = (*so_far.flaws, flaw) if len(so_far.flaws) < SHOWN else so_far.flaws
    return msgspec.structs.replace(so_far, rows=so_far.rows + 1, invalid=so_far.invalid + 1, flaws=flaws)
