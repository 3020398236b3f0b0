"""What a run would take, before anything is sent: rows, tokens, and USD by the price list.

Tokens of prompts are estimated from the bytes of the requests; those of answers are bounded by the requests' own limit,
else by what the model can write. `about_usd` is for the prompts alone, `most_usd` a bound on everything.
"""

from __future__ import annotations

import msgspec

from openrouter_core.evidence import BYTES_PER_TOKEN
from openrouter_core.prices import Prices, priced, worst_case

SHOWN = 10
"""How many flaws an estimate keeps."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """The sums over the rows. `invalid` rows cannot be asked; `flaws` are the first of them in words.

    `most_tokens` bounds the answers, as far as the requests bound them; `unbounded` requests do not. Of `unpriced` rows
    the price, or what it is for, is not known: they are in none of the sums in USD. `priceless` says why there is no
    price list at all.
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


def with_flaw(so_far: Estimate, flaw: str) -> Estimate:
    """Add a row that cannot be asked."""
    flaws = (*so_far.flaws, flaw) if len(so_far.flaws) < SHOWN else so_far.flaws
    return msgspec.structs.replace(so_far, rows=so_far.rows + 1, invalid=so_far.invalid + 1, flaws=flaws)
