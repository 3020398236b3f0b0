"""The options that all commands have which call OpenRouter: whom to ask, and how patiently."""

from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter, validators

from openrouter_client.cli.problems import usage
from openrouter_core.errors import InvalidRequest

Json = Annotated[bool, Parameter(negative="", show_default=False)]
"""The option --json: data for machines, and failures as JSON too."""

_AT_LEAST_ZERO = validators.Number(gte=0)
_ABOVE_ZERO = validators.Number(gt=0)


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Reach:
    """Whom to ask, and how patiently. Keys are never options: other users of the machine could read them.

    Parameters
    ----------
    base_url
        The address of the API, instead of OPENROUTER_BASE_URL or OpenRouter's own.
    simulate
        Let a stand-in on this machine answer: made-up answers, no key, no network, no cost.
    seed
        With --simulate: the seed of its answers and faults.
    faults
        With --simulate: which faults it makes; see `openrouter-client simulate --help`.
    deadline
        The limit of each call in seconds, retries and waits included.
    timeout
        The limit of each attempt in seconds.
    retries
        How many attempts may follow a failed first one.
    retry_delay_ms
        The wait before the first retry in milliseconds; it doubles with each.

    """

    base_url: str | None = None
    simulate: Annotated[bool, Parameter(negative="", show_default=False)] = False
    seed: int = 0
    faults: str | None = None
    deadline: Annotated[float | None, Parameter(validator=_ABOVE_ZERO)] = None
    timeout: Annotated[float | None, Parameter(validator=_ABOVE_ZERO)] = None
    retries: Annotated[int | None, Parameter(validator=_AT_LEAST_ZERO)] = None
    retry_delay_ms: Annotated[int | None, Parameter(validator=_AT_LEAST_ZERO)] = None

    @property
    def stand_in(self) -> str | None:
        """What the stand-in is like, for people; None where the real API is asked."""
        return f"seed {self.seed}, faults: {self.faults or 'none'}" if self.simulate else None

    def settings(self) -> dict[str, Any]:
        """Give the client's settings that these options are; what was not given is left to the environment."""
        given = {
            "base_url": self.base_url,
            "deadline_secs": self.deadline,
            "timeout_secs": self.timeout,
            "max_retries": self.retries,
            "retry_delay_ms": self.retry_delay_ms,
        }
        return {name: value for name, value in given.items() if value is not None}

    def flaw(self) -> InvalidRequest | None:
        """Find options that contradict each other."""
        if self.faults is not None and not self.simulate:
            return usage("--faults", self.faults, "is for the local stand-in: add --simulate, or leave it out")
        if self.base_url is not None and self.simulate:
            return usage("--base-url", self.base_url, "and --simulate name two servers: leave one of them out")
        return None


EVERYWHERE = Reach()
"""Without any option."""
