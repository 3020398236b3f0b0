"""Every place where this client differs from the official package on purpose, with its reason.

The package is written from OpenRouter's schema. Where that and the wire differ, the wire wins.
"""

from __future__ import annotations

BEYOND = {
    "COMPLETIONS": "the docs name the legacy endpoint, the schema does not",
    "MESSAGES": "Anthropic's skin is documented, and in the published schema; the package leaves it out",
    "GET_AUTH_KEY": "the old name of GET /key, which old programs use and OpenRouter still serves",
    "BUY_CREDITS_COINBASE": "retired: it answers 410, and who calls it should hear so from OpenRouter",
}
"""Endpoints that the package does not know."""

PARAMETERS = {
    ("RESPONSES", "stream"): "how a call is made says whether it streams, not a field",
    ("IMAGES", "stream"): "the same",
    ("RESPONSES", "X-OpenRouter-Metadata"): "options.metadata, as with every endpoint",
    ("CREATE_PRIVATE_ENDPOINT", "idempotency-key"): "idempotency_key: names are Python's, the header is the same",
    ("CREATE_PRIVATE_ENDPOINT", "idempotency_key"): "the same",
    ("CREATE_PRESET_FROM_CHAT", "chat_request"): "the body is a field `request` with all three",
    ("CREATE_PRESET_FROM_MESSAGES", "messages_request"): "the same",
    ("CREATE_PRESET_FROM_RESPONSES", "responses_request"): "the same",
    ("CREATE_PRESET_FROM_CHAT", "request"): "the same",
    ("CREATE_PRESET_FROM_MESSAGES", "request"): "the same",
    ("CREATE_PRESET_FROM_RESPONSES", "request"): "the same",
}
"""Parameters that only one of the two has."""

REFUSED = {
    "must be a name that can stand in an address": "a step '.' or '..' would be dropped, and another address served",
    "must be printable ASCII text, without line breaks": "anything else arrives garbled in a header, or begins another",
    "request.messages": "a message without a list of turns is refused by Anthropic's API; the package allows null",
    "keep_members": "a yes or no, which the package also takes as text",
    "use stream_chat_completion": "sound and upstream bodies come in streams only; the package asks anyway",
    "reasoning.effort": "two efforts, or an effort and a budget, contradict each other; the package sends both",
    "must be a number at least 0.01": "the docs bound the router's threshold, the package does not",
}
"""Words of our refusals of values that the package accepts."""

ANSWERS_REFUSED = {
    "`$.data[...].results`": "a list of batches leaves results out: anything but a list of them is not expected",
    "got `null` - at `$.data": "a list, or an answer that is found, holds no nulls in place of the thing",
}
"""Words of our complaints about answers that the package accepts."""

LOST = {
    (".output_text"): "the package's convenience; ours is `text`, which reads the items",
}
"""Fields of the package's answers that ours do not keep."""
