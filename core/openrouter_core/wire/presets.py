"""Presets: settings of requests, kept under a name, in versions.

Source: OpenRouter docs, guides/features/presets; the OpenAPI schema Preset.
"""

from typing import Any

from openrouter_core.wire.messages import MessagesRequest
from openrouter_core.wire.params import Paged, Parameters, Slug
from openrouter_core.wire.request import ChatCompletionRequest
from openrouter_core.wire.responses import ResponsesRequest
from openrouter_core.wire.shape import Shape


class PresetVersion(Shape, frozen=True, kw_only=True):
    """The settings of a preset as they were at one time; `config` is the body of a request."""

    id: str | None = None
    preset_id: str | None = None
    creator_id: str | None = None
    system_prompt: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    version: int | None = None
    config: dict[str, Any] | None = None


class Preset(Shape, frozen=True, kw_only=True):
    """A preset; `designated_version` is what requests get that name it."""

    slug: str
    id: str | None = None
    name: str | None = None
    description: str | None = None
    status: str | None = None
    status_updated_at: str | None = None
    designated_version_id: str | None = None
    creator_user_id: str | None = None
    workspace_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    designated_version: PresetVersion | None = None


class PresetSlug(Parameters, frozen=True, kw_only=True):
    """Names a preset."""

    slug: Slug


class ListPresetVersions(Paged, frozen=True, kw_only=True):
    """Which versions of a preset to list."""

    slug: Slug


class PresetVersionNumber(PresetSlug, frozen=True, kw_only=True):
    """Names a version of a preset."""

    version: Slug


class PresetFromChat(PresetSlug, frozen=True, kw_only=True):
    """A preset to make of a chat request. The request is kept, not run."""

    request: ChatCompletionRequest


class PresetFromMessages(PresetSlug, frozen=True, kw_only=True):
    """A preset to make of a request to the Anthropic skin."""

    request: MessagesRequest


class PresetFromResponses(PresetSlug, frozen=True, kw_only=True):
    """A preset to make of a request to the responses API."""

    request: ResponsesRequest
