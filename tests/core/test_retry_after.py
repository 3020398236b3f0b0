"""How long a server asks us to wait: every form is read, junk is none, the longest wins."""

from __future__ import annotations

import math
import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught
from tests.core.outcomes import ANY_FLOAT, AT, AT_DATE, DATES, HEADER_TEXT, HEADERS, JSON

from openrouter_core import retry_after as r

WAITS = st.integers(1, 10**6)
SKEWS = st.integers(-3600, 3600)


@given(HEADERS, ANY_FLOAT)
def test_any_headers_give_none_or_a_finite_wait(headers: dict[str, str], at: float) -> None:
    """Bug: `Retry-After: nan` or `-5`, or a date of the year 9999, ends in an exception or a senseless wait."""
    hint = r.hint_of(headers, at)
    assert hint is None or 0.0 <= hint < math.inf


@given(JSON | HEADER_TEXT | DATES, ANY_FLOAT)
def test_every_reader_takes_anything(value: object, now: float) -> None:
    """Bug: a field that is a list or `true` is taken for a number, or raises."""
    for wait in (r.retry_after(value, now), r.until_reset(value, now), r.until_midnight(now)):
        assert wait is None or 0.0 <= wait < math.inf
    read = r.number(value)
    assert read is None or (math.isfinite(read) and not isinstance(value, bool))


@given(WAITS, WAITS, WAITS, SKEWS)
def test_the_longest_of_all_hints_wins_and_instants_are_by_the_servers_clock(
    seconds: int, milliseconds: int, reset: int, skew: int
) -> None:
    """Bug: the shorter hint is taken, or a clock of ours that is wrong shortens the wait."""
    server = AT + skew
    headers = {
        "date": formatdate(server, usegmt=True),
        "retry-after": str(seconds),
        "retry-after-ms": str(milliseconds),
        "x-ratelimit-reset": str(int((server + reset) * 1000)),
    }
    assert r.hint_of(headers, AT) == pytest.approx(max(seconds, milliseconds / 1000, reset), abs=0.01)
    headers["retry-after"] = formatdate(server + seconds, usegmt=True)
    assert r.hint_of(headers, AT) == pytest.approx(max(seconds, milliseconds / 1000, reset), abs=0.01)


def test_the_properties_bite() -> None:
    longest = test_the_longest_of_all_hints_wins_and_instants_are_by_the_servers_clock
    caught(longest, WAITS, WAITS, WAITS, SKEWS, where=r, longest=lambda *waits: min(w for w in waits if w))
    caught(longest, WAITS, WAITS, WAITS, SKEWS, where=r, server_time=lambda _, at: at)
    caught(longest, WAITS, WAITS, WAITS, SKEWS, where=r, EPOCH_MILLISECONDS_FROM=math.inf)
    any_headers = test_any_headers_give_none_or_a_finite_wait
    caught(any_headers, HEADERS, ANY_FLOAT, where=r, positive=lambda seconds: seconds)
    anything = test_every_reader_takes_anything
    caught(anything, JSON | HEADER_TEXT | DATES, ANY_FLOAT, where=r, number=float, raises=Exception)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30.0),
        ("1.5", 1.5),
        (" 7 ", 7.0),
        (40, 40.0),
        ("0", 0.0),
        ("-1", None),
        ("Sun, 17 Mar 2030 18:00:25 GMT", 25.0),
        ("Sunday, 17-Mar-30 18:00:25 GMT", 25.0),
        ("Sun Mar 17 18:00:25 2030", 25.0),
        ("Sun, 17 Mar 2030 17:59:59 GMT", None),
        ("Sun, 17 Mar 2030 19:00:25 +0100", 25.0),
        ("Sun, 17 Mar 2030 18:00:25 GMT".ljust(42), 25.0),
        ("Sun, 17 Mar 2030 18:00:25 GMT".ljust(43), None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ([30], None),
        ("1e400", None),
        (10**400, None),
    ],
)
def test_retry_after_counts_seconds_or_names_a_date(value: object, seconds: float | None) -> None:
    assert r.retry_after(value, AT) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (str(int((AT + 90) * 1000)), 90.0),
        (int(AT + 90), 90.0),
        ("90", 90.0),
        ("Sun, 17 Mar 2030 18:01:30 GMT", 90.0),
        (str(int((AT - 90) * 1000)), None),
        ("0", 0.0),
        ("never", None),
        (AT, 0.0),
        (AT + 0.5, 0.5),
        (AT - 60.0, 0.0),
    ],
)
def test_a_reset_is_an_instant_in_milliseconds_or_seconds_or_a_wait_or_a_date(
    value: object, seconds: float | None
) -> None:
    assert r.until_reset(value, AT) == seconds


