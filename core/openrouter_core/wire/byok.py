"""Credentials of one's own at providers ("bring your own key").

Source: OpenRouter docs, guides/overview/auth/byok; the OpenAPI schema BYOKKey.
"""

from collections.abc import Sequence

from msgspec import UNSET

from openrouter_core.wire.params import Clearable, Paged, Parameters, Slug
from openrouter_core.wire.shape import Shape


class ByokKey(Shape, frozen=True, kw_only=True):
    """A credential: never itself, but a `label` of it. The lists are whom it may serve; None is everybody."""

    id: str
    provider: str | None = None
    name: str | None = None
    label: str | None = None
    declared_region: str | None = None
    workspace_id: str | None = None
    created_at: str | None = None
    sort_order: int | None = None
    disabled: bool | None = None
    is_fallback: bool | None = None
    is_required: bool | None = None
    is_byok_only: bool | None = None
    declared_zdr: bool | None = None
    allowed_models: list[str] | None = None
    allowed_api_key_hashes: list[str] | None = None
    allowed_user_ids: list[str] | None = None


class ByokRules(Parameters, frozen=True, kw_only=True):
    """What can be said of a credential. Of an update, what is UNSET stays as it is, and None clears it."""

    name: Clearable[str] = UNSET
    declared_region: Clearable[str] = UNSET
    declared_zdr: Clearable[bool] = UNSET
    allowed_models: Clearable[Sequence[str]] = UNSET
    allowed_api_key_hashes: Clearable[Sequence[str]] = UNSET
    allowed_user_ids: Clearable[Sequence[str]] = UNSET
    disabled: bool | None = None
    is_fallback: bool | None = None
    is_required: bool | None = None
    is_byok_only: bool | None = None


class CreateByokKey(ByokRules, frozen=True, kw_only=True):
    """A credential to keep; it is stored encrypted, and not told again."""

    provider: Slug
    key: Slug
    workspace_id: str | None = None


class UpdateByokKey(ByokRules, frozen=True, kw_only=True):
    """What to change of a credential."""

    id: Slug
    key: str | None = None


class ListByokKeys(Paged, frozen=True, kw_only=True):
    """Which credentials to list."""

    workspace_id: str | None = None
    provider: str | None = None
