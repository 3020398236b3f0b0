"""What a call may say for itself: its budget, its priority, the models to fall back to; and what the client tells."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import msgspec
import pytest
from returns.result import Failure, Success
from tests.shell.loopback import Loopback, Talk, answer, asking, client_of, completion, error, until

from openrouter_client import (
    BudgetExceeded,
    DeadlineExceeded,
    Fallback,
    Hedge,
    InvalidRequest,
    OpenRouterClient,
    ProviderError,
    Sent,
    unwrap,
)
from openrouter_core.wire.request import ChatCompletionRequest

MODEL = "acme/one"
PRICES = {
    "data": [
        {
            "id": MODEL,
            "context_length": 1000,
            "pricing": {"prompt": "0.001", "completion": "0.01"},
            "top_provider": {"max_completion_tokens": 100},
        }
    ]
}


def costing(usd: float | None) -> bytes:
    """An answer that says what it cost."""
    body = completion()
    body["usage"] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2} | (
        {} if usd is None else {"cost": usd}
    )
    return answer(200, body)


class Shop:
    """A server with a price list, and an answer for each model; it remembers which models were asked."""

    def __init__(self, answers: dict[str, bytes], listed: Any = PRICES) -> None:
        self.answers, self.listed = answers, listed
        self.asked: list[str] = []
        self.lists = 0

    async def __call__(self, talk: Talk) -> None:
        if talk.seen.line.startswith("GET /models") or "/models" in talk.seen.line:
            self.lists += 1
            await talk.say(self.listed if isinstance(self.listed, bytes) else answer(200, self.listed))
            return
        model = json.loads(talk.seen.body)["model"]
        self.asked.append(model)
        await talk.say(self.answers.get(model, answer(503, error(503))))


def ask(model: str = MODEL, **fields: Any) -> ChatCompletionRequest:
    """A small request."""
    return msgspec.structs.replace(asking(), model=model, **fields)


# --- money ----------------------------------------------------------------------------------------------------------


async def test_a_client_spends_no_more_than_its_budget_whatever_comes_at_once() -> None:
    """Bug: calls that are under way together are each paid from the same dollar."""
    shop = Shop({MODEL: costing(0.5)})
    async with Loopback(shop) as server, client_of(server, max_cost_usd=2.55, max_retries=0) as client:
        results = await asyncio.gather(*(client.chat_completion(ask(max_tokens=50)) for _ in range(20)))
        good = [result for result in results if isinstance(result, Success)]
        errors = [result.failure() for result in results if isinstance(result, Failure)]
        stats = client.stats()
    assert shop.lists == 1, "the price list is loaded once"
    assert len(good) == len(shop.asked) == 4
    assert (stats.spent_usd, stats.reserved_usd, stats.guessed_usd) == pytest.approx((2.0, 0.0, 0.0))
    assert all(isinstance(one, BudgetExceeded) for one in errors)
    worst = errors[0]
    assert isinstance(worst, BudgetExceeded)
    assert worst.worst is not None
    assert worst.missing == pytest.approx(worst.worst + 2.0 - 2.55)
    assert "Raise max_cost_usd" in str(worst)


async def test_what_nobody_told_the_cost_of_counts_at_its_worst() -> None:
    shop = Shop({MODEL: costing(None)})
    async with Loopback(shop) as server, client_of(server, max_cost_usd=2.0) as client:
        assert isinstance(await client.chat_completion(ask(max_tokens=50)), Success)
        stats = client.stats()
        assert stats.guessed_usd == stats.spent_usd > 0.5
        assert isinstance(await client.chat_completion(ask(max_tokens=150)), Failure)


async def test_a_call_has_a_budget_of_its_own() -> None:
    shop = Shop({MODEL: costing(0.1)})
    async with Loopback(shop) as server, client_of(server) as client:
        assert isinstance(await client.chat_completion(ask(max_tokens=50), max_cost_usd=1.0), Success)
        refused = (await client.chat_completion(ask(max_tokens=50), max_cost_usd=0.01)).failure()
        assert isinstance(refused, BudgetExceeded)
        assert refused.attempts == ()
        async with client.stream_chat_completion(ask(max_tokens=50), max_cost_usd=0.01) as stream:
            await stream.collect()
        assert isinstance(stream.result.failure(), BudgetExceeded)
    assert (shop.asked, shop.lists) == ([MODEL], 1)


@pytest.mark.parametrize("listed", [answer(503, b"down"), {"data": []}])
async def test_without_a_price_a_budget_refuses_and_says_what_to_do(
    listed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Bug: a model without a price is taken to be free."""
    shop = Shop({MODEL: costing(0.1)}, listed)
    async with Loopback(shop) as server, client_of(server, max_retries=0) as client:
        with caplog.at_level(logging.WARNING, "openrouter_client"):
            refused = (await client.chat_completion(ask(), max_cost_usd=1.0)).failure()
    assert isinstance(refused, BudgetExceeded)
    assert refused.worst is None
    assert "assumed_cost_usd" in str(refused)
    assert ("the price list could not be loaded" in caplog.text) == isinstance(listed, bytes)


