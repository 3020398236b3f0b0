"""What the parts of a spread run are told: a frozen value that is pickled, and has no secret in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from returns.result import Failure, Result, Success

from openrouter_client.bulk.locking import Lock
from openrouter_client.bulk.settings import BatchSettings
from openrouter_client.environment import environment
from openrouter_core.config import ADDRESSES, OpenRouterConfig, masked, shown
from openrouter_core.errors import AuthError, DataSourceError, InvalidRequest
from openrouter_core.fallback import Fallback
from openrouter_core.refuse import refuse

KEY_ENV = "OPENROUTER_API_KEY"


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A run, as it travels: its config has no keys, `key_env` names the variable that holds the key on every machine.

    Paths are those of the machine that the coordinator is on, which is the one that the run is begun on.
    """

    source: str
    output: str
    ledger: str | None
    settings: BatchSettings
    config: OpenRouterConfig
    key_env: str = KEY_ENV
    fallbacks: tuple[Fallback, ...] = ()
    workers: int = 2


def keyless(config: OpenRouterConfig, key_env: str) -> Result[OpenRouterConfig, DataSourceError]:
    """Take the keys out of a config; fails where that would lose something that the workers cannot find again."""
    key = environment().get(key_env, "").strip()
    if not key:
        return Failure(unset(key_env))
    if config.api_key not in ("", key):
        bound = f"is not the one in {key_env}: the key does not travel, so leave it out of the config and set {key_env}"
        return Failure(InvalidRequest(message=f"api_key {bound} on every machine", field="api_key", bound=bound))
    for name in ADDRESSES:
        value = getattr(config, name)
        if masked(name, value) != value:
            bound = "must have no password in it, for it does not travel to other machines"
            return Failure(InvalidRequest(message=f"{name} = {shown(name, value)}: {bound}", field=name, bound=bound))
    return Success(msgspec.structs.replace(config, api_key="", management_key=""))


def keyed(config: OpenRouterConfig, key_env: str) -> Result[OpenRouterConfig, DataSourceError]:
    """Put this machine's key into a config."""
    key = environment().get(key_env, "").strip()
    return Success(msgspec.structs.replace(config, api_key=key)) if key else Failure(unset(key_env))


def unset(key_env: str) -> AuthError:
    """Make the error of a machine without a key."""
    return AuthError(
        message=f"{key_env} is not set on this machine: set it where Ray is started, on each one (not in runtime_env, "
        "which Ray's dashboard shows)"
    )


async def freed(ledger: Path) -> None:
    """Wait until a process that was killed has let go of a ledger, which may take a moment longer than its end."""
    lock = Lock(ledger)
    for _ in range(100):
        if await asyncio.to_thread(free, lock):
            return
        await asyncio.sleep(0.1)


def free(lock: Lock) -> bool:
    """Tell whether nobody has a ledger."""
    if not lock.path.exists():
        return True
    try:
        return lock.take() is None
    except OSError:
        return True
    finally:
        lock.release()


def checked_workers(workers: int) -> Result[int, InvalidRequest]:
    """Accept a number of workers."""
    return Success(workers) if workers >= 1 else Failure(refuse("workers", "must be at least 1", workers))


def checked_way(settings: BatchSettings) -> Result[BatchSettings, InvalidRequest]:
    """Accept settings of a run by calls: OpenRouter's own batches need no workers."""
    return Success(settings) if settings.via == "calls" else Failure(refuse("via", "must be calls", settings.via))


def paths(source: str | Path, output: str | Path, ledger: str | Path | None) -> tuple[str, str, str | None]:
    """Make paths whole, for a process that is in another folder."""
    place = None if ledger is None else str(Path(ledger).absolute())
    return str(Path(source).absolute()), str(Path(output).absolute()), place
