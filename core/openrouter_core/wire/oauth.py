"""Keys by PKCE, and tokens for workloads.

Source: OpenRouter docs, guides/overview/auth/oauth; the OpenAPI schemas TokenExchangeRequest and OAuthJwks.
"""

from typing import Final

from openrouter_core.wire.params import Parameters, Slug, Usd
from openrouter_core.wire.shape import Shape

S256: Final = "S256"
PLAIN: Final = "plain"


class ExchangeCode(Parameters, frozen=True, kw_only=True):
    """A code from the redirect, with the verifier whose challenge began it. Codes live 10 minutes and work once."""

    code: Slug
    code_verifier: str | None = None
    code_challenge_method: str | None = None


class ExchangedKey(Shape, frozen=True, kw_only=True):
    """The user's key."""

    key: str
    user_id: str | None = None


class CreateAuthCode(Parameters, frozen=True, kw_only=True):
    """A code to make for a user-controlled key. `limit` is in USD, `expires_at` in ISO 8601."""

    callback_url: Slug
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    key_label: str | None = None
    usage_limit_type: str | None = None
    expires_at: str | None = None
    workspace_id: str | None = None
    limit: Usd | None = None


class AuthCode(Shape, frozen=True, kw_only=True):
    """The code."""

    id: str
    app_id: int | None = None
    created_at: str | None = None


class ExchangeToken(Parameters, frozen=True, kw_only=True):
    """A workload's identity token (OIDC), to be changed for an access token (RFC 8693)."""

    federation_policy_id: Slug
    subject_token: Slug
    subject_token_type: Slug
    grant_type: Slug
    requested_token_type: str | None = None
    scope: str | None = None


class AccessToken(Shape, frozen=True, kw_only=True):
    """A token to use in place of a key, for `expires_in` seconds."""

    access_token: str
    expires_in: int | None = None
    token_type: str | None = None
    issued_token_type: str | None = None
    scope: str | None = None


class JsonWebKey(Shape, frozen=True, kw_only=True):
    """A public key that tokens are signed with (RFC 7517)."""

    kid: str | None = None
    kty: str | None = None
    alg: str | None = None
    use: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None


class JsonWebKeys(Shape, frozen=True, kw_only=True):
    """The public keys that tokens are signed with."""

    keys: list[JsonWebKey]
