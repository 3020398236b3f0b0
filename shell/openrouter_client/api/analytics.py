"""What was used, by a management key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from returns.result import Result

from openrouter_client.api.base import Group, Options
from openrouter_core.endpoints.access import GET_ACTIVITY, GET_ANALYTICS_META, QUERY_ANALYTICS
from openrouter_core.errors import DataSourceError
from openrouter_core.wire.account import Activity, AnalyticsMeta, AnalyticsRows, GetActivity, QueryAnalytics


class Analytics(Group):
    """What was used, by a management key."""

    async def activity(
        self, which: GetActivity | None = None, **how: Unpack[Options]
    ) -> Result[Sequence[Activity], DataSourceError]:
        """List what was used, by day and endpoint."""
        return await self._items(GET_ACTIVITY, which, how)

    async def meta(self, **how: Unpack[Options]) -> Result[AnalyticsMeta, DataSourceError]:
        """List what analytics can tell."""
        return await self._one(GET_ANALYTICS_META, None, how)

    async def query(self, request: QueryAnalytics, **how: Unpack[Options]) -> Result[AnalyticsRows, DataSourceError]:
        """Ask for analytics."""
        return await self._one(QUERY_ANALYTICS, request, how)
