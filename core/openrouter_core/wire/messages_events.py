"""The events of a streamed message, as Anthropic sends them. `type` tells which fields are set.

Source: OpenRouter docs, api_reference/anthropic-messages; the OpenAPI schema MessagesStreamEvents.
"""

from typing import Any, Final

from openrouter_core.wire.messages import MessagesResponse, MessagesUsage
from openrouter_core.wire.shape import Shape

MESSAGE_START: Final = "message_start"
MESSAGE_DELTA: Final = "message_delta"
MESSAGE_STOP: Final = "message_stop"
BLOCK_START: Final = "content_block_start"
BLOCK_DELTA: Final = "content_block_delta"
BLOCK_STOP: Final = "content_block_stop"
PING: Final = "ping"
ERROR: Final = "error"
TEXT_DELTA: Final = "text_delta"
INPUT_JSON_DELTA: Final = "input_json_delta"
THINKING_DELTA: Final = "thinking_delta"
SIGNATURE_DELTA: Final = "signature_delta"
CITATIONS_DELTA: Final = "citations_delta"


class MessagesEvent(Shape, frozen=True, kw_only=True):
    """Something that happened to a message; `index` is the block's.

    `delta` is what came new: of a block by its own `type` (see the names above), of the message its `stop_reason`.
    """

    type: str
    index: int | None = None
    message: MessagesResponse | None = None
    content_block: dict[str, Any] | None = None
    delta: dict[str, Any] | None = None
    usage: MessagesUsage | None = None
    error: Any | None = None
