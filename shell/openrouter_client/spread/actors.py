"""The boundary to Ray: the actors, and all that is known of its interface. Ray's own types end here.

What Ray is asked for is small, and stands in `Ray` and `Handle`: the package is looked up when it is needed, so that
nothing else of this library needs it.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from returns.result import Failure, Result, Success

from openrouter_client.spread.coordinator import Coordinator
from openrouter_client.spread.link import LinkLost
from openrouter_client.spread.spec import Spec, keyed
from openrouter_client.spread.worker import Worker
from openrouter_core.admission import Stats
from openrouter_core.bulk.figures import Progress, Summary
from openrouter_core.bulk.posts import FromWorker, Heard, Hello, ToWorker, Welcome
from openrouter_core.bulk.states import Stop
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.refuse import refuse

T = TypeVar("T")

MISSING = 'needs the package ray: pip install "aio-openrouter[ray]"'
IDLE = "needs a Ray that was connected to: call ray.init() (or ray.init(address=...)) before"


class Method(Protocol):
    """A method of an actor: what it gives can be awaited."""

    def remote(self, *args: Any) -> Awaitable[Any]:
        """Call it."""
        ...


class Handle(Protocol):
    """An actor, from afar."""

    def __getattr__(self, name: str) -> Method:
        """Give one of its methods."""
        ...


class Ray(Protocol):
    """The part of the package `ray` that is used here."""

    def is_initialized(self) -> bool:
        """Tell whether this process is connected."""
        ...

    def remote(self, **options: Any) -> Callable[[type[Any]], Any]:
        """Make a class whose objects are actors."""
        ...

    def kill(self, actor: Handle, *, no_restart: bool = True) -> None:
        """End an actor."""
        ...

    def get_runtime_context(self) -> Any:
        """Tell where one is."""
        ...


def connected() -> Result[Ray, InvalidRequest]:
    """Give the package, if it is there and connected."""
    if importlib.util.find_spec("ray") is None:
        return Failure(refuse("ray", MISSING))
    ray: Ray = cast("Ray", importlib.import_module("ray"))
    return Success(ray) if ray.is_initialized() else Failure(refuse("ray", IDLE))


class RayLink:
    """A worker's way to its coordinator, through Ray; see `Link`. Ray itself repeats calls to one that it restarts."""

    def __init__(self, coordinator: Handle) -> None:
        self.coordinator: Handle = coordinator
        self.broken: type[Exception] = importlib.import_module("ray.exceptions").RayError

    async def hello(self, hello: Hello) -> Welcome:
        """Present oneself."""
        return await self.made(self.coordinator.hello.remote(hello))

    async def post(self, session: str, heard: Heard[FromWorker]) -> bool:
        """Tell something."""
        return await self.made(self.coordinator.post.remote(session, heard))

    async def hear(self, session: str, after: int) -> Heard[ToWorker] | None:
        """Wait for something to be told."""
        return await self.made(self.coordinator.hear.remote(session, after))

    async def made(self, call: Awaitable[T]) -> T:
        """Wait for an answer; raises `LinkLost`."""
        try:
            return await call
        except self.broken as error:
            raise LinkLost(type(error).__name__) from None


class CoordinatorActor:
    """The coordinator, as an actor. When Ray restarts it, it goes on from its ledger."""

    def __init__(self, spec: Spec) -> None:
        self.spec: Spec = spec
        self.run_of_it: Result[Coordinator, DataSourceError] = coordinator_of(spec)
        context: Any = importlib.import_module("ray").get_runtime_context()
        if isinstance(self.run_of_it, Success):
            self.coordinator.resumed = bool(context.was_current_actor_reconstructed)

    @property
    def coordinator(self) -> Coordinator:
        """The run."""
        return self.run_of_it.unwrap()

    async def run(self) -> Result[Summary, DataSourceError]:
        """Run it to its end."""
        return (
            await self.coordinator.run() if isinstance(self.run_of_it, Success) else Failure(self.run_of_it.failure())
        )

    async def hello(self, hello: Hello) -> Welcome:
        """See `Link`."""
        return await self.coordinator.hello(hello) if isinstance(self.run_of_it, Success) else Welcome(over=True)

    async def post(self, session: str, heard: Heard[FromWorker]) -> bool:
        """See `Link`."""
        return await self.coordinator.post(session, heard)

    async def hear(self, session: str, after: int) -> Heard[ToWorker] | None:
        """See `Link`."""
        return await self.coordinator.hear(session, after)

    async def progress(self) -> Progress:
        """See `BatchRun`."""
        return self.coordinator.progress()

    async def stats(self) -> Stats:
        """See `BatchRun`."""
        return self.coordinator.stats()

    async def slowest(self, most: int) -> list[tuple[int, str | None, float]]:
        """See `BatchRun`."""
        return self.coordinator.slowest(most)

    async def stop(self, why: Stop, told: str) -> None:
        """See `BatchRun`."""
        self.coordinator.stop(why, told)

    async def abort(self, why: Stop, told: str) -> None:
        """See `BatchRun`."""
        self.coordinator.abort(why, told)


def coordinator_of(spec: Spec) -> Result[Coordinator, DataSourceError]:
    """Make the run that a spec describes, with the key of this machine."""

    def told(coordinator: Coordinator) -> Coordinator:
        coordinator.workers = spec.workers
        return coordinator

    return (
        keyed(spec.config, spec.key_env)
        .bind(
            lambda config: Coordinator.new(
                spec.source,
                spec.output,
                spec.settings,
                config=config,
                ledger=spec.ledger,
                fallbacks=spec.fallbacks,
            )
        )
        .map(told)
    )


class WorkerActor:
    """A worker, as an actor. When Ray restarts it, its new life presents itself, and the old one's rows come back."""

    def __init__(self, spec: Spec, name: str) -> None:
        self.spec: Spec = spec
        self.name: str = name

    async def run(self, coordinator: Handle) -> None:
        """Work until the run is over. What a worker has is gone with its process: Ray calls this again in the next."""
        await Worker(self.spec, self.name, RayLink(coordinator)).run()


LASTING: Mapping[str, Any] = {"max_restarts": -1, "max_task_retries": -1}
"""What both are: restarted by Ray however often they die, and the calls to them made again."""


def begun(ray: Ray, spec: Spec, options: Mapping[str, Any]) -> tuple[Handle, list[Handle]]:
    """Have the actors made: the coordinator on this machine, where the files are; the workers where Ray puts them."""
    strategies: Any = importlib.import_module("ray.util.scheduling_strategies")
    here = strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    coordinator = ray.remote(**LASTING, num_cpus=0, scheduling_strategy=here)(CoordinatorActor).remote(spec)
    made = ray.remote(**{"num_cpus": 1, **options, **LASTING})(WorkerActor)
    return coordinator, [made.remote(spec, f"worker-{number}") for number in range(1, spec.workers + 1)]
