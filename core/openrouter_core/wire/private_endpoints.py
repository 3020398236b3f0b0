"""Private endpoints: models of one's own behind OpenRouter.

Source: the OpenAPI schemas PrivateEndpoint and PrivateEndpointValidation.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import UNSET

from openrouter_core.wire.params import Clearable, Id, Parameters, Slug
from openrouter_core.wire.shape import Shape, open_union


class PrivatePricing(Shape, frozen=True, kw_only=True):
    """What it costs, in USD per token, as decimal text."""

    prompt: str
    completion: str
    cache_read: str | None = None
    cache_write: str | None = None


if TYPE_CHECKING:
    PrivatePricingLike: TypeAlias = PrivatePricing | Mapping[str, Any]
else:
    PrivatePricingLike = open_union(other=PrivatePricing)


class PrivateEndpoint(Shape, frozen=True, kw_only=True):
    """A private endpoint; which fields there are depends on who asks."""

    id: str
    status: str | None = None
    model_name: str | None = None
    model_slug: str | None = None
    model_permaslug: str | None = None
    provider_name: str | None = None
    provider_slug: str | None = None
    upstream_model_id: str | None = None
    base_url: str | None = None
    declared_region: str | None = None
    created_at: str | None = None
    declared_zdr: bool | None = None
    pricing: PrivatePricing | None = None


class PrivateCheck(Shape, frozen=True, kw_only=True):
    """One check of an endpoint, and why it failed."""

    name: str | None = None
    actual_model: str | None = None
    reason: str | None = None
    upstream_message: str | None = None
    passed: bool | None = None
    upstream_status: int | None = None


class PrivateValidation(Shape, frozen=True, kw_only=True):
    """Whether an endpoint answers as it should."""

    passed: bool
    checks: list[PrivateCheck] | None = None


class CreatePrivateEndpoint(Parameters, frozen=True, kw_only=True):
    """An endpoint to make. With an `idempotency_key` sending it twice makes only one."""

    model_permaslug: Slug
    provider_slug: Slug
    upstream_model_id: Slug
    base_url: str | None = None
    declared_region: str | None = None
    declared_zdr: bool | None = None
    pricing: PrivatePricingLike | None = None
    activate: Mapping[str, Any] | None = None
    idempotency_key: str | None = None


class UpdatePrivateEndpoint(Id, frozen=True, kw_only=True):
    """What to change of a draft."""

    upstream_model_id: Slug
    base_url: str | None = None
    declared_region: Clearable[str] = UNSET
    declared_zdr: Clearable[bool] = UNSET


class DeletePrivateEndpoint(Id, frozen=True, kw_only=True):
    """An endpoint to delete; with `draft_only` "true", only if it is still a draft."""

    draft_only: str | None = None


class SetPrivatePricing(Id, frozen=True, kw_only=True):
    """What an endpoint is to cost."""

    pricing: PrivatePricingLike


class ValidatePrivateEndpoint(Id, frozen=True, kw_only=True):
    """The workspace in whose name an endpoint is tried."""

    workspace_id: Slug


class DeletedEndpoint(Shape, frozen=True, kw_only=True):
    """The endpoint that was deleted."""

    id: str
