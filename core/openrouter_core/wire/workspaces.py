"""Workspaces, their members and budgets. Amounts are in USD.

Source: OpenRouter docs, guides/features/workspaces; the OpenAPI schemas Workspace and WorkspaceBudget.
"""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET

from openrouter_core.wire.params import Clearable, Id, Parameters, Slug, Usd, ZeroToOne
from openrouter_core.wire.shape import Shape


class Workspace(Shape, frozen=True, kw_only=True):
    """A workspace. The sampling rate is a fraction of 1."""

    id: str
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    created_by: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    default_guardrail_id: str | None = None
    default_text_model: str | None = None
    default_image_model: str | None = None
    default_provider_sort: str | None = None
    disabled_server_tools: list[str] | None = None
    io_logging_api_key_ids: list[int] | None = None
    io_logging_sampling_rate: float | None = None
    is_observability_io_logging_enabled: bool | None = None
    is_observability_broadcast_enabled: bool | None = None
    is_data_discount_logging_enabled: bool | None = None
    include_byok_in_budgets: bool | None = None


class WorkspaceSettings(Parameters, frozen=True, kw_only=True):
    """What can be said of a workspace. Of an update, what is UNSET stays as it is, and None clears it."""

    description: Clearable[str] = UNSET
    default_text_model: Clearable[str] = UNSET
    default_image_model: Clearable[str] = UNSET
    default_provider_sort: Clearable[str] = UNSET
    io_logging_api_key_ids: Clearable[Sequence[int]] = UNSET
    disabled_server_tools: Clearable[Sequence[str]] = UNSET
    io_logging_sampling_rate: ZeroToOne | None = None
    is_observability_io_logging_enabled: bool | None = None
    is_observability_broadcast_enabled: bool | None = None
    is_data_discount_logging_enabled: bool | None = None


class CreateWorkspace(WorkspaceSettings, frozen=True, kw_only=True):
    """A workspace to make."""

    name: Slug
    slug: Slug


class UpdateWorkspace(WorkspaceSettings, frozen=True, kw_only=True):
    """What to change of a workspace, by its id or slug."""

    id: Slug
    name: str | None = None
    slug: str | None = None


class DeleteWorkspace(Id, frozen=True, kw_only=True):
    """A workspace to delete, by its id or slug.

    For the default one `confirm_default_workspace_deletion` must be set.
    """

    confirm_default_workspace_deletion: bool | None = None


class WorkspaceMember(Shape, frozen=True, kw_only=True):
    """A member of a workspace."""

    id: str
    user_id: str | None = None
    workspace_id: str | None = None
    role: str | None = None
    created_at: str | None = None


class WorkspaceMembers(Id, frozen=True, kw_only=True):
    """Members to add to a workspace, or to take from it."""

    user_ids: Sequence[str]


class MembersAdded(Shape, frozen=True, kw_only=True):
    """Who was added."""

    added_count: int
    data: list[WorkspaceMember] | None = None


class MembersRemoved(Shape, frozen=True, kw_only=True):
    """How many were taken away."""

    removed_count: int


class WorkspaceBudget(Shape, frozen=True, kw_only=True):
    """What a workspace may spend in each interval."""

    limit_usd: Decimal
    id: str | None = None
    workspace_id: str | None = None
    reset_interval: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class WorkspaceBudgets(Shape, frozen=True, kw_only=True):
    """The budgets of a workspace; the flag is the workspace's, not the budget's."""

    data: list[WorkspaceBudget]
    include_byok_in_budgets: bool | None = None


class OneBudget(Shape, frozen=True, kw_only=True):
    """A budget of a workspace; the flag is the workspace's, not the budget's."""

    data: WorkspaceBudget
    include_byok_in_budgets: bool | None = None


class WorkspaceRef(Parameters, frozen=True, kw_only=True):
    """Names a workspace by its id or slug."""

    workspace_ref: Slug


class BudgetInterval(WorkspaceRef, frozen=True, kw_only=True):
    """Names a budget: "daily", "weekly", "monthly" or "lifetime"."""

    interval: Slug


class SetBudget(BudgetInterval, frozen=True, kw_only=True):
    """What may be spent in an interval. Longer intervals must allow more."""

    limit_usd: Usd
    include_byok_in_budgets: bool | None = None
