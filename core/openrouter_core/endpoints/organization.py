"""What organizations are: members, settings, directories, private endpoints, destinations of traces.

All of it takes a management key.
"""

from __future__ import annotations

from openrouter_core.endpoint import ByOffset, Endpoint
from openrouter_core.wire.answers import Deleted, One, Page
from openrouter_core.wire.observability import CreateDestination, Destination, ListDestinations, UpdateDestination
from openrouter_core.wire.organization import (
    CreateGroupMapping,
    DeleteGroupMapping,
    DirectoryGroup,
    GroupMapping,
    ListExternalUsers,
    ListGroups,
    Member,
    OrganizationSettings,
    RegisteredUser,
    SyncJob,
    UpdateExternalUser,
    UpdateGroupMapping,
    UpdateOrganizationSettings,
    UserName,
)
from openrouter_core.wire.params import Id, Paged, Parameters
from openrouter_core.wire.private_endpoints import (
    CreatePrivateEndpoint,
    DeletedEndpoint,
    DeletePrivateEndpoint,
    PrivateEndpoint,
    PrivateValidation,
    SetPrivatePricing,
    UpdatePrivateEndpoint,
    ValidatePrivateEndpoint,
)

LIST_ORGANIZATION_MEMBERS = Endpoint(
    "GET", "/organization/members", Paged, Page[Member], key="management", pages=ByOffset()
)
"""List members."""

GET_ORGANIZATION_SETTINGS = Endpoint(
    "GET", "/organization/settings", Parameters, One[OrganizationSettings], key="management"
)
"""Get the organization's settings."""

UPDATE_ORGANIZATION_SETTINGS = Endpoint(
    "PATCH", "/organization/settings", UpdateOrganizationSettings, One[OrganizationSettings], key="management"
)
"""Change the organization's settings."""

LIST_EXTERNAL_USERS = Endpoint(
    "GET", "/external-users", ListExternalUsers, Page[RegisteredUser], key="management", pages=ByOffset()
)
"""List users of one's own apps."""

CREATE_EXTERNAL_USER = Endpoint(
    "POST", "/external-users", UserName, One[RegisteredUser], key="management", repeatable=False
)
"""Register a user."""

GET_EXTERNAL_USER = Endpoint("GET", "/external-users/{user}", UserName, One[RegisteredUser], key="management")
"""Get a registered user."""

UPDATE_EXTERNAL_USER = Endpoint(
    "PATCH", "/external-users/{user}", UpdateExternalUser, One[RegisteredUser], key="management"
)
"""Change a registered user."""

DELETE_EXTERNAL_USER = Endpoint("DELETE", "/external-users/{user}", UserName, type(None), key="management")
"""Deactivate a registered user."""

LIST_PRIVATE_ENDPOINTS = Endpoint("GET", "/private-endpoints", Parameters, Page[PrivateEndpoint], key="management")
"""List private endpoints."""

CREATE_PRIVATE_ENDPOINT = Endpoint(
    "POST",
    "/private-endpoints",
    CreatePrivateEndpoint,
    One[PrivateEndpoint],
    key="management",
    repeatable=False,
    headers=(("idempotency_key", "idempotency-key"),),
)
"""Make a private endpoint."""

GET_PRIVATE_ENDPOINT = Endpoint("GET", "/private-endpoints/{id}", Id, One[PrivateEndpoint], key="management")
"""Get a private endpoint."""

UPDATE_PRIVATE_ENDPOINT = Endpoint(
    "PATCH", "/private-endpoints/{id}", UpdatePrivateEndpoint, One[PrivateEndpoint], key="management"
)
"""Change a draft."""

DELETE_PRIVATE_ENDPOINT = Endpoint(
    "DELETE", "/private-endpoints/{id}", DeletePrivateEndpoint, One[DeletedEndpoint], key="management"
)
"""Delete a private endpoint."""

VALIDATE_PRIVATE_ENDPOINT = Endpoint(
    "POST", "/private-endpoints/{id}/validate", ValidatePrivateEndpoint, One[PrivateValidation], key="management"
)
"""Try whether a draft answers as it should."""

ACTIVATE_PRIVATE_ENDPOINT = Endpoint(
    "POST", "/private-endpoints/{id}/activate", Id, One[PrivateEndpoint], key="management"
)
"""Put a validated endpoint into service."""

ENABLE_PRIVATE_ENDPOINT = Endpoint("POST", "/private-endpoints/{id}/enable", Id, One[PrivateEndpoint], key="management")
"""Put an endpoint into service again."""

DISABLE_PRIVATE_ENDPOINT = Endpoint(
    "POST", "/private-endpoints/{id}/disable", Id, One[PrivateEndpoint], key="management"
)
"""Take an endpoint out of service."""

SET_PRIVATE_PRICING = Endpoint(
    "PUT", "/private-endpoints/{id}/pricing", SetPrivatePricing, One[PrivateEndpoint], key="management"
)
"""Set what an endpoint costs."""

LIST_DESTINATIONS = Endpoint(
    "GET", "/observability/destinations", ListDestinations, Page[Destination], key="management", pages=ByOffset()
)
"""List destinations of traces."""

CREATE_DESTINATION = Endpoint(
    "POST", "/observability/destinations", CreateDestination, One[Destination], key="management", repeatable=False
)
"""Make a destination."""

GET_DESTINATION = Endpoint("GET", "/observability/destinations/{id}", Id, One[Destination], key="management")
"""Get a destination."""

UPDATE_DESTINATION = Endpoint(
    "PATCH", "/observability/destinations/{id}", UpdateDestination, One[Destination], key="management"
)
"""Change a destination."""

DELETE_DESTINATION = Endpoint("DELETE", "/observability/destinations/{id}", Id, Deleted, key="management")
"""Delete a destination."""

LIST_GROUP_MAPPINGS = Endpoint(
    "GET", "/scim/group-mappings", Paged, Page[GroupMapping], key="management", pages=ByOffset()
)
"""List which groups have which roles where."""

CREATE_GROUP_MAPPING = Endpoint(
    "POST", "/scim/group-mappings", CreateGroupMapping, One[GroupMapping], key="management", repeatable=False
)
"""Make a mapping."""

GET_GROUP_MAPPING = Endpoint("GET", "/scim/group-mappings/{id}", Id, One[GroupMapping], key="management")
"""Get a mapping."""

UPDATE_GROUP_MAPPING = Endpoint(
    "PATCH", "/scim/group-mappings/{id}", UpdateGroupMapping, One[GroupMapping], key="management"
)
"""Change a mapping's role."""

DELETE_GROUP_MAPPING = Endpoint("DELETE", "/scim/group-mappings/{id}", DeleteGroupMapping, Deleted, key="management")
"""Delete a mapping."""

LIST_GROUPS = Endpoint("GET", "/scim/groups", ListGroups, Page[DirectoryGroup], key="management", pages=ByOffset())
"""List the directory's groups."""

START_SYNC = Endpoint("POST", "/scim/sync-jobs", Parameters, One[SyncJob], key="management", repeatable=False)
"""Start a sync of the directory."""

GET_SYNC = Endpoint("GET", "/scim/sync-jobs/{id}", Id, One[SyncJob], key="management")
"""Ask how a sync stands."""
