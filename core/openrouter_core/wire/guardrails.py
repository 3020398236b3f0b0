"""Guardrails: what keys and members may use and spend. `limit_usd` is in USD.

Source: OpenRouter docs, guides/features/guardrails; the OpenAPI schema Guardrail.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import UNSET

from openrouter_core.wire.params import Clearable, Id, Paged, Parameters, Slug, Usd
from openrouter_core.wire.shape import Shape, open_union


class ContentFilter(Shape, frozen=True, kw_only=True):
    """A pattern to look for, and what to do then: "block", "redact" or "flag"."""

    pattern: Slug
    action: Slug
    label: str | None = None


class BuiltinFilter(Shape, frozen=True, kw_only=True):
    """A filter that OpenRouter has ready."""

    slug: Slug
    action: Slug
    label: str | None = None
    scan_scope: str | None = None


if TYPE_CHECKING:
    ContentFilterLike: TypeAlias = ContentFilter | Mapping[str, Any]
else:
    ContentFilterLike = open_union(other=ContentFilter)

if TYPE_CHECKING:
    BuiltinFilterLike: TypeAlias = BuiltinFilter | Mapping[str, Any]
else:
    BuiltinFilterLike = open_union(other=BuiltinFilter)


class Guardrail(Shape, frozen=True, kw_only=True):
    """A guardrail."""

    id: str
    name: str | None = None
    description: str | None = None
    workspace_id: str | None = None
    reset_interval: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    limit_usd: Decimal | None = None
    include_byok_in_budgets: bool | None = None
    allowed_models: list[str] | None = None
    ignored_models: list[str] | None = None
    allowed_providers: list[str] | None = None
    ignored_providers: list[str] | None = None
    allowed_data_regions: list[str] | None = None
    content_filters: list[dict[str, Any]] | None = None
    content_filter_builtins: list[dict[str, Any]] | None = None
    enforce_zdr: bool | None = None
    enforce_zdr_anthropic: bool | None = None
    enforce_zdr_google: bool | None = None
    enforce_zdr_openai: bool | None = None
    enforce_zdr_xai: bool | None = None
    enforce_zdr_other: bool | None = None
    allow_safety_retention_google: bool | None = None
    allow_safety_retention_other: bool | None = None
    enable_free_model_publication: bool | None = None
    enable_free_model_training: bool | None = None
    enable_paid_model_training: bool | None = None


class GuardrailRules(Parameters, frozen=True, kw_only=True):
    """What a guardrail can say. Of an update, what is UNSET stays as it is, and None clears it."""

    description: Clearable[str] = UNSET
    limit_usd: Clearable[Usd] = UNSET
    reset_interval: Clearable[str] = UNSET
    allowed_models: Clearable[Sequence[str]] = UNSET
    ignored_models: Clearable[Sequence[str]] = UNSET
    allowed_providers: Clearable[Sequence[str]] = UNSET
    ignored_providers: Clearable[Sequence[str]] = UNSET
    allowed_data_regions: Clearable[Sequence[str]] = UNSET
    content_filters: Clearable[Sequence[ContentFilterLike]] = UNSET
    content_filter_builtins: Clearable[Sequence[BuiltinFilterLike]] = UNSET
    enforce_zdr: Clearable[bool] = UNSET
    enforce_zdr_anthropic: Clearable[bool] = UNSET
    enforce_zdr_google: Clearable[bool] = UNSET
    enforce_zdr_openai: Clearable[bool] = UNSET
    enforce_zdr_xai: Clearable[bool] = UNSET
    enforce_zdr_other: Clearable[bool] = UNSET
    allow_safety_retention_google: Clearable[bool] = UNSET
    allow_safety_retention_other: Clearable[bool] = UNSET
    enable_free_model_publication: Clearable[bool] = UNSET
    enable_free_model_training: Clearable[bool] = UNSET
    enable_paid_model_training: Clearable[bool] = UNSET
    include_byok_in_budgets: bool | None = None


class CreateGuardrail(GuardrailRules, frozen=True, kw_only=True):
    """A guardrail to make, in the default workspace if left out."""

    name: Slug
    workspace_id: str | None = None


class UpdateGuardrail(GuardrailRules, frozen=True, kw_only=True):
    """What to change of a guardrail."""

    id: Slug
    name: str | None = None


class ListGuardrails(Paged, frozen=True, kw_only=True):
    """Which guardrails to list; those of the default workspace if left out."""

    workspace_id: str | None = None


class IdPaged(Paged, frozen=True, kw_only=True):
    """Which part of a thing's list."""

    id: Slug


class KeyAssignment(Shape, frozen=True, kw_only=True):
    """A key under a guardrail."""

    id: str
    guardrail_id: str | None = None
    key_hash: str | None = None
    key_label: str | None = None
    key_name: str | None = None
    assigned_by: str | None = None
    created_at: str | None = None


class MemberAssignment(Shape, frozen=True, kw_only=True):
    """A member under a guardrail."""

    id: str
    guardrail_id: str | None = None
    user_id: str | None = None
    organization_id: str | None = None
    assigned_by: str | None = None
    created_at: str | None = None


class AssignKeys(Id, frozen=True, kw_only=True):
    """Keys to put under a guardrail, or to take from it, by their hashes."""

    key_hashes: Sequence[str]


class AssignMembers(Id, frozen=True, kw_only=True):
    """Members to put under a guardrail, or to take from it."""

    member_user_ids: Sequence[str]


class Assigned(Shape, frozen=True, kw_only=True):
    """How many were assigned."""

    assigned_count: int


class Unassigned(Shape, frozen=True, kw_only=True):
    """How many were taken away."""

    unassigned_count: int
