"""Properties must bite: each is run once more over a planted bug, and has to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st


def caught(
    prop: Callable[..., None],
    *strategies: st.SearchStrategy[Any],
    where: object,
    raises: type[Exception] = AssertionError,
    **planted: object,
) -> None:
    """Replace attributes of `where` by planted bugs, and demand that the property of a `@given` test fails."""
    seeking = settings(
        max_examples=1000,
        database=None,
        derandomize=True,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    inner = cast("Any", prop).hypothesis.inner_test
    with pytest.MonkeyPatch.context() as patch:
        for name, mutant in planted.items():
            patch.setattr(where, name, mutant)
        with pytest.raises(raises):
            seeking(given(*strategies)(inner))()


# --- bugs that more than one test plants ------------------------------------------------------------------------------


def last_first(self: Any) -> Any:
    """Planted in a line's `head`: the youngest is served first."""
    place = max(self._waiting)
    return place, self._waiting[place][1]


def last_out(self: Any) -> Any:
    """Planted in its `pop`: and leaves."""
    first = self.head()
    del self._waiting[first[0]]
    return first
