"""An async client for the OpenRouter API whose every decision is a pure function.

from openrouter_client import ChatCompletionRequest, ChatMessage, OpenRouterClient, unwrap

async with unwrap(OpenRouterClient.from_env()) as client:
answer = unwrap(await client.chat_completion(ChatCompletionRequest(messages=[ChatMessage.user("Hello")])))
print(answer.text)
"""

from typing import TYPE_CHECKING

from returns.result import Failure, Result, Success

from openrouter_client.client import OpenRouterClient
from openrouter_client.raising import OpenRouterError, unwrap
from openrouter_client.streaming import ChatStream
from openrouter_core.admission import Stats
from openrouter_core.build import parse_request
from openrouter_core.classify import classify
from openrouter_core.config import OpenRouterConfig
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
from openrouter_core.journal import Answered, Ended, Moment, Queued, Sent, Slept, replay
from openrouter_core.outcome import Interrupted, Outcome, Responded, TimedOut, Unreachable
from openrouter_core.policy import Policy, policy_of
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

if TYPE_CHECKING:
    from openrouter_client.bulk.running import BatchRun
    from openrouter_client.bulk.settings import BatchSettings

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
    "DeadlineExceeded",
    "Disconnected",
    "EmptyCompletion",
    "Ended",
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
    "Moment",
    "NotFound",
    "OpenRouterClient",
    "OpenRouterConfig",
    "OpenRouterError",
    "Outcome",
    "ParseError",
    "Parsed",
    "Permanent",
    "Policy",
    "ProviderError",
    "ProviderPreferences",
    "Queued",
    "RateLimited",
    "Reasoning",
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


_LAZY = {"BatchRun": "openrouter_client.bulk.running", "BatchSettings": "openrouter_client.bulk.settings"}
"""What is imported when it is first asked for: not everybody runs files, and sqlite3 is not free."""


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - with what is imported late

    return getattr(importlib.import_module(_LAZY[name]), name)