async def test_a_worst_case_can_be_assumed() -> None:
    shop = Shop({"acme/rare": costing(0.01)})
    async with Loopback(shop) as server, client_of(server, max_cost_usd=0.1, assumed_cost_usd=0.04) as client:
        assert isinstance(await client.chat_completion(ask("acme/rare")), Success)
        assert client.stats().spent_usd == pytest.approx(0.01)


async def test_the_budget_of_a_typed_call_covers_its_repairs() -> None:
    """Bug: each repair may cost as much as the whole."""
    shop = Shop({MODEL: costing(0.9)})
    async with Loopback(shop) as server, client_of(server) as client:
        result = await client.chat_completion_as(int, ask(max_tokens=50), repair=3, max_cost_usd=1.0)
    assert isinstance(result.failure(), BudgetExceeded)
    assert shop.asked == [MODEL]
    async with Loopback(Shop({MODEL: costing(None)})) as server, client_of(server) as client:
        result = await client.chat_completion_as(int, ask(max_tokens=50), repair=3, max_cost_usd=5.0)
        assert isinstance(result.failure(), BudgetExceeded)


async def test_the_price_list_can_be_loaded_by_hand() -> None:
    shop = Shop({})
    async with Loopback(shop) as server:
        client = client_of(server)
        async with client:
            assert await client.load_prices() == Success(1)
            assert await client.load_prices() == Success(1)
        assert isinstance(await client.load_prices(), Failure)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"max_cost_usd": -1.0}, "max_cost_usd"),
        ({"max_cost_usd": float("nan")}, "max_cost_usd"),
        ({"priority": 1.5}, "priority"),
        ({"priority": "high"}, "priority"),
        ({"deadline_secs": 0}, "deadline_secs"),
        ({"fallbacks": [Fallback("")]}, "fallbacks[0].model"),
    ],
)
async def test_an_option_that_does_not_fit_is_named(options: dict[str, Any], field: str) -> None:
    async with Loopback(Shop({})) as server, client_of(server) as client:
        refused = (await client.chat_completion(ask(), **options)).failure()
        assert isinstance(refused, InvalidRequest)
        assert refused.field == field
        assert not server.requests or field == "max_cost_usd"


# --- order ----------------------------------------------------------------------------------------------------------


async def test_urgent_calls_go_first_and_equal_ones_in_their_order() -> None:
    """Bug: a priority that nobody heeds, or that turns the order of equals around."""
    shop = Shop({str(number): costing(0.0) for number in range(9)})
    async with Loopback(shop) as server, client_of(server, max_connections=1, adaptive_limits=False) as client:
        calls = [client.chat_completion(ask(str(number)), priority=-(number % 3)) for number in range(9)]
        await asyncio.gather(*calls)
    assert shop.asked == ["0", "2", "5", "8", "1", "4", "7", "3", "6"]


