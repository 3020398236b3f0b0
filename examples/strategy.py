"""A strategy in one screen: market data in, typed predictions out, and an order for those that are worth one.

OPENROUTER_API_KEY=sk-or-... python examples/strategy.py         asks the real OpenRouter, which costs a little

Without a key, start the local stand-in (`openrouter-client simulate`) and export what it prints.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from openrouter_client import ChatCompletionRequest, ChatMessage, Failure, OpenRouterClient, Success, unwrap

MARKETS = Path(__file__).with_name("markets.jsonl")
PROMPT = """Market: {question}
{description}
YES price: {yes_price} USD, NO price: {no_price} USD, {hours_to_resolution} hours to resolution.
Is YES or NO worth buying at these prices, or neither (hold)? target_price is your fair price of YES."""

Unit = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Prediction(msgspec.Struct):
    """The answer that the model is held to: its JSON schema is sent, and what comes back is checked."""

    prediction: Literal["yes", "no", "hold"]
    confidence: Unit
    reasoning: str
    target_price: Unit


async def judge(client: OpenRouterClient, market: dict[str, Any]) -> str:
    """One market, one line: an order, or why there is none."""
    request = ChatCompletionRequest(messages=[ChatMessage.user(PROMPT.format(**market))], temperature=0.2)
    match await client.chat_completion_as(Prediction, request, repair=1, deadline_secs=60):
        case Success(parsed):
            found = parsed.value
            price = market["yes_price"] if found.prediction == "yes" else market["no_price"]
            fair = found.target_price if found.prediction == "yes" else 1 - found.target_price
            if found.prediction == "hold" or found.confidence < 0.6 or fair <= price:
                return f"pass  {market['question']}"
            return f"buy   {market['question']} {found.prediction} up to {fair:.2f} USD (asking cost {parsed.cost} USD)"
        case Failure(error):  # retries and the repair are over, or would pass the deadline: no opinion, so no order
            return f"skip  {market['question']} ({error})"
        case other:
            raise AssertionError(other)


async def main() -> None:
    """Ask about all markets at once, and print the lines in their order."""
    markets = [msgspec.json.decode(line) for line in MARKETS.read_bytes().splitlines()[:10]]
    async with unwrap(OpenRouterClient.from_env()) as client:  # its default model is Grok
        for line in await asyncio.gather(*(judge(client, market) for market in markets)):
            print(line)


if __name__ == "__main__":
    asyncio.run(main())
