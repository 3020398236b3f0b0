"""What the stand-in says: from a request that has been read to a completion, and to its body. Pure.

The same seed and the same request give the same words, whether they are streamed or not. Every answer says that no
language model ran. Shapes follow what OpenRouter sends, wire-only fields included (`provider`,
`native_finish_reason`, `index` of tool calls; OpenRouter docs, api_reference/overview).
"""

import msgspec
from msgspec import Struct

from openrouter_client.simulator import market
from openrouter_client.simulator.ask import Ask, Function
from openrouter_client.simulator.catalog import Model
from openrouter_client.simulator.dice import Dice
from openrouter_client.simulator.loose import Json
from openrouter_client.simulator.sample import sample

FINGERPRINT = "local-simulator"
"""The `system_fingerprint` of the stand-in. Like OpenRouter, it leaves the field out now and then."""

_EPOCH = 1_780_000_000
_STOP, _CALLS, _LENGTH = 0, 1, 2
_REASONS = ("stop", "tool_calls", "length")
_SENTENCES = (
    "The figures are made up, the format is not.",
    "Ask the same again with the same seed and you will read the same again.",
    "Olá, grüß dich, こんにちは, 👋🏽: bytes beyond ASCII are part of the exercise.",
    'Quotes "like these", back\\slashes and\nline breaks are too.',
    "Nothing here was thought about for long.",
)


class ToolCall(Struct, frozen=True):
    """A call that the stand-in wants made; `arguments` is JSON in a string."""

    id: str
    name: str
    arguments: str


class Completion(Struct, frozen=True, kw_only=True):
    """A finished answer, before anybody decides how it is sent. Costs are in USD, counts in tokens."""

    id: str
    created: int
    model: Model
    content: str
    reasoning: str
    shows_reasoning: bool
    tool_calls: tuple[ToolCall, ...]
    ending: int
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    fingerprint: bool

    @property
    def finish(self) -> str:
        """The finish reason, in OpenRouter's words."""
        return _REASONS[self.ending]

    @property
    def native_finish(self) -> str:
        """The finish reason, in the provider's words."""
        return self.model.house.native[self.ending]

    @property
    def cost(self) -> float:
        """What the answer costs, in USD. Nothing is the integer 0, as OpenRouter writes it."""
        return round(self.prompt_cost + self.completion_cost, 10) or 0

    @property
    def prompt_cost(self) -> float:
        """What the prompt costs, in USD."""
        return round(self.prompt_tokens * self.model.prompt / 1e6, 10) or 0

    @property
    def completion_cost(self) -> float:
        """What the completion costs, in USD."""
        return round(self.completion_tokens * self.model.completion / 1e6, 10) or 0


def complete(ask: Ask, seed: int, nth: int) -> Completion:
    """The answer to a request; `nth` says how often it came before, and changes nothing but the id.

    Raises UnsatisfiableError where the request's JSON schema accepts nothing.
    """
    dice = Dice(seed, "answer", ask.key)
    calls = _tool_calls(ask, dice)
    whole = "" if calls else _stopped(_content(ask, dice), ask.stop)
    content = whole if ask.max_tokens is None else whole[: 4 * ask.max_tokens]
    reasoning = _reasoning(ask, dice)
    spoken = content + "".join(call.name + call.arguments for call in calls)
    thought = tokens(reasoning) if reasoning else 0
    created = _EPOCH + dice.whole(0, 9_999_999)
    return Completion(
        id=f"gen-{created}-{Dice(seed, 'id', ask.key, nth).letters(20)}",
        created=created,
        model=ask.model,
        content=content,
        reasoning=reasoning,
        shows_reasoning=ask.shows_reasoning,
        tool_calls=calls,
        ending=_CALLS if calls else _LENGTH if content != whole else _STOP,
        prompt_tokens=tokens(ask.prompt) + 4 * len(ask.said),
        completion_tokens=tokens(spoken) + thought,
        reasoning_tokens=thought,
        fingerprint=dice.roll() < 0.9,
    )


