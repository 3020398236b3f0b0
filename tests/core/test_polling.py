"""polling: asking ends, never comes faster than the policy says, and tells a job that failed from one that did not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.errors import ConnectError, Disconnected, Forbidden, NotFound, ProviderError, RateLimited, Timeout
from openrouter_core.polling import BATCH, GENERATION, VIDEO, Polling, ask_again, failure_of_job, next_ask, not_yet
from openrouter_core.wire import batches, videos
from openrouter_core.wire.batches import Batch
from openrouter_core.wire.videos import Video


@given(
    st.builds(
        Polling,
        first=st.floats(0.01, 10),
        factor=st.floats(1, 3),
        longest=st.floats(10, 100),
        deadline=st.floats(0, 1e4),
    )
)
def test_waits_grow_to_the_longest_and_end_at_the_deadline(polling: Polling) -> None:
    elapsed, asked, last = 0.0, 0, 0.0
    while (wait := next_ask(polling, asked, elapsed)) is not None:
        assert 0 < wait <= polling.longest
        assert wait >= last or elapsed + wait >= polling.deadline
        elapsed, asked, last = elapsed + wait, asked + 1, wait
        assert asked < 10**7
    assert elapsed == pytest.approx(polling.deadline)


@pytest.mark.parametrize("polling", [VIDEO, BATCH, GENERATION])
def test_the_policies_begin_as_they_say_and_go_on_for_long(polling: Polling) -> None:
    assert next_ask(polling, 0, 0.0) == polling.first
    assert next_ask(polling, 10**9, 0.0) == polling.longest
    assert next_ask(polling, 1, polling.deadline) is None


@pytest.mark.parametrize(
    ("elapsed", "quickest", "wait"),
    [(9.25, 0.25, 0.25), (9.5, 0.25, None), (8.75, 0.5, 0.25), (8.75, 3.0, 0.25), (9.0, 3.0, None), (9.75, 0.0, 0.25)],
)
def test_twice_the_quickest_answer_is_kept_for_the_last_one_but_no_more_than_the_first_wait(
    elapsed: float, quickest: float, wait: float | None
) -> None:
    assert next_ask(Polling(first=1.0, longest=4.0, deadline=10.0), 9, elapsed, quickest) == wait


def test_absence_is_not_failure_while_a_generation_is_written_down() -> None:
    missing = NotFound(message="no such generation")
    assert not_yet(GENERATION, missing, 0.0)
    assert not not_yet(GENERATION, missing, GENERATION.absent)
    assert not not_yet(GENERATION, Forbidden(message="no"), 0.0)
    assert not not_yet(VIDEO, missing, 0.0)


@pytest.mark.parametrize("status", [videos.PENDING, videos.IN_PROGRESS, videos.COMPLETED, "new"])
def test_a_job_that_goes_on_or_went_well_has_not_failed(status: str) -> None:
    assert failure_of_job(Video(id="v", status=status)) is None
    assert Video(id="v", status=status).ended == (status == videos.COMPLETED)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (Video(id="v", status=videos.FAILED, error="too dark"), "video v failed: too dark"),
        (Batch(id="b", status=batches.EXPIRED), "batch b expired: no reason given"),
        (Batch(id="b", status=batches.FAILED, error={"message": "bad line"}), "batch b failed: bad line"),
        (Batch(id="b", status=batches.CANCELLED, error={"message": 5}), "batch b cancelled: no reason given"),
    ],
)
def test_a_job_that_ended_badly_is_a_failure_with_its_reason(job: Video | Batch, message: str) -> None:
    error = failure_of_job(job)
    assert error is not None
    assert error.message == message


def test_a_question_that_fails_is_asked_again_and_a_refusal_is_not() -> None:
    """Bug: half an hour of a video is given up for one 503."""
    for lost in (ProviderError(message=""), RateLimited(message=""), Timeout(message=""), Disconnected(message="")):
        assert ask_again(VIDEO, lost, 1e6)
    assert ask_again(VIDEO, ConnectError(message="", kind="dns"), 0.0)
    assert not ask_again(VIDEO, ConnectError(message="", kind="closed"), 0.0)
    assert not ask_again(VIDEO, Forbidden(message=""), 0.0)
    assert not ask_again(VIDEO, NotFound(message=""), 0.0)
    assert ask_again(GENERATION, NotFound(message=""), 1.0)
