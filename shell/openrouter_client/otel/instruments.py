"""The instruments: histograms and counters that calls record into, and gauges that ask the clients how they stand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakMethod

from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Meter, Observation

from openrouter_core.admission import Stats
from openrouter_core.genai import names
from openrouter_core.limit.standard import View

TRIES: Final = 3
"""How often a client is asked that changes under the question: the reader may run in another thread."""

COUNTS: Final[dict[str, tuple[str, str, Callable[[Stats], float]]]] = {
    names.CLIENT_ALIVE: ("{call}", "Calls that have begun and not ended", lambda stats: stats.alive),
    names.CLIENT_WAITING: ("{call}", "Calls that wait in line", lambda stats: stats.waiting),
    names.CLIENT_IN_FLIGHT: ("{attempt}", "Attempts that are under way", lambda stats: stats.in_flight),
    names.CLIENT_RESERVED: ("{USD}", "Money set aside for attempts under way", lambda stats: stats.reserved_usd),
}

SCOPES: Final[dict[str, tuple[str, str, Callable[[View], float | None]]]] = {
    names.LIMITER_RATE: ("{request}/s", "The rate that the limiter allows, where it knows one", lambda view: view.rate),
    names.LIMITER_CONCURRENCY: ("{attempt}", "The attempts that may be under way", lambda view: view.concurrency),
    names.LIMITER_PAUSED: ("s", "How long nobody may send", lambda view: view.paused),
    names.LIMITER_HELD: ("1", "1 while an outage holds calls back", lambda view: float(view.held)),
}


class Clients:
    """The clients that were attached, as long as they live."""

    def __init__(self) -> None:
        self._asked: list[WeakMethod[Callable[[], Stats]]] = []

    def add(self, stats: Callable[[], Stats]) -> None:
        """Get to know a client by its bound method `stats`."""
        self._asked = [one for one in self._asked if one() is not None]
        self._asked.append(WeakMethod(stats))

    def stats(self) -> list[Stats]:
        """Tell how those stand that have begun a call."""
        told = (standing(asked) for one in tuple(self._asked) if (asked := one()) is not None)
        return [stats for stats in told if stats is not None]


def standing(stats: Callable[[], Stats]) -> Stats | None:
    """Ask a client how it stands; None for one that has no loop yet, or is too busy to tell."""
    for _ in range(TRIES):
        try:
            return stats()
        except RuntimeError:  # no running event loop, or a dictionary that changed its size
            continue
    return None


class Instruments:
    """Everything that is measured."""

    def __init__(self, meter: Meter, clients: Clients) -> None:
        self.duration: Histogram = seconds(meter, names.DURATION, "Duration of GenAI client operation")
        self.tokens: Histogram = meter.create_histogram(
            names.TOKEN_USAGE,
            unit="{token}",
            description="Number of input and output tokens used by GenAI clients",
            explicit_bucket_boundaries_advisory=names.TOKENS,
        )
        self.first_chunk: Histogram = seconds(meter, names.TIME_TO_FIRST_CHUNK, "Time to receive the first chunk")
        self.per_chunk: Histogram = seconds(meter, names.TIME_PER_CHUNK, "Time between two chunks of a stream")
        self.queue: Histogram = seconds(meter, names.CLIENT_QUEUE, "Time that an attempt waited in line")
        self.retries: Counter = meter.create_counter(
            names.CLIENT_RETRIES, unit="{retry}", description="Attempts that failed and were repeated"
        )
        self.cost: Counter = meter.create_counter(names.CLIENT_COST, unit="{USD}", description="What calls cost")
        for name, (unit, told, of) in COUNTS.items():
            meter.create_observable_gauge(name, [counted(clients, of)], unit=unit, description=told)
        for name, (unit, told, seen) in SCOPES.items():
            meter.create_observable_gauge(name, [scoped(clients, seen)], unit=unit, description=told)


def seconds(meter: Meter, name: str, description: str) -> Histogram:
    """Make a histogram of durations."""
    return meter.create_histogram(
        name, unit="s", description=description, explicit_bucket_boundaries_advisory=names.SECONDS
    )


Callback = Callable[[CallbackOptions], Iterable[Observation]]


def counted(clients: Clients, of: Callable[[Stats], float]) -> Callback:
    """Observe a figure of all clients together."""

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        told = clients.stats()
        return [Observation(sum(of(stats) for stats in told))] if told else []

    return observe


def scoped(clients: Clients, of: Callable[[View], float | None]) -> Callback:
    """Observe what the limiters think: of the key, without a scope, and of each model that had trouble of its own.

    Of several clients the highest value is told. What is not known, or has no limit, is not.
    """

    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        highest: dict[str, float] = {}
        for stats in clients.stats():
            for scope, view in stats.scopes.items():
                value = of(view)
                if value is not None and math.isfinite(value):
                    highest[scope] = max(value, highest.get(scope, value))
        return [Observation(value, {names.SCOPE: scope} if scope else None) for scope, value in highest.items()]

    return observe
