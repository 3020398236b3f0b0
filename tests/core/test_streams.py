"""streams: every endpoint that can stream has a fold."""

from __future__ import annotations

from openrouter_core.endpoints.table import TABLE
from openrouter_core.streams import FOLDS


def test_every_kind_of_events_has_its_fold() -> None:
    kinds = {endpoint.events for endpoint in TABLE.values() if endpoint.events is not None}
    assert kinds == set(FOLDS)
    assert all(FOLDS[kind].event is kind for kind in kinds)
