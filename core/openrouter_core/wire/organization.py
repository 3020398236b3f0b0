"""An organization: members, settings, users of its apps, and directory sync (SCIM).

Source: OpenRouter docs, guides/features/organizations; the OpenAPI schemas OrganizationSettings, ExternalUser and
ScimGroupMapping.
"""

from openrouter_core.wire.params import Id, Paged, Parameters, Slug
from openrouter_core.wire.shape import Shape


class Member(Shape, frozen=True, kw_only=True):
    """A member."""

    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    role: str | None = None


class OrganizationSettings(Shape, frozen=True, kw_only=True):
    """Settings of an organization."""

    id: str | None = None
    is_filtered_model_catalog_enabled: bool | None = None


class UpdateOrganizationSettings(Parameters, frozen=True, kw_only=True):
    """Whether members see only the models that they may use."""

    is_filtered_model_catalog_enabled: bool


class RegisteredUser(Shape, frozen=True, kw_only=True):
    """A user of one's own app, known by the text that requests carry as `user`."""

    user: str
    is_active: bool | None = None
    created_at: str | None = None
    updated_at: str | None = None


class UserName(Parameters, frozen=True, kw_only=True):
    """Names a user: 1 to 512 characters, as in requests."""

    user: Slug


class UpdateExternalUser(UserName, frozen=True, kw_only=True):
    """Whether a user is active."""

    is_active: bool


class ListExternalUsers(Paged, frozen=True, kw_only=True):
    """Which users to list."""

    user: str | None = None
    include_inactive: bool | None = None


class GroupMapping(Shape, frozen=True, kw_only=True):
    """The members of a directory's group have this role in this workspace."""

    id: str
    scim_group_id: str | None = None
    workspace_id: str | None = None
    organization_id: str | None = None
    role: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class CreateGroupMapping(Parameters, frozen=True, kw_only=True):
    """A mapping to make."""

    scim_group_id: Slug
    workspace_id: Slug
    role: Slug


class UpdateGroupMapping(Id, frozen=True, kw_only=True):
    """The role to give instead."""

    role: Slug


class DeleteGroupMapping(Id, frozen=True, kw_only=True):
    """A mapping to delete. Without `keep_members` the members that it brought lose their access."""

    keep_members: bool


class DirectoryGroup(Shape, frozen=True, kw_only=True):
    """A group of the directory."""

    id: str
    display_name: str | None = None
    external_id: str | None = None
    organization_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class ListGroups(Paged, frozen=True, kw_only=True):
    """Which groups to list: exact matches."""

    display_name: str | None = None
    external_id: str | None = None


class SyncJob(Shape, frozen=True, kw_only=True):
    """A sync of the directory, as it stands."""

    id: str
    status: str | None = None
    error_message: str | None = None
    created_at: str | None = None
    started_at: str | None = None
    finished_at: str | None = None
    synced_groups: int | None = None
    deleted_groups: int | None = None
