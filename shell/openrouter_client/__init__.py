"""An async client for the OpenRouter API whose every decision is a pure function.

from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, unwrap

async with unwrap(OpenRouterClient.from_env()) as client:
answer = unwrap(await client.chat_completion(ChatCompletionRequest(messages=[ChatMessage.user("Hello")])))
print(answer.text)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from returns.result import Failure, Result, Success

    from openrouter_client.bulk.running import BatchRun
    from openrouter_client.bulk.settings import BatchSettings
    from openrouter_client.client import OpenRouterClient
    from openrouter_client.observe import Observer
    from openrouter_client.paging import Pages
    from openrouter_client.raising import OpenRouterError, unwrap
    from openrouter_client.spread.dataset import DatasetChat, DatasetSpec
    from openrouter_client.spread.running import RayBatchRun
    from openrouter_client.streaming import ByteStream, ChatStream, EventStream
    from openrouter_core.admission import Stats
    from openrouter_core.build import parse_request
    from openrouter_core.classify import classify
    from openrouter_core.config import OpenRouterConfig
    from openrouter_core.endpoint import Endpoint, Raw
    from openrouter_core.errors import (
        AnyError,
        AuthError,
        BudgetExceeded,
        ConnectError,
        DataSourceError,
        DeadlineExceeded,
        Disconnected,
        EmptyCompletion,
        Forbidden,
        HttpError,
        InsufficientCredits,
        InvalidRequest,
        LedgerFailed,
        NotFound,
        ParseError,
        ProviderError,
        RateLimited,
        Timeout,
        ToolLoopFailed,
        TruncatedStream,
    )
    from openrouter_core.fallback import Fallback
    from openrouter_core.hedge import Hedge
    from openrouter_core.journal import Answered, Ended, Left, Moment, Queued, Sent, Slept, replay
    from openrouter_core.outcome import Interrupted, Outcome, Responded, TimedOut, Unreachable
    from openrouter_core.policy import Policy, policy_of
    from openrouter_core.received import Received
    from openrouter_core.schedule import (
        Attempts,
        Both,
        Capped,
        Exhausted,
        Exponential,
        Heeding,
        History,
        Immediate,
        Jittered,
        Schedule,
        Within,
        next_delay,
    )
    from openrouter_core.simulate import Reply, Timeline, chat_job, scripted, simulate
    from openrouter_core.states import Job
    from openrouter_core.tool import Tool
    from openrouter_core.tool_loop import ToolRun
    from openrouter_core.typed import Parsed
    from openrouter_core.verdict import Accepted, Permanent, Rules, Transient, Verdict
    from openrouter_core.version import __version__
    from openrouter_core.wire.attempt import Attempt, CallRecord, Hedged
    from openrouter_core.wire.chunk import ChatCompletionChunk
    from openrouter_core.wire.formats import ResponseFormat
    from openrouter_core.wire.message import ChatMessage, ToolCall
    from openrouter_core.wire.options import RequestOptions
    from openrouter_core.wire.parts import AudioPart, FilePart, ImagePart, TextPart, VideoPart
    from openrouter_core.wire.request import ChatCompletionRequest
    from openrouter_core.wire.response import ChatCompletionResponse, Choice, ResponseMessage, Usage
    from openrouter_core.wire.routing import ProviderPreferences
    from openrouter_core.wire.settings import Reasoning

__all__ = [
    "Accepted",
    "Answered",
    "AnyError",
    "Attempt",
    "Attempts",
    "AudioPart",
    "AuthError",
    "BatchRun",
    "BatchSettings",
    "Both",
    "BudgetExceeded",
    "ByteStream",
    "CallRecord",
    "Capped",
    "ChatCompletionChunk",
    "ChatCompletionRequest",
    "ChatCompletionResponse",
    "ChatMessage",
    "ChatStream",
    "Choice",
    "ConnectError",
    "DataSourceError",
    "DatasetChat",
    "DatasetSpec",
    "DeadlineExceeded",
    "Disconnected",
    "EmptyCompletion",
    "Ended",
    "Endpoint",
    "EventStream",
    "Exhausted",
    "Exponential",
    "Failure",
    "Fallback",
    "FilePart",
    "Forbidden",
    "Hedge",
    "Hedged",
    "Heeding",
    "History",
    "HttpError",
    "ImagePart",
    "Immediate",
    "InsufficientCredits",
    "Interrupted",
    "InvalidRequest",
    "Jittered",
    "Job",
    "LedgerFailed",
    "Left",
    "Moment",
    "NotFound",
    "Observer",
    "OpenRouterClient",
    "OpenRouterConfig",
    "OpenRouterError",
    "Outcome",
    "Pages",
    "ParseError",
    "Parsed",
    "Permanent",
    "Policy",
    "ProviderError",
    "ProviderPreferences",
    "Queued",
    "RateLimited",
    "Raw",
    "RayBatchRun",
    "Reasoning",
    "Received",
    "Reply",
    "RequestOptions",
    "Responded",
    "ResponseFormat",
    "ResponseMessage",
    "Result",
    "Rules",
    "Schedule",
    "Sent",
    "Slept",
    "Stats",
    "Success",
    "TextPart",
    "TimedOut",
    "Timeline",
    "Timeout",
    "Tool",
    "ToolCall",
    "ToolLoopFailed",
    "ToolRun",
    "Transient",
    "TruncatedStream",
    "Unreachable",
    "Usage",
    "Verdict",
    "VideoPart",
    "Within",
    "__version__",
    "chat_job",
    "classify",
    "next_delay",
    "parse_request",
    "policy_of",
    "replay",
    "scripted",
    "simulate",
    "unwrap",
]

_HOMES = {
    "openrouter_client.bulk.running": "BatchRun",
    "openrouter_client.bulk.settings": "BatchSettings",
    "openrouter_client.client": "OpenRouterClient",
    "openrouter_client.observe": "Observer",
    "openrouter_client.paging": "Pages",
    "openrouter_client.raising": "OpenRouterError unwrap",
    "openrouter_client.spread.dataset": "DatasetChat DatasetSpec",
    "openrouter_client.spread.running": "RayBatchRun",
    "openrouter_client.streaming": "ByteStream ChatStream EventStream",
    "openrouter_core.admission": "Stats",
    "openrouter_core.build": "parse_request",
    "openrouter_core.classify": "classify",
    "openrouter_core.config": "OpenRouterConfig",
    "openrouter_core.endpoint": "Endpoint Raw",
    "openrouter_core.errors": (
        "AnyError AuthError BudgetExceeded ConnectError DataSourceError DeadlineExceeded Disconnected "
        "EmptyCompletion Forbidden HttpError InsufficientCredits InvalidRequest LedgerFailed NotFound ParseError "
        "ProviderError RateLimited Timeout ToolLoopFailed TruncatedStream"
    ),
    "openrouter_core.fallback": "Fallback",
    "openrouter_core.hedge": "Hedge",
    "openrouter_core.journal": "Answered Ended Left Moment Queued Sent Slept replay",
    "openrouter_core.outcome": "Interrupted Outcome Responded TimedOut Unreachable",
    "openrouter_core.policy": "Policy policy_of",
    "openrouter_core.received": "Received",
    "openrouter_core.schedule": (
        "Attempts Both Capped Exhausted Exponential Heeding History Immediate Jittered Schedule Within next_delay"
    ),
    "openrouter_core.simulate": "Reply Timeline chat_job scripted simulate",
    "openrouter_core.states": "Job",
    "openrouter_core.tool": "Tool",
    "openrouter_core.tool_loop": "ToolRun",
    "openrouter_core.typed": "Parsed",
    "openrouter_core.verdict": "Accepted Permanent Rules Transient Verdict",
    "openrouter_core.version": "__version__",
    "openrouter_core.wire.attempt": "Attempt CallRecord Hedged",
    "openrouter_core.wire.chunk": "ChatCompletionChunk",
    "openrouter_core.wire.formats": "ResponseFormat",
    "openrouter_core.wire.message": "ChatMessage ToolCall",
    "openrouter_core.wire.options": "RequestOptions",
    "openrouter_core.wire.parts": "AudioPart FilePart ImagePart TextPart VideoPart",
    "openrouter_core.wire.request": "ChatCompletionRequest",
    "openrouter_core.wire.response": "ChatCompletionResponse Choice ResponseMessage Usage",
    "openrouter_core.wire.routing": "ProviderPreferences",
    "openrouter_core.wire.settings": "Reasoning",
    "returns.result": "Failure Result Success",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
"""Where each name is defined. What is not asked for is not imported: the command line starts without aiohttp."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import a name when it is first asked for."""
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
        return found

    def __dir__() -> list[str]:
        """List what can be asked for."""
        return sorted({*globals(), *_HOME})
