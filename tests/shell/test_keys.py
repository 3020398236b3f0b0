"""Which key travels with which request, and that neither is seen anywhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.shell.loopback import KEY, OK, Loopback, answer, asking, client_of, error

from openrouter_client import AuthError, OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.masking import secrets_of
from openrouter_client.transport import Transport
from openrouter_core.endpoint import HttpRequest, Key
from openrouter_core.outcome import Responded

MANAGES = "sk-or-v1-manages-fedcba9876543210"
SENT: dict[Key, str | None] = {"inference": f"Bearer {KEY}", "management": f"Bearer {MANAGES}", "none": None}


async def sent_with(server: Loopback, session: aiohttp.ClientSession | None, **settings: Any) -> list[str | None]:
    """Send a request for each kind of key; give what came as `Authorization`."""
    config = OpenRouterConfig(api_key=KEY, management_key=MANAGES, base_url=server.base_url, **settings)
    transport = Transport(config, session)
    server.requests.clear()
    for key in (*SENT, *SENT):
        outcome = await transport.send(HttpRequest("GET", server.base_url + "/x", key=key), 5.0)
        assert isinstance(outcome, Responded)
    await transport.close()
    return [seen.header("authorization") for seen in server.requests]


async def test_each_request_has_the_key_that_it_wants(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bug: the management key goes to models; a kept head brings the key of the call before; ~/.netrc fills in."""
    (tmp_path / "netrc").write_text("default login joe password not-for-openrouter\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    expected = [*SENT.values(), *SENT.values()]
    async with Loopback(OK) as server:
        assert await sent_with(server, None) == expected
        assert await sent_with(server, None, trust_env=True) == expected
        async with aiohttp.ClientSession() as session:
            assert await sent_with(server, session) == expected


async def test_a_client_without_an_inference_key_says_which_one_is_missing() -> None:
    """Bug: an empty `Bearer`, and a 401 from far away."""
    config = OpenRouterConfig(management_key=MANAGES)
    async with unwrap(OpenRouterClient.new(config)) as client:
        refused = (await client.chat_completion(asking())).failure()
        assert isinstance(refused, AuthError)
        assert (refused.key, refused.attempts) == ("inference", ())
        assert "OPENROUTER_API_KEY" in str(refused)
        assert MANAGES not in repr(client)


async def test_the_management_key_is_struck_out_of_what_a_server_echoes() -> None:
    echo = answer(400, error(400, f"what is {MANAGES}?"), {"X-Echo": MANAGES})
    async with Loopback(echo) as server, client_of(server, management_key=MANAGES) as client:
        failed = (await client.chat_completion(asking())).failure()
        assert "what is ***?" in failed.message
        assert MANAGES not in f"{failed}{failed!r}"


def test_both_keys_are_secrets() -> None:
    assert {KEY, MANAGES} <= set(secrets_of(OpenRouterConfig(api_key=KEY, management_key=MANAGES)))
    assert "Bearer " not in secrets_of(OpenRouterConfig(api_key=KEY))
