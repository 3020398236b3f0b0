"""The repair in conftest.py holds: mocked answers come through, as text, as JSON, and as failures."""

from __future__ import annotations

import aiohttp
import pytest
from aioresponses import aioresponses

URL = "https://openrouter.ai/api/v1/models"


async def test_a_mocked_answer_is_delivered() -> None:
    with aioresponses() as mocked:
        mocked.get(URL, status=429, payload={"error": {"code": 429}}, headers={"Retry-After": "7"})
        async with aiohttp.ClientSession() as session, session.get(URL) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "7"
            assert await response.json() == {"error": {"code": 429}}
            assert await response.read() == b'{"error": {"code": 429}}'


async def test_a_mocked_body_can_be_read_in_pieces() -> None:
    with aioresponses() as mocked:
        mocked.post(URL, body=b"data: [DONE]\n\n", content_type="text/event-stream")
        async with aiohttp.ClientSession() as session, session.post(URL, data=b"{}") as response:
            assert b"".join([piece async for piece in response.content.iter_any()]) == b"data: [DONE]\n\n"


async def test_a_mocked_failure_is_raised() -> None:
    with aioresponses() as mocked:
        mocked.get(URL, exception=aiohttp.ClientConnectionError("refused"))
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectionError):
                await session.get(URL)
