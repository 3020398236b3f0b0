"""Destinations that traces are broadcast to.

Source: OpenRouter docs, guides/features/broadcast; the OpenAPI schemas ObservabilityDestination.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from openrouter_core.wire.params import Clearable, Paged, Parameters, Slug, ZeroToOne
from openrouter_core.wire.shape import Shape


class Destination(Shape, frozen=True, kw_only=True):
    """A destination. What `config` holds depends on its `type` ("langfuse", "otel-collector", "webhook", ...).

    The sampling rate is a fraction of 1. Secrets in `config` come back masked.
    """

    id: str
    type: str | None = None
    name: str | None = None
    workspace_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    config: dict[str, Any] | None = None
    filter_rules: dict[str, Any] | None = None
    enabled: bool | None = None
    privacy_mode: bool | None = None
    api_key_hashes: list[str] | None = None
    regions: list[str] | None = None
    sampling_rate: float | None = None
    broadcast_generation_cost: bool | None = None
    broadcast_generation_cost_allocation: bool | None = None
    broadcast_generation_identity: bool | None = None
    broadcast_generation_request_context: bool | None = None


class DestinationSettings(Parameters, frozen=True, kw_only=True):
    """What can be said of a destination. Of an update, what is UNSET stays as it is, and None clears it."""

    filter_rules: Clearable[Mapping[str, Any]] = UNSET
    api_key_hashes: Clearable[Sequence[str]] = UNSET
    regions: Clearable[Sequence[str]] = UNSET
    enabled: bool | None = None
    privacy_mode: bool | None = None
    sampling_rate: ZeroToOne | None = None
    broadcast_generation_cost: bool | None = None
    broadcast_generation_cost_allocation: bool | None = None
    broadcast_generation_identity: bool | None = None
    broadcast_generation_request_context: bool | None = None


class CreateDestination(DestinationSettings, frozen=True, kw_only=True):
    """A destination to make."""

    type: Slug
    name: Slug
    config: Mapping[str, Any]
    workspace_id: str | None = None


class UpdateDestination(DestinationSettings, frozen=True, kw_only=True):
    """What to change of a destination; the keys in `config` are merged."""

    id: Slug
    name: str | None = None
    config: Mapping[str, Any] | None = None


class ListDestinations(Paged, frozen=True, kw_only=True):
    """Which destinations to list; those of the default workspace if left out."""

    workspace_id: str | None = None
