"""Amounts of money and counts, as people read them. Pure."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

_MILLION = 1_000_000
_ROUGHLY = Context(prec=3, rounding=ROUND_HALF_EVEN)


def usd(amount: Decimal | float | None) -> str:
    """Write an amount in USD: two decimals, and more below 1 USD, so that there are three digits; None is unknown."""
    if amount is None:
        return "$?"
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(amount))
    if not exact.is_finite():
        return "$?"
    sign, size = ("-", -exact) if exact < 0 else ("", exact)
    if size == 0 or size >= 1:
        return f"{sign}${size:,.2f}"
    rough = _ROUGHLY.plus(size).normalize()
    return f"{sign}${rough:.2f}" if rough.as_tuple().exponent in (0, -1) else f"{sign}${rough:f}"


def per_million(price: Decimal | None) -> str:
    """Write a price per token in USD per million tokens; a negative one varies."""
    if price is None:
        return "?"
    if price < 0:
        return "varies"
    return "free" if price == 0 else usd(price * _MILLION)


def tokens(count: int | None) -> str:
    """Write a number of tokens, for columns: 128k, 1M, and small ones as they are."""
    if count is None:
        return "?"
    if count >= _MILLION:
        return f"{count / _MILLION:.3g}M"
    return f"{count / 1000:.3g}k" if count >= 1000 else str(count)
