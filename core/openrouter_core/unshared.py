"""What must not be copied to another process: a copy would have limits, budgets and connections of its own."""

from __future__ import annotations

from typing import NoReturn


class Unshared:
    """Refuses to be pickled, and to be copied: both would make a second one that knows nothing of the first."""

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        """Refuse; raises TypeError."""
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: the copy would have limits, budgets and connections "
            "of its own, and nobody would keep to the sum. Pass its OpenRouterConfig on (the key does not travel "
            "with it) and make one there; for one quota over many processes set redis_url, or use RayBatchRun"
        )