async def test_a_deadline_that_the_line_cannot_meet_is_told_at_once() -> None:
    shop = Shop({MODEL: costing(0.0)})
    async with Loopback(shop) as server, client_of(server, requests_per_minute=2) as client:
        assert isinstance(await client.chat_completion(ask()), Success)
        loop = asyncio.get_running_loop()
        began = loop.time()
        late = (await client.chat_completion(ask(), deadline_secs=20)).failure()
        assert loop.time() - began < 5.0
    assert isinstance(late, DeadlineExceeded)
    assert late.needed is not None
    assert 29.0 < late.needed <= 30.0
    assert "wait in line for at least" in str(late)


# --- other models ---------------------------------------------------------------------------------------------------


async def test_another_model_answers_when_the_first_cannot() -> None:
    shop = Shop({"acme/two": costing(0.0)})
    async with Loopback(shop) as server, client_of(server, max_retries=1, retry_delay_ms=1) as client:
        got = unwrap(await client.chat_completion(ask(), fallbacks=[Fallback("acme/two")]))
        assert got.call is not None
        assert [attempt.model for attempt in got.call.attempts] == ["", "", "acme/two"]
        lost = (await client.chat_completion(ask(), fallbacks=[Fallback("acme/two", ("Timeout",))])).failure()
        assert isinstance(lost, ProviderError)
    assert shop.asked == [MODEL, MODEL, "acme/two", MODEL, MODEL]


async def test_openrouter_itself_goes_on_to_the_models_that_need_nothing_else() -> None:
    """Bug: a second request for what one could do."""
    shop = Shop({MODEL: costing(0.0)})
    async with Loopback(shop) as server, client_of(server) as client:
        unwrap(
            await client.chat_completion(ask(), fallbacks=[Fallback("acme/two", ("RateLimited",)), Fallback("acme/x")])
        )
        sent = json.loads(server.requests[0].body)
    assert (sent["model"], sent["models"]) == (MODEL, ["acme/two"])


async def test_a_bad_request_with_fallbacks_is_still_a_clear_error() -> None:
    async with Loopback(Shop({})) as server, client_of(server) as client:
        both = [Fallback("a", ("RateLimited",)), Fallback("b")]
        for bad in (ask(temperature=9), 7):
            refused = (await client.chat_completion(bad, fallbacks=both)).failure()  # type: ignore[arg-type] # a wrong type is what is tested
            assert isinstance(refused, InvalidRequest)
        assert not server.requests


# --- hedging --------------------------------------------------------------------------------------------------------


def hedging(server: Loopback, hedge: Hedge, **settings: Any) -> OpenRouterClient:
    """A client that hedges."""
    plain = client_of(server, **settings)
    return unwrap(OpenRouterClient.new(plain.config, hedge=hedge))


class Slow:
    """A server that is slow at its first requests."""

    def __init__(self, slow: int, then: bytes, late: bytes | None = None, wait: float = 30.0) -> None:
        self.slow, self.then, self.late, self.wait = slow, then, late, wait
        self.came = 0

    async def __call__(self, talk: Talk) -> None:
        self.came += 1
        if self.came <= self.slow:
            if self.late is None:
                await talk.gone()
                return
            await asyncio.sleep(self.wait)
            await talk.say(self.late)
            return
        await talk.say(self.then)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_second_copy_answers_when_the_first_is_slow(*, streamed: bool) -> None:
    """Bug: the slow one is waited for all the same, or its connection is kept."""
    script = Slow(1, costing(0.2))
    async with Loopback(script) as server, hedging(server, Hedge(after_secs=0.05), timeout_secs=30.0) as client:
        got = unwrap(await client.chat_completion(ask(), streamed=streamed))
        assert got.call is not None
        hedged = got.call.hedged
        assert hedged is not None
        assert (hedged.winner, hedged.other, hedged.other_cost) == ("second", "cancelled", None)
        assert hedged.after >= 0.05
        await until(lambda: server.left >= 1)
        assert client.stats().alive == client.stats().in_flight == 0


