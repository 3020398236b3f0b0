"""How long a server asks us to wait, read from headers and bodies in any of the forms in which it says so.

Every reader gives a finite number of seconds, 0 or more, or None, whatever it is fed. Sources: OpenRouter docs,
api_reference/limits and api_reference/errors-and-debugging; RFC 9110 section 10.2.3 (`Retry-After`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

EPOCH_SECONDS_FROM = 1e8
EPOCH_MILLISECONDS_FROM = 1e11
"""A reset below the first number is a wait in seconds, below the second an instant in seconds, else in milliseconds."""

DAY = 86_400.0

JUST_PASSED = 60.0
"""A reset that passed no longer ago than this, in seconds, is the one that is meant: clocks differ."""

TRUSTED_SKEW = DAY
"""A `Date` header further than this from our own clock, in seconds, is not believed."""


def hint_of(headers: Mapping[str, str], at: float) -> float | None:
    """Find the longest wait in seconds that these headers (lower-case names) ask for, seen at the epoch second `at`.

    `Retry-After` counts seconds or names a date, `Retry-After-Ms` counts milliseconds, `X-RateLimit-Reset` names an
    instant, at OpenRouter in milliseconds since the epoch. Instants are measured by the server's own clock when it
    sent one (`Date`), so that a wrong clock here does not shorten the wait.
    """
    now = server_time(headers, at)
    milliseconds = number(headers.get("retry-after-ms"))
    return longest(
        retry_after(headers.get("retry-after"), now),
        None if milliseconds is None else positive(milliseconds / 1000.0),
        until_reset(headers.get("x-ratelimit-reset"), now),
    )


def documented(headers: Mapping[str, str]) -> float | None:
    """Read how many requests a quota allows (`X-RateLimit-Limit`); OpenRouter says so on its own 429s only."""
    limit = number(headers.get("x-ratelimit-limit"))
    return None if limit is None else positive(limit)


def reset_of(headers: Mapping[str, str]) -> float | None:
    """Read when a quota starts afresh, in seconds since the epoch by the server's clock, where it names an instant."""
    return instant(headers.get("x-ratelimit-reset"))


def server_time(headers: Mapping[str, str], at: float) -> float:
    """Give the server's clock by its `Date` header where that is plausible, else ours, in seconds since the epoch.

    `Date` has whole seconds: where our clock shows the same second, it is the better one of the two.
    """
    date = http_date(headers.get("date"))
    return at if date is None or abs(date - at) > TRUSTED_SKEW or date <= at < date + 1.0 else date


def retry_after(value: object, now: float) -> float | None:
    """Read `Retry-After`: a number of seconds, or an HTTP date."""
    seconds = number(value)
    if seconds is not None:
        return positive(seconds)
    date = http_date(value)
    return None if date is None else positive(date - now)


def until_reset(value: object, now: float) -> float | None:
    """Read `X-RateLimit-Reset`: an instant in epoch milliseconds or seconds, a wait in seconds, or an HTTP date.

    An instant that has just passed, by these clocks, is now.
    """
    seconds = number(value)
    if seconds is not None and seconds < EPOCH_SECONDS_FROM:
        return positive(seconds)
    at = instant(value)
    if at is not None and -JUST_PASSED <= at - now < 0.0:
        return 0.0
    return None if at is None else positive(at - now)


def instant(value: object) -> float | None:
    """Read an instant in seconds since the epoch, told as that, in milliseconds, or as an HTTP date."""
    epoch = number(value)
    if epoch is None:
        return http_date(value)
    if epoch < EPOCH_SECONDS_FROM:
        return None
    return epoch / 1000.0 if epoch >= EPOCH_MILLISECONDS_FROM else epoch


def until_midnight(now: float) -> float | None:
    """Count the seconds to the end of the UTC day, when OpenRouter's daily quotas start afresh."""
    return positive(DAY - now % DAY)


def longest(*waits: float | None) -> float | None:
    """Take the longest of the waits that are known."""
    return max((wait for wait in waits if wait is not None), default=None)


def positive(seconds: float) -> float | None:
    """Accept a finite number of seconds that is not negative; 0 says that trying again at once is welcome."""
    return seconds if 0.0 <= seconds < math.inf else None


def number(value: object) -> float | None:
    """Read a number from a number or from text; NaN and infinities are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def http_date(value: object) -> float | None:
    """Read an HTTP date as seconds since the epoch."""
    if not isinstance(value, str) or len(value) > len("Wednesday, 31-December-2026 23:59:59 +0000"):
        return None
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
