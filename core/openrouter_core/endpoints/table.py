"""All endpoints by name, for documents, command lines and tests. Importing it imports every shape of the API."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from openrouter_core import api
from openrouter_core.endpoint import Endpoint
from openrouter_core.endpoints import access, catalogue, inference, management, organization

MODULES = (api, inference, catalogue, access, management, organization)

TABLE: Mapping[str, Endpoint[Any, Any]] = MappingProxyType(
    {
        name: cast("Endpoint[Any, Any]", vars(module)[name])
        for module in MODULES
        for name in vars(module)
        if isinstance(vars(module)[name], Endpoint)
    }
)
"""Every endpoint that the client knows, by its name."""