def tokens(text: str) -> int:
    """About how many tokens a text is: one for four bytes, and at least one."""
    return max(1, len(text.encode()) // 4)


def body(done: Completion) -> Json:
    """The body of an answer that is not streamed."""
    message: Json = {
        "role": "assistant",
        "content": None if done.tool_calls else done.content,
        "refusal": None,
        "reasoning": done.reasoning or None if done.shows_reasoning else None,
    }
    details = reasoning_details(done)
    if details:
        message["reasoning_details"] = details
    if done.tool_calls:
        message["tool_calls"] = [called(call, index) for index, call in enumerate(done.tool_calls)]
    choice: Json = {
        "index": 0,
        "logprobs": None,
        "finish_reason": done.finish,
        "native_finish_reason": done.native_finish,
        "message": message,
    }
    return {**head(done, "chat.completion"), "choices": [choice], "usage": usage(done)}


def head(done: Completion, kind: str) -> Json:
    """The fields that a body and all chunks begin with."""
    made: Json = {
        "id": done.id,
        "object": kind,
        "created": done.created,
        "model": done.model.id,
        "provider": done.model.house.provider,
    }
    if done.fingerprint:
        made["system_fingerprint"] = FINGERPRINT
    return made


def called(call: ToolCall, index: int) -> Json:
    """A whole tool call, as it stands in a message."""
    return {
        "type": "function",
        "index": index,
        "id": call.id,
        "function": {"name": call.name, "arguments": call.arguments},
    }


def usage(done: Completion) -> Json:
    """The tokens and the cost of the answer."""
    return {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
        "cost": done.cost,
        "is_byok": False,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0, "video_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": done.cost,
            "upstream_inference_prompt_cost": done.prompt_cost,
            "upstream_inference_completions_cost": done.completion_cost,
        },
        "completion_tokens_details": {
            "reasoning_tokens": done.reasoning_tokens,
            "image_tokens": 0,
            "audio_tokens": 0,
        },
    }


def reasoning_details(done: Completion) -> list[Json]:
    """The reasoning as its provider words it: xAI a summary and a sealed part, Anthropic a text with a signature."""
    form = done.model.house.format
    if not done.reasoning or not done.shows_reasoning:
        return []
    sealed = Dice("sealed", done.reasoning).letters(64)
    match form:
        case "xai-responses-v1" | "openai-responses-v1":
            return [
                {"type": "reasoning.summary", "summary": done.reasoning, "format": form, "index": 0},
                {"type": "reasoning.encrypted", "data": sealed, "format": form, "index": 0, "id": f"rs_{sealed[:12]}"},
            ]
        case "anthropic-claude-v1":
            return [
                {"type": "reasoning.text", "text": done.reasoning, "signature": sealed, "format": form, "index": 0},
            ]
        case _:
            return [{"type": "reasoning.text", "text": done.reasoning, "format": form, "index": 0}]


def _content(ask: Ask, dice: Dice) -> str:
    if ask.format == "json_schema":
        made = market.overlaid(sample(ask.schema, dice), ask.schema, ask.prompt, dice)
        return msgspec.json.encode(made).decode()
    if market.asked(ask.prompt):
        return msgspec.json.encode(market.prediction(ask.prompt, dice)).decode()
    if ask.format == "json_object":
        made = {"answer": dice.pick(_SENTENCES), "score": dice.whole(0, 100), "stand_in": True}
        return msgspec.json.encode(made).decode()
    return _prose(ask, dice)


def _prose(ask: Ask, dice: Dice) -> str:
    results = [said.words for said in ask.said if said.role == "tool"]
    opening = "This is the local simulator; no language model ran."
    about = f"The tools said: {'; '.join(results)}." if results else f"You asked: {ask.question[:80]!r}."
    return " ".join((opening, about, *(dice.pick(_SENTENCES) for _ in range(dice.whole(1, 3)))))


def _stopped(text: str, stop: tuple[str, ...]) -> str:
    for word in stop:
        text = text.partition(word)[0]
    return text


def _reasoning(ask: Ask, dice: Dice) -> str:
    thinks = ask.model.house.thinks
    if ask.effort == "none" or (thinks != "always" and ask.effort is None):
        return ""
    question = ask.question.strip().partition("\n")[0][:60]
    return f"The request is about {question!r}. {dice.pick(_SENTENCES)} A stand-in can only go through the motions."


def _tool_calls(ask: Ask, dice: Dice) -> tuple[ToolCall, ...]:
    """The calls to make first: what the question names, or one of the functions; none once a tool has answered."""
    if not ask.functions or ask.tool_choice == "none" or ask.said[-1].role == "tool":
        return ()
    chosen = [one for one in ask.functions if one.name == ask.tool_choice]
    named = [one for one in ask.functions if one.name in ask.question]
    functions = chosen or named or [dice.pick(ask.functions)]
    return tuple(_call(one, dice) for one in (functions if ask.parallel else functions[:1]))


def _call(function: Function, dice: Dice) -> ToolCall:
    arguments = sample(function.parameters or {"type": "object"}, dice)
    return ToolCall(
        f"call_{dice.whole(10_000_000, 99_999_999)}", function.name, msgspec.json.encode(arguments).decode()
    )
