"""The events of a streamed response. One struct serves all: `type` tells which of its fields are set.

Source: OpenRouter docs, api_reference/responses/streaming; the OpenAPI schema StreamEvents; recorded streams.
"""

from typing import Any, Final

from openrouter_core.wire.responses import ResponsesResponse
from openrouter_core.wire.shape import Shape

CREATED: Final = "response.created"
COMPLETED: Final = "response.completed"
INCOMPLETE: Final = "response.incomplete"
FAILED: Final = "response.failed"
RESPONSE_ERROR: Final = "response.error"
ERROR: Final = "error"
ITEM_ADDED: Final = "response.output_item.added"
ITEM_DONE: Final = "response.output_item.done"
PART_ADDED: Final = "response.content_part.added"
PART_DONE: Final = "response.content_part.done"
TEXT_DELTA: Final = "response.output_text.delta"
REFUSAL_DELTA: Final = "response.refusal.delta"
ARGUMENTS_DELTA: Final = "response.function_call_arguments.delta"
REASONING_DELTA: Final = "response.reasoning_text.delta"
SUMMARY_PART_ADDED: Final = "response.reasoning_summary_part.added"
SUMMARY_DELTA: Final = "response.reasoning_summary_text.delta"


class ResponsesEvent(Shape, frozen=True, kw_only=True):
    """Something that happened to a response; `type` tells what (see the names above, and OpenAI's for others).

    `output_index`, `content_index`, `summary_index` and `item_id` tell where; `delta` is what came new, and `text`,
    `arguments`, `item`, `part`, `response`, ... what is whole now.
    """

    type: str
    sequence_number: int | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    annotation_index: int | None = None
    partial_image_index: int | None = None
    item_id: str | None = None
    delta: str | None = None
    text: str | None = None
    arguments: str | None = None
    name: str | None = None
    input: str | None = None
    code: str | None = None
    diff: str | None = None
    refusal: str | None = None
    content: str | None = None
    model: str | None = None
    message: str | None = None
    param: str | None = None
    partial_image_b64: str | None = None
    analyst_model: str | None = None
    judge_model: str | None = None
    status_code: int | None = None
    response: ResponsesResponse | None = None
    item: dict[str, Any] | None = None
    part: dict[str, Any] | None = None
    annotation: dict[str, Any] | None = None
    analysis: dict[str, Any] | None = None
    debug: dict[str, Any] | None = None
    logprobs: list[dict[str, Any]] | None = None
    error: Any | None = None
