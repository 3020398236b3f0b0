"""The tools that OpenRouter runs itself (`GET /tools`), with their engines and prices.

Source: the OpenAPI schemas ServerTool and ServerToolDetails.
"""

from typing import Any

from openrouter_core.wire.params import Paged, Parameters, Slug
from openrouter_core.wire.shape import Shape


class ToolOutputName(Shape, frozen=True, kw_only=True):
    """What a tool's output is called in one of the API's formats."""

    api_format: str | None = None
    type: str | None = None
    name: str | None = None


class ToolInputName(Shape, frozen=True, kw_only=True):
    """What a tool may be called in requests, in which formats, and what its output is called then."""

    type: str | None = None
    api_formats: list[str] | None = None
    output_names: list[ToolOutputName] | None = None


class ToolPrice(Shape, frozen=True, kw_only=True):
    """What a tool costs, in USD for each `unit`; an expression where it depends."""

    mode: str | None = None
    unit: str | None = None
    price: str | None = None
    max_units_per_call: int | None = None


class ToolEngine(Shape, frozen=True, kw_only=True):
    """Something that a tool can be run with."""

    id: str | None = None
    name: str | None = None
    byok: str | None = None
    default_mode: str | None = None
    executed_by: str | None = None
    pricing_doc_url: str | None = None
    pricing_source: str | None = None
    data_regions: list[str] | None = None
    pricing: list[ToolPrice] | None = None


class NativeModel(Shape, frozen=True, kw_only=True):
    """A model that brings a tool of its own, and the providers where it does."""

    slug: str | None = None
    providers: list[str] | None = None


class NativeSupport(Shape, frozen=True, kw_only=True):
    """How many models bring such a tool of their own."""

    endpoint_count: int | None = None
    model_count: int | None = None
    models: list[NativeModel] | None = None


class RegisteredTool(Shape, frozen=True, kw_only=True):
    """A tool that requests can offer to models. The schemas are JSON schemas."""

    id: str
    name: str | None = None
    summary: str | None = None
    status: str | None = None
    tool_description: str | None = None
    docs_url: str | None = None
    default_engine: str | None = None
    fallback_engine: str | None = None
    aliases: list[ToolInputName] | None = None
    engines: list[ToolEngine] | None = None
    supported_api_formats: list[str] | None = None
    input_schema: dict[str, Any] | None = None
    output_schema: dict[str, Any] | None = None
    parameters_schema: dict[str, Any] | None = None
    native_support: NativeSupport | None = None


class ListTools(Paged, frozen=True, kw_only=True):
    """Which tools to list: all, or those for one format ("chat", "responses", "messages")."""

    api_format: str | None = None


class ToolName(Parameters, frozen=True, kw_only=True):
    """Names a tool."""

    name: Slug
