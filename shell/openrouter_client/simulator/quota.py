"""How many requests are granted, and when: quotas as data, and their arithmetic. Pure: `now` is the last argument.

Two kinds. A bucket holds `burst` tokens, is full at first, and gains `limit` tokens every `per` seconds, evenly. A
window grants `limit` requests between two multiples of `per` on the clock, and starts anew at the next.

The arithmetic is on whole numbers (nanoseconds times the limit), so that a quota grants exactly what it says.

    10/s    20/min    1000/day    10/s burst 3    20/min window reset    5/2s nohint
"""

import re

from msgspec import Struct

_NANO = 1_000_000_000
_UNITS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "m": 60.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
    "d": 86400.0,
    "day": 86400.0,
}
_RATE = re.compile(r"(\d+)\s*/\s*(\d*\.?\d*)\s*([a-z]+)")
_EXAMPLES = "for example '10/s', '20/min window', '10/s burst 3 reset', '5/2s nohint'"


class Quota(Struct, frozen=True, kw_only=True):
    """So many requests (`limit`) in so many seconds (`per`).

    - `burst`: what a bucket holds; without it, `limit`. A window has none.
    - `retry_after` and `reset`: whether a refusal carries `Retry-After`, and `X-RateLimit-Limit/-Remaining/-Reset`.
    """

    limit: int
    per: float
    burst: int | None = None
    window: bool = False
    retry_after: bool = True
    reset: bool = False


class Level(Struct, frozen=True):
    """What has been granted so far. For a bucket `mark` is when it will be full; for a window, which one it is."""

    mark: int | None = None
    granted: int = 0


class Granted(Struct, frozen=True):
    """The request may pass; so many more could right now."""

    remaining: int


class Refused(Struct, frozen=True):
    """The request may not pass; one like it may in `wait` seconds, if no other comes first."""

    wait: float


def take(quota: Quota, level: Level, now: float) -> tuple[Level, Granted | Refused]:
    """Whether a request at `now` (seconds on a clock that never goes back) is granted, and what is left after it."""
    return _take_window(quota, level, now) if quota.window else _take_bucket(quota, level, now)


def _take_bucket(quota: Quota, level: Level, now: float) -> tuple[Level, Granted | Refused]:
    token = round(quota.per * _NANO)
    room = token * (quota.burst or quota.limit)
    instant = round(now * _NANO) * quota.limit
    full_at = (instant if level.mark is None else max(level.mark, instant)) + token
    over = full_at - instant - room
    if over > 0:
        return level, Refused(over / quota.limit / _NANO)
    return Level(full_at, level.granted + 1), Granted(-over // token)


def _take_window(quota: Quota, level: Level, now: float) -> tuple[Level, Granted | Refused]:
    length, instant = round(quota.per * _NANO), round(now * _NANO)
    window = instant // length
    granted = level.granted if level.mark == window else 0
    if granted >= quota.limit:
        return level, Refused(((window + 1) * length - instant) / _NANO)
    return Level(window, granted + 1), Granted(quota.limit - granted - 1)


def parse_quota(spec: str) -> Quota:
    """The quota that a text describes; a ValueError names the piece that cannot be read.

    Words after the rate: `burst N`, `bucket` (the default) or `window`, and what a refusal tells: `hint` (Retry-After,
    the default), `reset` (X-RateLimit-*), both words for both, `nohint` for nothing.
    """
    words = re.sub(r"\s*/\s*", "/", spec.strip().lower()).split()
    rate = _RATE.fullmatch(words[0]) if words else None
    if rate is None:
        raise ValueError(f"quota {spec!r}: expected a rate first, {_EXAMPLES}")
    limit, unit = int(rate[1]), rate[3].rstrip("s") or "s"
    if rate[3] == "ms":
        unit = "ms"
    if unit not in _UNITS:
        raise ValueError(f"quota {spec!r}: unknown unit {rate[3]!r}; known: {', '.join(_UNITS)}")
    per = _positive(spec, rate[2] or "1") * _UNITS[unit]
    if limit < 1 or round(per * _NANO) < 1:
        raise ValueError(f"quota {spec!r}: the limit and its time must be at least 1")
    return _with_words(spec, Quota(limit=limit, per=per), words[1:])


def _with_words(spec: str, quota: Quota, words: list[str]) -> Quota:
    burst, window, hints = quota.burst, False, set[str]()
    while words:
        match words.pop(0):
            case "burst":
                count = words.pop(0) if words else ""
                if not count.isascii() or not count.isdigit() or int(count) < 1:
                    raise ValueError(f"quota {spec!r}: 'burst' wants a whole number of at least 1, not {count!r}")
                burst = int(count)
            case "bucket":
                window = False
            case "window":
                window = True
            case "hint" | "reset" | "nohint" as word:
                hints.add(word)
            case word:
                raise ValueError(
                    f"quota {spec!r}: unknown word {word!r}; known: burst N, bucket, window, hint, reset, nohint"
                )
    if "nohint" in hints and len(hints) > 1:
        raise ValueError(f"quota {spec!r}: 'nohint' excludes 'hint' and 'reset'")
    if window and burst is not None:
        raise ValueError(f"quota {spec!r}: a window has no burst")
    return Quota(
        limit=quota.limit,
        per=quota.per,
        burst=burst,
        window=window,
        retry_after="hint" in hints or not hints,
        reset="reset" in hints,
    )


def _positive(spec: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ValueError(f"quota {spec!r}: {number!r} is not a time")
    return value
