"""Rankings, benchmarks and shares: public data about models and apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options, PageOptions
from openrouter_client.paging import Pages
from openrouter_core.endpoints.catalogue import (
    GET_APP_RANKINGS,
    GET_BENCHMARKS,
    GET_DAILY_RANKINGS,
    GET_SESSION_COSTS,
    GET_TASK_SHARES,
)
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.datasets import (
    AppRanking,
    BenchmarkResult,
    DailyRanking,
    GetAppRankings,
    GetBenchmarks,
    GetDailyRankings,
    GetSessionCosts,
    GetTaskShares,
    SessionCost,
    TaskShares,
)


class Datasets(Group):
    """Rankings, benchmarks and shares: public data about models and apps."""

    def app_rankings(self, which: GetAppRankings | None = None, **how: Unpack[PageOptions]) -> Pages[AppRanking]:
        """List the apps that use the most tokens."""
        return self._caller.pages(GET_APP_RANKINGS, which, **how)

    async def daily_rankings(
        self, which: GetDailyRankings | None = None, **how: Unpack[Options]
    ) -> Result[Sequence[DailyRanking], DataSourceError]:
        """List the tokens of the top models, day by day."""
        return await self._items(GET_DAILY_RANKINGS, which, how)

    def session_costs(self, which: GetSessionCosts | None = None, **how: Unpack[PageOptions]) -> Pages[SessionCost]:
        """List what sessions cost, by app and model."""
        return self._caller.pages(GET_SESSION_COSTS, which, **how)

    async def benchmarks(
        self, which: GetBenchmarks | None = None, **how: Unpack[Options]
    ) -> Result[Sequence[BenchmarkResult], DataSourceError]:
        """List scores of models."""
        return await self._items(GET_BENCHMARKS, which, how)

    async def task_shares(
        self, which: GetTaskShares | None = None, **how: Unpack[Options]
    ) -> Result[TaskShares, DataSourceError]:
        """Tell what models are used for."""
        return await self._one(GET_TASK_SHARES, which, how)
