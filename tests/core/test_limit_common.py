"""What is stored of a quota, and on which clock it is."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.limit import common
from openrouter_core.limit.common import Abroad, emptied, read, store_names, written
from openrouter_core.limit.compose import All
from openrouter_core.limit.gcra import Gcra, GcraState
from openrouter_core.limit.seen import Ask, Kind, Seen
from openrouter_core.limit.standard import LimitSettings, quotas

SETTINGS = (
    LimitSettings(),
    LimitSettings(adaptive=False),
    LimitSettings(requests_per_minute=60.0),
    LimitSettings(requests_per_minute=60.0, tokens_per_minute=600.0, adaptive=False),
)
SEEN = st.builds(
    Seen,
    kind=st.sampled_from(["ok", "rate", "server"]),
    hint=st.none() | st.floats(0.0, 9.0),
    limit=st.none() | st.integers(1, 99).map(float),
    resets_in=st.none() | st.floats(-9.0, 99.0),
    scope=st.sampled_from(["", "m"]),
    company=st.integers(0, 3),
)


@given(st.sampled_from(SETTINGS), st.lists(SEEN, max_size=12))
def test_what_is_read_is_what_was_written(settings: LimitSettings, answers: list[Seen]) -> None:
    limiter = quotas(settings)
    state, now = limiter.init(1e9), 1e9
    for seen in answers:
        state, stamp = limiter.on_send(state, Ask(("m",), 10.0), now)
        now += 0.3
        state = limiter.on_outcome(state, stamp, seen, 3, now)
    assert read(settings, written(state)) == state
    assert read(settings, written(state)[:-1]) is None


def test_what_does_not_fit_is_not_read() -> None:
    assert read(LimitSettings(), b"") is None
    assert read(LimitSettings(), msgspec.msgpack.encode([{"known": {}}])) is None
    assert read(LimitSettings(), written(quotas(SETTINGS[2]).init(0.0))) is None


@given(st.lists(st.floats(0.0, 3.0), max_size=20), st.integers(-1000, 1000))
def test_abroad_all_is_the_same_at_another_hour(gaps: list[float], hours: int) -> None:
    ahead = hours * 3600.0
    home, abroad = Gcra(rate=1.0, burst=2.0), Abroad(Gcra(rate=1.0, burst=2.0), ahead)
    state, there, now = home.init(0.0), abroad.init(0.0), 0.0
    for gap in gaps:
        now += gap
        wait = home.admit(state, Ask(), 0, now)
        assert abroad.admit(there, Ask(), 0, now) == pytest.approx(wait, abs=1e-6)
        state, _ = home.on_send(state, Ask(), now)
        there, _ = abroad.on_send(there, Ask(), now)
    assert there.tat - ahead == pytest.approx(state.tat, abs=1e-6)


@pytest.mark.parametrize(("others", "company"), [(0, 1), (3, 4)])
def test_abroad_the_others_are_company(others: int, company: int) -> None:
    told: list[tuple[Any, ...]] = []

    class Ear:
        def on_outcome(self, *heard: Any) -> None:
            told.append(heard)

        def admit(self, *heard: Any) -> float:
            told.append(heard)
            return 2.0

    kind: Kind = "rate"
    ear: Any = Ear()
    assert Abroad(ear, 5.0, others).admit(1, Ask(), 2, 1.0) == 2.0
    assert told.pop() == (1, Ask(), 2, 6.0)
    Abroad(ear, 5.0, others).on_outcome(None, None, Seen(kind=kind, company=1), 2, 1.0)
    assert told == [(None, None, Seen(kind=kind, company=company), 2, 6.0)]


def test_emptied_means_that_one_slot_must_pass() -> None:
    limiter = All((Gcra(rate=2.0, burst=6.0), *quotas(LimitSettings()).limiters))
    state = emptied(limiter, limiter.init(0.0), 10.0)
    assert limiter.admit(state, Ask(), 1, 10.0) == pytest.approx(0.5)
    assert emptied(limiter, state, 5.0) == state
    *_, scopes = state
    _, _, learned, _ = scopes.known[""]
    assert learned.tat == pytest.approx(10.0 + 1 / learned.rate)
    rate, scopes = GcraState(0.0, 3.0), msgspec.structs.replace(scopes, calm=False)
    assert emptied(limiter, (rate, scopes), 0.0) == (GcraState(3.0, 3.0), scopes)
    plain = quotas(LimitSettings(adaptive=False))
    assert emptied(plain, plain.init(0.0), 1.0) == plain.init(0.0)


def test_the_names_tell_apart_what_must_not_be_mixed_and_keep_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        store_names(settings, url, key)
        for settings in SETTINGS
        for url in ("https://a/v1", "https://b/v1")
        for key in ("sk-or-v1-one", "sk-or-v1-two")
    ]
    assert len(set(names)) == len(names)
    assert store_names(LimitSettings(places=1), "u", "k") == store_names(LimitSettings(places=2), "u", "k")
    assert not any("sk-or" in part for pair in names for part in pair)
    assert all(re.fullmatch(r"openrouter:\{[0-9a-f]{32}\}:(quota|members)", part) for pair in names for part in pair)
    monkeypatch.setattr(common, "LAYOUT", (("other",),))
    assert store_names(SETTINGS[0], "https://a/v1", "sk-or-v1-one") != names[0]
