"""The Redis that holds a shared quota: one script, one connection, one way to fail.

The script is all that ever runs there. It swaps the state if the version is the expected one, notes that this member is
there, and tells the time. A version is the microsecond of its swap and never comes twice, not even after a flush.
"""

from __future__ import annotations

import asyncio
import importlib
from hashlib import sha1
from typing import Any
from uuid import uuid4

from openrouter_core.config import MASK
from openrouter_core.sharing import Held, Swap

PATIENCE = 0.25
"""How many seconds an answer may take, with connecting; after that Redis is lost."""

SCRIPT = """
-- KEYS: the quota, its members.  ARGV: the expected version, the new state, this member
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'version', 'state')
local version = held[1] or '0'
local state = held[2] or ''
if tonumber(version) > now + 1000000 then -- the clock was set back: this state is of no use
    version = '0'
    state = ''
end
local swapped = 0
if ARGV[1] == version then
    swapped = 1
    version = string.format('%.0f', math.max(now, version + 1))
    state = ''
    redis.call('HSET', KEYS[1], 'version', version, 'state', ARGV[2])
    redis.call('EXPIRE', KEYS[1], 172800) -- longer than a quota of one day
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - 60000000))
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[3])
redis.call('EXPIRE', KEYS[2], 60)
return {swapped, version, state, string.format('%.0f', now), redis.call('ZCARD', KEYS[2])}
"""
SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


class Lost(Exception):
    """Redis did not answer, or nothing that makes sense; the text says why and holds no password."""


class Store:
    """One quota in Redis. Not for several calls at a time: its owner's single pump makes them one after another."""

    def __init__(
        self, url: str, names: tuple[str, str], ca_file: str | None = None, patience: float = PATIENCE
    ) -> None:
        self.url: str = url
        self.patience: float = patience
        self.names: tuple[str, str] = names
        self.options: dict[str, Any] = {"ssl_ca_certs": ca_file} if ca_file and url.startswith("rediss:") else {}
        self.member: str = uuid4().hex
        self.redis: Any = None
        self.driver: Any = importlib.import_module("redis.asyncio")  # now, for it takes longer than an answer may
        self.forgotten: type[Exception] = importlib.import_module("redis.exceptions").NoScriptError

    async def swap(self, swap: Swap) -> Held:
        """Ask Redis; raises `Lost` when it does not answer in time, or cannot."""
        try:
            async with asyncio.timeout(self.patience):
                swapped, version, state, now, members = await self.run(swap.expected, swap.state)
            return Held(bool(swapped), str(int(version)), state, int(now) / 1e6, members)
        except asyncio.CancelledError:
            await self.hang_up()
            raise
        except TimeoutError:
            await self.hang_up()
            raise Lost(f"no answer within {self.patience} s") from None
        except Exception as error:  # noqa: BLE001 - whatever redis-py meets: none of it may stop the calls
            await self.hang_up()
            raise Lost(self.masked(f"{type(error).__name__}: {error}")) from None

    async def run(self, expected: str, state: bytes) -> Any:
        """Run the script, which Redis may have forgotten."""
        arguments = (2, *self.names, expected, state, self.member)
        if self.redis is None:
            self.redis = self.connected()
        try:
            return await self.redis.evalsha(SHA, *arguments)
        except self.forgotten:
            return await self.redis.eval(SCRIPT, *arguments)

    def connected(self) -> Any:
        """Make the one connection; it is opened by its first use. Nothing is repeated behind our back."""
        once = self.driver.retry.Retry(importlib.import_module("redis.backoff").NoBackoff(), 0)
        return self.driver.Redis.from_url(self.url, single_connection_client=True, retry=once, **self.options)

    async def hang_up(self) -> None:
        """Drop the connection, whatever state it is in."""
        redis, self.redis = self.redis, None
        if redis is not None:
            try:
                async with asyncio.timeout(self.patience):
                    await redis.aclose()
            except Exception:  # noqa: BLE001, S110 - it is broken already
                pass

    async def close(self) -> None:
        """Leave the members, if Redis is there, and drop the connection."""
        if self.redis is not None:
            try:
                async with asyncio.timeout(self.patience):
                    await self.redis.zrem(self.names[1], self.member)
            except Exception:  # noqa: BLE001, S110 - then the membership ends by itself
                pass
        await self.hang_up()

    def masked(self, text: str) -> str:
        """Strike the user and the password out of a text, and put it on one line."""
        credentials = self.url.partition("://")[2].rpartition("@")[0]
        for secret in (credentials, credentials.partition(":")[2]):
            text = text.replace(secret, MASK) if secret else text
        return " ".join(text.split())
