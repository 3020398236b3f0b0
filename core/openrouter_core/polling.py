"""Jobs that take their time: when to ask again, and when to stop asking. As data; pure.

submit --> ask --not ended--> wait --> ask ... --ended--> the job, whatever became of it
             +---404, for a generation that is not written down yet---^
"""

from __future__ import annotations

from typing import Any

import msgspec

from openrouter_core.envelope import mapping, text
from openrouter_core.errors import (
    ConnectError,
    DataSourceError,
    Disconnected,
    NotFound,
    ProviderError,
    RateLimited,
    Timeout,
)
from openrouter_core.wire.batches import Batch
from openrouter_core.wire.videos import Video


class Polling(msgspec.Struct, frozen=True):
    """How to ask about a job: first after `first` seconds, then ever more seldom, up to `longest` seconds apart.

    `deadline` is how long to go on, in seconds. `absent` says that for so many seconds a 404 means "not yet".
    """

    first: float
    factor: float = 1.5
    longest: float = 60.0
    deadline: float = 600.0
    absent: float = 0.0


MOST_STEPS = 64
"""After so many, every policy waits its longest, and the power would overflow."""

VIDEO = Polling(first=5.0, factor=1.2, longest=30.0, deadline=1_800.0)
"""A video takes minutes (OpenRouter docs, guides/overview/multimodal/video-generation)."""

BATCH = Polling(first=10.0, factor=1.5, longest=300.0, deadline=90_000.0)
"""A batch takes up to 24 hours (OpenRouter docs, batch-quickstart)."""

GENERATION = Polling(first=0.5, factor=1.5, longest=4.0, deadline=20.0, absent=15.0)
"""What is known of a generation takes some seconds to appear; until then the status is 404, as for one that is not."""


def next_ask(polling: Polling, asked: int, elapsed: float, quickest: float = 0.0) -> float | None:
    """Tell how many seconds to wait before asking again, after `asked` times in `elapsed` seconds; None is: give up.

    The last wait is cut short so that the last answer comes before the deadline, if it takes up to twice as long as the
    `quickest` so far; but no more than `polling.first` is kept for it.
    """
    left = polling.deadline - elapsed - min(polling.first, 2 * quickest)
    if left <= 0:
        return None
    return min(polling.first * polling.factor ** min(asked, MOST_STEPS), polling.longest, left)


def not_yet(polling: Polling, error: DataSourceError, elapsed: float) -> bool:
    """Tell whether a failure means that what is asked about is not there yet."""
    return isinstance(error, NotFound) and elapsed < polling.absent


def ask_again(polling: Polling, error: DataSourceError, elapsed: float) -> bool:
    """Tell whether to go on asking after a failure to ask: the job goes on, whatever becomes of the question."""
    lost = isinstance(error, (Disconnected, ProviderError, RateLimited, Timeout))
    away = isinstance(error, ConnectError) and error.kind != "closed"
    return lost or away or not_yet(polling, error, elapsed)


def failure_of_job(job: Video | Batch) -> ProviderError | None:
    """Give the error of a job that has ended, but not well; None for one that has, or has not ended."""
    if not job.ended or job.status == "completed":
        return None
    return ProviderError(message=f"{type(job).__name__.lower()} {job.id} {job.status}: {told(job.error)}")


def told(error: Any) -> str:
    """Say why a job failed, as far as it tells."""
    return text(mapping(error).get("message")) or text(error) or "no reason given"
