"""API keys, and what a key may spend. Amounts are in USD, instants in ISO 8601.

Source: OpenRouter docs, guides/overview/auth and api-reference/api-keys; recorded answers.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import UNSET

from openrouter_core.wire.params import AtLeastZero, Clearable, Parameters, Slug, Usd
from openrouter_core.wire.shape import Shape, open_union

DAILY: Final = "daily"
WEEKLY: Final = "weekly"
MONTHLY: Final = "monthly"


class ApiKey(Shape, frozen=True, kw_only=True):
    """An API key: never the key itself, but its `hash`, which names it, and what it has used and may use.

    `limit_reset` says when the limit starts afresh; None is never.
    """

    hash: str
    name: str | None = None
    label: str | None = None
    limit_reset: str | None = None
    creator_user_id: str | None = None
    external_user: str | None = None
    workspace_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    last_used_at: str | None = None
    expires_at: str | None = None
    disabled: bool | None = None
    include_byok_in_limit: bool | None = None
    limit: Decimal | None = None
    limit_remaining: Decimal | None = None
    usage: Decimal | None = None
    usage_daily: Decimal | None = None
    usage_weekly: Decimal | None = None
    usage_monthly: Decimal | None = None
    byok_usage: Decimal | None = None
    byok_usage_daily: Decimal | None = None
    byok_usage_weekly: Decimal | None = None
    byok_usage_monthly: Decimal | None = None


class CreatedKey(Shape, frozen=True, kw_only=True):
    """The new key. `key` is told this once, and never again."""

    data: ApiKey
    key: str


class ExternalUser(Shape, frozen=True, kw_only=True):
    """Someone else's user for whom a key is made."""

    user: Slug
    api_key: str | None = None


if TYPE_CHECKING:
    ExternalUserLike: TypeAlias = ExternalUser | Mapping[str, Any]
else:
    ExternalUserLike = open_union(other=ExternalUser)


class CreateKey(Parameters, frozen=True, kw_only=True):
    """A key to make. `limit` is in USD, and starts afresh "daily", "weekly", "monthly", or never."""

    name: Slug
    limit: Usd | None = None
    limit_reset: str | None = None
    expires_at: str | None = None
    workspace_id: str | None = None
    creator_user_id: str | None = None
    include_byok_in_limit: bool | None = None
    external: ExternalUserLike | None = None


class KeyHash(Parameters, frozen=True, kw_only=True):
    """Names a key by its hash."""

    hash: Slug


class UpdateKey(KeyHash, frozen=True, kw_only=True):
    """What to change of a key. A `limit` or `limit_reset` of None clears it."""

    name: str | None = None
    workspace_id: str | None = None
    disabled: bool | None = None
    include_byok_in_limit: bool | None = None
    limit: Clearable[Usd] = UNSET
    limit_reset: Clearable[str] = UNSET


class ListKeys(Parameters, frozen=True, kw_only=True):
    """Which keys to list, after the first `offset`; those of the default workspace if left out."""

    offset: AtLeastZero | None = None
    include_disabled: bool | None = None
    include_expired: bool | None = None
    workspace_id: str | None = None


class Budget(Shape, frozen=True, kw_only=True):
    """What may be spent until `resets_at`, by a key, a workspace or a guardrail (`scope`)."""

    scope: str | None = None
    budget_id: str | None = None
    guardrail_id: str | None = None
    reset_interval: str | None = None
    resets_at: str | None = None
    limit_usd: Decimal | None = None
    spend_usd: Decimal | None = None
    remaining_usd: Decimal | None = None
    include_byok: bool | None = None


class FreeRequests(Shape, frozen=True, kw_only=True):
    """Requests to free models today; the count starts afresh at 00:00 UTC."""

    used: int | None = None
    limit: int | None = None
    remaining: int | None = None


class CurrentKey(Shape, frozen=True, kw_only=True):
    """The key that asks: what it has used and may use. `rate_limit` is deprecated, and says nothing."""

    label: str | None = None
    limit_reset: str | None = None
    creator_user_id: str | None = None
    organization_id: str | None = None
    workspace_id: str | None = None
    expires_at: str | None = None
    limit: Decimal | None = None
    limit_remaining: Decimal | None = None
    usage: Decimal | None = None
    usage_daily: Decimal | None = None
    usage_weekly: Decimal | None = None
    usage_monthly: Decimal | None = None
    byok_usage: Decimal | None = None
    byok_usage_daily: Decimal | None = None
    byok_usage_weekly: Decimal | None = None
    byok_usage_monthly: Decimal | None = None
    is_free_tier: bool | None = None
    is_management_key: bool | None = None
    is_provisioning_key: bool | None = None
    include_byok_in_limit: bool | None = None
    allowed_data_regions: list[str] | None = None
    free_model_daily_requests: FreeRequests | None = None
    budgets: list[Budget] | None = None
    effective_budget: Budget | None = None
    rate_limit: dict[str, Any] | None = None
