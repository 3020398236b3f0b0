"""Keys and what they may do: API keys, credits, sign-in, presets, the vault's secrets.

Management calls take a management key, which cannot do inference.
"""

from __future__ import annotations

from openrouter_core.endpoint import ByOffset, Endpoint
from openrouter_core.wire.account import Activity, AnalyticsMeta, AnalyticsRows, Credits, GetActivity, QueryAnalytics
from openrouter_core.wire.answers import Deleted, One, Page
from openrouter_core.wire.keys import ApiKey, CreatedKey, CreateKey, CurrentKey, KeyHash, ListKeys, UpdateKey
from openrouter_core.wire.oauth import (
    AccessToken,
    AuthCode,
    CreateAuthCode,
    ExchangeCode,
    ExchangedKey,
    ExchangeToken,
    JsonWebKeys,
)
from openrouter_core.wire.params import Paged, Parameters
from openrouter_core.wire.presets import (
    ListPresetVersions,
    Preset,
    PresetFromChat,
    PresetFromMessages,
    PresetFromResponses,
    PresetSlug,
    PresetVersion,
    PresetVersionNumber,
)
from openrouter_core.wire.vault import (
    Connection,
    CopySecrets,
    InternId,
    InternSecret,
    ListInternSecrets,
    ListSecrets,
    Secret,
    SecretName,
    StoreInternSecret,
    StoreSecret,
)

GET_CURRENT_KEY = Endpoint("GET", "/key", Parameters, One[CurrentKey])
"""Get what the key that asks has used and may use."""

GET_AUTH_KEY = Endpoint("GET", "/auth/key", Parameters, One[CurrentKey])
"""The old name of `GET_CURRENT_KEY`; undocumented."""

LIST_KEYS = Endpoint("GET", "/keys", ListKeys, Page[ApiKey], key="management", pages=ByOffset())
"""List API keys."""

CREATE_KEY = Endpoint("POST", "/keys", CreateKey, CreatedKey, key="management", repeatable=False)
"""Make an API key; it is told only once."""

GET_KEY = Endpoint("GET", "/keys/{hash}", KeyHash, One[ApiKey], key="management")
"""Get an API key."""

UPDATE_KEY = Endpoint("PATCH", "/keys/{hash}", UpdateKey, One[ApiKey], key="management")
"""Change an API key."""

DELETE_KEY = Endpoint("DELETE", "/keys/{hash}", KeyHash, Deleted, key="management")
"""Delete an API key."""

GET_CREDITS = Endpoint("GET", "/credits", Parameters, One[Credits], key="management")
"""Get the credits bought and used."""

BUY_CREDITS_COINBASE = Endpoint("POST", "/credits/coinbase", Parameters, type(None), key="none", repeatable=False)
"""Gone: OpenRouter answers 410."""

GET_ACTIVITY = Endpoint("GET", "/activity", GetActivity, Page[Activity], key="management")
"""List what was used, by day and endpoint."""

GET_ANALYTICS_META = Endpoint("GET", "/analytics/meta", Parameters, One[AnalyticsMeta], key="management")
"""List what analytics can tell."""

QUERY_ANALYTICS = Endpoint("POST", "/analytics/query", QueryAnalytics, One[AnalyticsRows], key="management")
"""Ask for analytics."""

EXCHANGE_CODE = Endpoint("POST", "/auth/keys", ExchangeCode, ExchangedKey, key="none", repeatable=False)
"""Change a code (PKCE) for the user's key."""

CREATE_AUTH_CODE = Endpoint("POST", "/auth/keys/code", CreateAuthCode, One[AuthCode], repeatable=False)
"""Make a code for a user-controlled key."""

LIST_JSON_WEB_KEYS = Endpoint("GET", "/oauth/jwks", Parameters, JsonWebKeys, key="none")
"""Get the public keys that access tokens are signed with."""

EXCHANGE_TOKEN = Endpoint("POST", "/oauth/token", ExchangeToken, AccessToken, key="none")
"""Change a workload's identity token for an access token."""

LIST_PRESETS = Endpoint("GET", "/presets", Paged, Page[Preset], pages=ByOffset())
"""List presets."""

GET_PRESET = Endpoint("GET", "/presets/{slug}", PresetSlug, One[Preset])
"""Get a preset."""

CREATE_PRESET_FROM_CHAT = Endpoint(
    "POST", "/presets/{slug}/chat/completions", PresetFromChat, One[Preset], repeatable=False, whole="request"
)
"""Make a preset of a chat request, or a new version of one."""

CREATE_PRESET_FROM_MESSAGES = Endpoint(
    "POST", "/presets/{slug}/messages", PresetFromMessages, One[Preset], repeatable=False, whole="request"
)
"""Make a preset of a request to the Anthropic skin."""

CREATE_PRESET_FROM_RESPONSES = Endpoint(
    "POST", "/presets/{slug}/responses", PresetFromResponses, One[Preset], repeatable=False, whole="request"
)
"""Make a preset of a request to the responses API."""

LIST_PRESET_VERSIONS = Endpoint(
    "GET", "/presets/{slug}/versions", ListPresetVersions, Page[PresetVersion], pages=ByOffset()
)
"""List a preset's versions."""

GET_PRESET_VERSION = Endpoint("GET", "/presets/{slug}/versions/{version}", PresetVersionNumber, One[PresetVersion])
"""Get a version of a preset."""

LIST_SECRETS = Endpoint("GET", "/vault/secrets", ListSecrets, Page[Secret], pages=ByOffset())
"""List the workspace's secrets."""

STORE_SECRET = Endpoint("PUT", "/vault/secrets/{name}", StoreSecret, One[Secret])
"""Keep a secret for the workspace."""

DELETE_SECRET = Endpoint("DELETE", "/vault/secrets/{name}", SecretName, type(None))
"""Delete a secret of the workspace."""

LIST_INTERN_SECRETS = Endpoint(
    "GET", "/vault/interns/{internId}/secrets", ListInternSecrets, Page[Secret], pages=ByOffset()
)
"""List an intern's secrets."""

LIST_EFFECTIVE_SECRETS = Endpoint(
    "GET", "/vault/interns/{internId}/effective-secrets", ListInternSecrets, Page[Secret], pages=ByOffset()
)
"""List the secrets that an intern receives."""

LIST_INTERN_CONNECTIONS = Endpoint("GET", "/vault/interns/{internId}/connections", InternId, Page[Connection])
"""List the connections that an intern can use."""

COPY_SECRETS = Endpoint("POST", "/vault/interns/{internId}/secrets/copy", CopySecrets, Page[Secret])
"""Copy the workspace's secrets to an intern."""

STORE_INTERN_SECRET = Endpoint("PUT", "/vault/interns/{internId}/secrets/{name}", StoreInternSecret, One[Secret])
"""Keep a secret for an intern."""

DELETE_INTERN_SECRET = Endpoint("DELETE", "/vault/interns/{internId}/secrets/{name}", InternSecret, type(None))
"""Delete a secret of an intern."""