async def test_a_quick_call_has_no_second_copy_and_a_budget_bounds_the_rest() -> None:
    script = Slow(0, costing(0.1))
    async with Loopback(script) as server, hedging(server, Hedge(after_secs=5.0)) as client:
        got = unwrap(await client.chat_completion(ask()))
        assert got.call is not None
        assert got.call.hedged is None
    late = Slow(10**9, b"", costing(0.1), wait=0.05)
    async with Loopback(late) as server, hedging(server, Hedge(after_secs=0.0, budget=0.01, most=1.0)) as client:
        for _ in range(4):
            unwrap(await client.chat_completion(ask()))
        assert late.came == 5


async def test_the_first_may_still_win_and_the_cost_of_the_other_is_told() -> None:
    class First(Slow):
        """The first is slow but good, the second is refused at once."""

        async def __call__(self, talk: Talk) -> None:
            self.came += 1
            if self.came == 1:
                await asyncio.sleep(0.3)
                await talk.say(costing(0.3))
            else:
                await talk.say(answer(401, error(401)))

    async with Loopback(First(0, b"")) as server, hedging(server, Hedge(after_secs=0.05)) as client:
        got = unwrap(await client.chat_completion(ask()))
    assert got.call is not None
    hedged = got.call.hedged
    assert hedged is not None
    assert (hedged.winner, hedged.other, hedged.other_cost) == ("first", "AuthError", 0.0)


async def test_when_both_copies_fail_the_first_ones_error_is_told() -> None:
    class Failing(Slow):
        async def __call__(self, talk: Talk) -> None:
            self.came += 1
            status = 401 if self.came == 1 else 403
            await asyncio.sleep(0.2)
            await talk.say(answer(status, error(status)))

    async with Loopback(Failing(0, b"")) as server, hedging(server, Hedge(after_secs=0.05)) as client:
        assert (await client.chat_completion(ask())).failure().status == 401


async def test_cancelling_a_hedged_call_drops_both_copies() -> None:
    """Bug: a copy that nobody waits for goes on, and is billed."""
    async with Loopback(Slow(9, b"")) as server, hedging(server, Hedge(after_secs=0.02)) as client:
        call = asyncio.create_task(client.chat_completion(ask()))
        await until(lambda: len(server.requests) >= 2)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: server.left >= 2)
        assert client.stats().alive == 0


async def test_a_hedge_that_makes_no_sense_is_refused() -> None:
    plain = client_of("https://openrouter.ai/api/v1")
    refused = OpenRouterClient.new(plain.config, hedge=Hedge()).failure()
    assert isinstance(refused, InvalidRequest)
    assert refused.field == "hedge.after_secs"


# --- what the client tells ------------------------------------------------------------------------------------------


async def test_stats_tell_how_things_stand() -> None:
    class Gate:
        """A server that answers when it is told to."""

        def __init__(self) -> None:
            self.opened = asyncio.Event()

        async def __call__(self, talk: Talk) -> None:
            await self.opened.wait()
            await talk.say(costing(0.1))

    gate, moments = Gate(), list[Any]()
    async with Loopback(gate) as server, client_of(server, max_connections=2, observe=moments.append) as client:
        calls = [asyncio.create_task(client.chat_completion(ask())) for _ in range(5)]
        await until(lambda: sum(isinstance(moment.event, Sent) for moment in moments) == 2)
        stats = client.stats()
        assert (stats.alive, stats.waiting, stats.in_flight, stats.answered) == (5, 3, 2, 0)
        assert stats.scopes[""].in_flight == 2
        gate.opened.set()
        await asyncio.gather(*calls)
        stats = client.stats()
        assert (stats.alive, stats.waiting, stats.in_flight, stats.answered, stats.failed) == (0, 0, 0, 5, 0)
        assert stats.refused_share == 0.0
        assert not stats.held
