"""Embeddings that a seed fixes: the same text has the same vector, in every request. Pure."""

import base64
import math
import struct
from collections.abc import Mapping

from openrouter_client.simulator.answers import tokens
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.envelopes import plain
from openrouter_client.simulator.loose import Json, mapping, number, sequence, text
from openrouter_client.simulator.wire import Reply, json_reply

DIMENSIONS = 64
"""How long a vector is, unless the request says otherwise."""

USD_PER_TOKEN = 2e-8


def embedded(fields: Mapping[str, object], seed: int) -> tuple[Reply, float]:
    """The answer to a request for vectors, and what it costs, in USD."""
    model, given = text(fields.get("model")), fields.get("input")
    if not model:
        return plain(400, "model: Required", "400 invalid"), 0.0
    texts: list[object] = [given] if isinstance(given, str) else list(sequence(given))
    if texts and isinstance(texts[0], int):
        texts = [texts]
    if not texts:
        return plain(400, "input: Required", "400 invalid"), 0.0
    size = int(number(fields.get("dimensions")) or DIMENSIONS)
    used = sum(tokens(text(one) or str(one)) for one in texts)
    cost = round(used * USD_PER_TOKEN, 10)
    data: list[Json] = [
        {"object": "embedding", "index": index, "embedding": _written(_vector(one, model, size, seed), fields)}
        for index, one in enumerate(texts)
    ]
    body: Json = {
        "id": f"gen-emb-{Dice(seed, 'embeddings', model, *texts).letters(20)}",
        "object": "list",
        "model": model,
        "provider": "Stand-in",
        "data": data,
        "usage": {"prompt_tokens": used, "total_tokens": used, "cost": cost},
    }
    return json_reply("ok", 200, body), cost


def _vector(given: object, model: str, size: int, seed: int) -> list[float]:
    """A vector of length 1."""
    words = given if isinstance(given, str) else repr(mapping(given) or sequence(given))
    dice = Dice(seed, "vector", model, words)
    raw = [dice.between(-1.0, 1.0) for _ in range(size)]
    length = math.sqrt(sum(value * value for value in raw)) or 1.0
    return [round(value / length, 6) for value in raw]


def _written(vector: list[float], fields: Mapping[str, object]) -> list[float] | str:
    if fields.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