@pytest.mark.parametrize(("instant", "now"), [(1e8, 1e8 - 5.0), (1e11, 1e8 - 5.0), (1e8 - 1.0, 1e8 - 6.0)])
def test_where_a_wait_ends_and_instants_begin(instant: float, now: float) -> None:
    assert r.until_reset(instant, now) == (5.0 if instant >= 1e8 else instant)


def test_a_date_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bug: it is read in the zone of this machine, and the wait is hours too long or too short."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert r.retry_after("Sun Mar 17 18:00:25 2030", AT) == 25.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_milliseconds_and_the_limit_have_headers_of_their_own() -> None:
    assert r.hint_of({"retry-after-ms": "1500"}, AT) == 1.5
    assert r.hint_of({"retry-after-ms": "-1"}, AT) is None
    assert r.documented({"x-ratelimit-limit": "20"}) == 20.0
    assert r.documented({"x-ratelimit-limit": "-20"}) is None
    assert r.documented({}) is None


def test_a_reset_that_names_an_instant() -> None:
    assert r.reset_of({"x-ratelimit-reset": "1900000000500"}) == 1_900_000_000.5
    assert r.reset_of({"x-ratelimit-reset": "Sun, 17 Mar 2030 18:00:00 GMT"}) == 1_900_000_800.0
    assert r.reset_of({"x-ratelimit-reset": "30"}) is None
    assert r.reset_of({}) is None


def test_no_wait_is_without_end() -> None:
    assert r.positive(math.inf) is None
    assert r.retry_after(AT_DATE, -math.inf) is None


def test_the_servers_clock_is_believed_within_a_day() -> None:
    assert r.server_time({"date": AT_DATE}, AT + r.DAY) == AT
    assert r.server_time({"date": AT_DATE}, AT + 1.0) == AT
    assert r.server_time({"date": AT_DATE}, AT + 60) == AT
    assert r.server_time({"date": AT_DATE}, AT + 2 * r.DAY) == AT + 2 * r.DAY
    assert r.server_time({"date": "yesterday"}, AT) == AT
    assert r.server_time({}, AT) == AT


def test_the_day_ends_at_midnight_utc() -> None:
    assert r.until_midnight(AT) == 6 * 3600
    assert r.until_midnight(AT + 6 * 3600) == r.DAY
    assert r.until_midnight(math.inf) is None


def test_no_hint_is_none() -> None:
    assert r.hint_of({}, AT) is None
    assert r.longest() is None
    assert r.longest(None, 2.0, None, 3.0) == 3.0


def test_a_reset_that_has_just_passed_is_now_and_one_long_ago_is_none() -> None:
    """Bug: a client whose clock is a little ahead never learns from resets that seem past."""
    assert r.until_reset((AT - 0.5) * 1000, AT) == 0.0
    assert r.until_reset(AT - 59.0, AT) == 0.0
    assert r.until_reset(AT - 61.0, AT) is None


def test_within_the_second_that_the_server_names_our_clock_is_the_better_one() -> None:
    assert r.server_time({"date": AT_DATE}, AT + 0.7) == AT + 0.7
    assert r.server_time({"date": AT_DATE}, AT + 1.2) == AT
    assert r.server_time({"date": AT_DATE}, AT - 0.2) == AT
