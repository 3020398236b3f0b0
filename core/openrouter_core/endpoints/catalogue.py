"""What there is: models, providers, tools, data sets; what is known of a generation.

The lists of models and providers answer without a key too.
"""

from __future__ import annotations

from openrouter_core.endpoint import ByOffset, Endpoint
from openrouter_core.wire.answers import One, Page
from openrouter_core.wire.datasets import (
    AppRanking,
    BenchmarkResult,
    DailyRanking,
    GetAppRankings,
    GetBenchmarks,
    GetDailyRankings,
    GetSessionCosts,
    GetTaskShares,
    SessionCost,
    TaskShares,
)
from openrouter_core.wire.generation import FeedbackTaken, Generation, GenerationContent, GenerationFeedback
from openrouter_core.wire.images import ImageModel, ImageModelEndpoints
from openrouter_core.wire.models import (
    ListModels,
    ListUserModels,
    Model,
    ModelEndpoint,
    ModelEndpoints,
    ModelName,
    ModelsCount,
    OutputModalities,
    Provider,
)
from openrouter_core.wire.params import Id, Paged, Parameters
from openrouter_core.wire.server_tools import ListTools, RegisteredTool, ToolName
from openrouter_core.wire.videos import VideoModel

LIST_MODELS = Endpoint("GET", "/models", ListModels, Page[Model], pages=ByOffset())
"""List models."""

LIST_USER_MODELS = Endpoint("GET", "/models/user", ListUserModels, Page[Model], pages=ByOffset())
"""List the models that the account's settings allow."""

COUNT_MODELS = Endpoint("GET", "/models/count", OutputModalities, One[ModelsCount])
"""Count models."""

GET_MODEL = Endpoint("GET", "/model/{author}/{slug}", ModelName, One[Model])
"""Get a model."""

LIST_MODEL_ENDPOINTS = Endpoint("GET", "/models/{author}/{slug}/endpoints", ModelName, One[ModelEndpoints])
"""List where a model can be had."""

LIST_ZDR_ENDPOINTS = Endpoint("GET", "/endpoints/zdr", Parameters, Page[ModelEndpoint])
"""List endpoints that retain no data."""

LIST_EMBEDDINGS_MODELS = Endpoint("GET", "/embeddings/models", Paged, Page[Model], pages=ByOffset())
"""List models that make vectors."""

LIST_IMAGE_MODELS = Endpoint("GET", "/images/models", Parameters, Page[ImageModel])
"""List models that paint."""

LIST_IMAGE_MODEL_ENDPOINTS = Endpoint("GET", "/images/models/{author}/{slug}/endpoints", ModelName, ImageModelEndpoints)
"""List where an image model can be had."""

LIST_VIDEO_MODELS = Endpoint("GET", "/videos/models", Parameters, Page[VideoModel])
"""List models that film."""

LIST_PROVIDERS = Endpoint("GET", "/providers", Parameters, Page[Provider])
"""List providers."""

LIST_TOOLS = Endpoint("GET", "/tools", ListTools, Page[RegisteredTool], pages=ByOffset())
"""List the tools that OpenRouter runs."""

GET_TOOL = Endpoint("GET", "/tools/{name}", ToolName, One[RegisteredTool])
"""Get a tool that OpenRouter runs."""

GET_GENERATION = Endpoint("GET", "/generation", Id, One[Generation])
"""Get what a generation used and cost; 404 for some seconds after it."""

GET_GENERATION_CONTENT = Endpoint("GET", "/generation/content", Id, One[GenerationContent])
"""Get what was asked and answered, where it is kept."""

SUBMIT_FEEDBACK = Endpoint(
    "POST", "/generation/feedback", GenerationFeedback, One[FeedbackTaken], key="management", repeatable=False
)
"""Say what was wrong with a generation."""

GET_APP_RANKINGS = Endpoint("GET", "/datasets/app-rankings", GetAppRankings, Page[AppRanking], pages=ByOffset())
"""List the apps that use the most tokens."""

GET_DAILY_RANKINGS = Endpoint("GET", "/datasets/rankings-daily", GetDailyRankings, Page[DailyRanking])
"""List the tokens of the top models, day by day."""

GET_SESSION_COSTS = Endpoint("GET", "/datasets/session-cost", GetSessionCosts, Page[SessionCost], pages=ByOffset())
"""List what sessions cost, by app and model."""

GET_BENCHMARKS = Endpoint("GET", "/benchmarks", GetBenchmarks, Page[BenchmarkResult])
"""List scores of models."""

GET_TASK_SHARES = Endpoint("GET", "/classifications/task", GetTaskShares, One[TaskShares])
"""Tell what models are used for."""
