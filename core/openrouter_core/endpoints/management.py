"""What organizations manage: guardrails, own credentials, workspaces, members, endpoints, traces.

All of it takes a management key.
"""

from __future__ import annotations

from openrouter_core.endpoint import ByOffset, Endpoint
from openrouter_core.wire.answers import Deleted, One, Page
from openrouter_core.wire.byok import ByokKey, CreateByokKey, ListByokKeys, UpdateByokKey
from openrouter_core.wire.guardrails import (
    Assigned,
    AssignKeys,
    AssignMembers,
    CreateGuardrail,
    Guardrail,
    IdPaged,
    KeyAssignment,
    ListGuardrails,
    MemberAssignment,
    Unassigned,
    UpdateGuardrail,
)
from openrouter_core.wire.params import Id, Paged
from openrouter_core.wire.workspaces import (
    BudgetInterval,
    CreateWorkspace,
    DeleteWorkspace,
    MembersAdded,
    MembersRemoved,
    OneBudget,
    SetBudget,
    UpdateWorkspace,
    Workspace,
    WorkspaceBudgets,
    WorkspaceMember,
    WorkspaceMembers,
    WorkspaceRef,
)

LIST_GUARDRAILS = Endpoint("GET", "/guardrails", ListGuardrails, Page[Guardrail], key="management", pages=ByOffset())
"""List guardrails."""

CREATE_GUARDRAIL = Endpoint("POST", "/guardrails", CreateGuardrail, One[Guardrail], key="management", repeatable=False)
"""Make a guardrail."""

GET_GUARDRAIL = Endpoint("GET", "/guardrails/{id}", Id, One[Guardrail], key="management")
"""Get a guardrail."""

UPDATE_GUARDRAIL = Endpoint("PATCH", "/guardrails/{id}", UpdateGuardrail, One[Guardrail], key="management")
"""Change a guardrail."""

DELETE_GUARDRAIL = Endpoint("DELETE", "/guardrails/{id}", Id, Deleted, key="management")
"""Delete a guardrail."""

LIST_KEY_ASSIGNMENTS = Endpoint(
    "GET", "/guardrails/assignments/keys", Paged, Page[KeyAssignment], key="management", pages=ByOffset()
)
"""List which keys are under guardrails."""

LIST_MEMBER_ASSIGNMENTS = Endpoint(
    "GET", "/guardrails/assignments/members", Paged, Page[MemberAssignment], key="management", pages=ByOffset()
)
"""List which members are under guardrails."""

LIST_GUARDRAIL_KEYS = Endpoint(
    "GET", "/guardrails/{id}/assignments/keys", IdPaged, Page[KeyAssignment], key="management", pages=ByOffset()
)
"""List the keys under a guardrail."""

ASSIGN_KEYS = Endpoint("POST", "/guardrails/{id}/assignments/keys", AssignKeys, Assigned, key="management")
"""Put keys under a guardrail."""

UNASSIGN_KEYS = Endpoint("POST", "/guardrails/{id}/assignments/keys/remove", AssignKeys, Unassigned, key="management")
"""Take keys from a guardrail."""

LIST_GUARDRAIL_MEMBERS = Endpoint(
    "GET", "/guardrails/{id}/assignments/members", IdPaged, Page[MemberAssignment], key="management", pages=ByOffset()
)
"""List the members under a guardrail."""

ASSIGN_MEMBERS = Endpoint("POST", "/guardrails/{id}/assignments/members", AssignMembers, Assigned, key="management")
"""Put members under a guardrail."""

UNASSIGN_MEMBERS = Endpoint(
    "POST", "/guardrails/{id}/assignments/members/remove", AssignMembers, Unassigned, key="management"
)
"""Take members from a guardrail."""

LIST_BYOK_KEYS = Endpoint("GET", "/byok", ListByokKeys, Page[ByokKey], key="management", pages=ByOffset())
"""List own credentials at providers."""

CREATE_BYOK_KEY = Endpoint("POST", "/byok", CreateByokKey, One[ByokKey], key="management", repeatable=False)
"""Keep a credential."""

GET_BYOK_KEY = Endpoint("GET", "/byok/{id}", Id, One[ByokKey], key="management")
"""Get what is known of a credential."""

UPDATE_BYOK_KEY = Endpoint("PATCH", "/byok/{id}", UpdateByokKey, One[ByokKey], key="management")
"""Change a credential."""

DELETE_BYOK_KEY = Endpoint("DELETE", "/byok/{id}", Id, Deleted, key="management")
"""Delete a credential."""

LIST_WORKSPACES = Endpoint("GET", "/workspaces", Paged, Page[Workspace], key="management", pages=ByOffset())
"""List workspaces."""

CREATE_WORKSPACE = Endpoint("POST", "/workspaces", CreateWorkspace, One[Workspace], key="management", repeatable=False)
"""Make a workspace."""

GET_WORKSPACE = Endpoint("GET", "/workspaces/{id}", Id, One[Workspace], key="management")
"""Get a workspace, by its id or slug."""

UPDATE_WORKSPACE = Endpoint("PATCH", "/workspaces/{id}", UpdateWorkspace, One[Workspace], key="management")
"""Change a workspace."""

DELETE_WORKSPACE = Endpoint("DELETE", "/workspaces/{id}", DeleteWorkspace, Deleted, key="management")
"""Delete a workspace."""

LIST_WORKSPACE_MEMBERS = Endpoint(
    "GET", "/workspaces/{id}/members", IdPaged, Page[WorkspaceMember], key="management", pages=ByOffset()
)
"""List a workspace's members."""

ADD_WORKSPACE_MEMBERS = Endpoint(
    "POST", "/workspaces/{id}/members/add", WorkspaceMembers, MembersAdded, key="management"
)
"""Add members to a workspace."""

REMOVE_WORKSPACE_MEMBERS = Endpoint(
    "POST", "/workspaces/{id}/members/remove", WorkspaceMembers, MembersRemoved, key="management"
)
"""Take members from a workspace."""

LIST_WORKSPACE_BUDGETS = Endpoint(
    "GET", "/workspaces/{workspace_ref}/budgets", WorkspaceRef, WorkspaceBudgets, key="management"
)
"""List a workspace's budgets."""

GET_WORKSPACE_BUDGET = Endpoint(
    "GET", "/workspaces/{workspace_ref}/budgets/{interval}", BudgetInterval, OneBudget, key="management"
)
"""Get a budget."""

SET_WORKSPACE_BUDGET = Endpoint(
    "PUT", "/workspaces/{workspace_ref}/budgets/{interval}", SetBudget, OneBudget, key="management"
)
"""Set a budget."""

DELETE_WORKSPACE_BUDGET = Endpoint(
    "DELETE", "/workspaces/{workspace_ref}/budgets/{interval}", BudgetInterval, Deleted, key="management"
)
"""Delete a budget."""
