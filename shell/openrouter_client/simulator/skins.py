"""The other ways to ask a model, as the same question: each skin reads a request as a chat and writes its answer.

Responses and messages follow OpenAI's and Anthropic's shapes as OpenRouter serves them (OpenRouter docs,
api_reference/responses, api_reference/anthropic-messages), completions the legacy ones. Pure.
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from openrouter_client.simulator import messages, responses
from openrouter_client.simulator.answers import Completion, head, usage
from openrouter_client.simulator.answers import body as chat_body
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json, mapping
from openrouter_client.simulator.streams import DONE, chunk, ended, event, said

_LONGEST = 12


class Skin(Struct, frozen=True):
    """`asked` rewrites a request as a chat's, `body` writes the whole answer, `events` the stream's bytes.

    `failure` writes the event of a stream that fails: of what is asked, and the error as OpenRouter tells it.
    """

    asked: Callable[[Mapping[str, object]], Json]
    body: Callable[[Completion], Json]
    events: Callable[[Completion, int], list[bytes]]
    failure: Callable[[Completion, Json], bytes]


def rewritten(skin: Skin, body: bytes) -> bytes:
    """The request as a chat's; what is no JSON object stays as it is, and is refused as such."""
    try:
        fields = mapping(msgspec.json.decode(body))
    except msgspec.DecodeError:
        return body
    return msgspec.json.encode(skin.asked(fields)) if fields else body


def _completion(done: Completion) -> Json:
    choice: Json = {
        "index": 0,
        "text": done.content,
        "finish_reason": done.finish,
        "native_finish_reason": done.native_finish,
        "logprobs": None,
    }
    return {**head(done, "text_completion"), "choices": [choice], "usage": usage(done)}


def _completion_events(done: Completion, seed: int) -> list[bytes]:
    whole = _completion(done)
    pieces = Dice(seed, "pieces", done.id).pieces(done.content, _LONGEST)
    choice: Json = {"index": 0, "finish_reason": None, "logprobs": None}
    told: list[Json] = [{**head(done, "text_completion"), "choices": [{**choice, "text": piece}]} for piece in pieces]
    last: Json = {**choice, "text": "", "finish_reason": done.finish, "native_finish_reason": done.native_finish}
    return [*map(event, told), event({**whole, "choices": [last]}), DONE]


def _completion_failure(done: Completion, trouble: Json) -> bytes:
    choice: Json = {"index": 0, "text": "", "finish_reason": "error", "native_finish_reason": "error", "error": trouble}
    return event({**head(done, "text_completion"), "choices": [choice]})


def _chat_failure(done: Completion, trouble: Json) -> bytes:
    return event({**chunk(done, {}, "error", "error"), "error": trouble})


def _as_it_is(fields: Mapping[str, object]) -> Json:
    return dict(fields)


def _chat_events(done: Completion, seed: int) -> list[bytes]:
    return [*map(event, (*said(done, seed), *ended(done))), DONE]


CHAT = Skin(_as_it_is, chat_body, _chat_events, _chat_failure)
SKINS: Mapping[str, Skin] = {
    "/api/v1/chat/completions": CHAT,
    "/api/v1/completions": Skin(_as_it_is, _completion, _completion_events, _completion_failure),
    "/api/v1/responses": Skin(responses.asked, responses.body, responses.events, responses.failure),
    "/api/v1/messages": Skin(messages.asked, messages.body, messages.events, messages.failure),
}
"""By path: how the answer to a question is asked for and written."""
