"""What is known afterwards of a generation: its tokens, its cost, its content."""

from __future__ import annotations

from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_client.waiting import until_ended, within
from openrouter_core.endpoints.catalogue import GET_GENERATION, GET_GENERATION_CONTENT, SUBMIT_FEEDBACK
from openrouter_core.errors import DataSourceError
from openrouter_core.polling import GENERATION, Polling
from openrouter_core.wire.generation import FeedbackTaken, Generation, GenerationContent, GenerationFeedback
from openrouter_core.wire.params import Id


class Generations(Group):
    """What is known afterwards of a generation."""

    async def get(
        self,
        generation_id: str,
        *,
        deadline_secs: float | None = None,
        polling: Polling = GENERATION,
        priority: int = 0,
    ) -> Result[Generation, DataSourceError]:
        """Get what a generation used and cost, by the id that its answer had (`response.id`).

        OpenRouter knows of it some seconds after it; until then this asks again, at most for `deadline_secs` (20 s).
        """

        async def ask(left: float) -> Result[Generation, DataSourceError]:
            return await self._one(GET_GENERATION, Id(id=generation_id), {"deadline_secs": left, "priority": priority})

        what = f"generation {generation_id}"
        return await until_ended(self._world, ask, lambda _: True, within(polling, deadline_secs), what)

    async def content(self, generation_id: str, **how: Unpack[Options]) -> Result[GenerationContent, DataSourceError]:
        """Get what was asked and answered, where it is kept."""
        return await self._one(GET_GENERATION_CONTENT, Id(id=generation_id), how)

    async def feedback(
        self, request: GenerationFeedback, **how: Unpack[Options]
    ) -> Result[FeedbackTaken, DataSourceError]:
        """Say what was wrong with a generation; takes a management key."""
        return await self._one(SUBMIT_FEEDBACK, request, how)
