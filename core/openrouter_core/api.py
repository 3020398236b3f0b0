"""The table of endpoints. Adding one is a line here and the structs of its parameters and its answer."""

from __future__ import annotations

from openrouter_core.endpoint import Endpoint
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.response import ChatCompletionResponse

CHAT_COMPLETIONS = Endpoint("POST", "/chat/completions", ChatCompletionRequest, ChatCompletionResponse, billed=True)
"""Create a chat completion (OpenRouter API reference, POST /chat/completions).

Repeating it is safe but not free: OpenRouter has no idempotency key for inference, a second generation is billed too.
"""
