"""Sign-in with OpenRouter by PKCE (RFC 7636): an app gets a key that its user controls. Pure.

    verifier --challenge--> address to open --user agrees--> callback?code=... --EXCHANGE_CODE--> key

The random bytes come from the caller, who alone has dice. Source: OpenRouter docs, guides/overview/auth/oauth: a code
lives for 10 minutes and works once.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import quote, urlencode

from returns.result import Failure, Result, Success

from openrouter_core.errors import InvalidRequest
from openrouter_core.refuse import refuse
from openrouter_core.wire.oauth import S256

SIGN_IN = "https://openrouter.ai/auth"
"""The page where users agree."""

ENTROPY_BYTES = 32
"""How many random bytes a verifier needs (RFC 7636, section 7.1)."""


def verifier(entropy: bytes) -> Result[str, InvalidRequest]:
    """Make a verifier of random bytes: 32 to 96 of them, as 43 to 128 characters."""
    if not ENTROPY_BYTES <= len(entropy) <= 96:
        return Failure(refuse("entropy", f"must be {ENTROPY_BYTES} to 96 random bytes, not {len(entropy)}"))
    return Success(unpadded(entropy))


def challenge(code_verifier: str) -> str:
    """Give the challenge of a verifier, by the method S256."""
    return unpadded(sha256(code_verifier.encode()).digest())


def sign_in_url(
    callback_url: str,
    code_challenge: str,
    *,
    key_label: str | None = None,
    workspace_id: str | None = None,
    required_workspace_id: str | None = None,
    state: str | None = None,
    page: str = SIGN_IN,
) -> str:
    """Give the address to open in the user's browser. `state` comes back with the code, and should be checked."""
    query = {
        "callback_url": callback_url,
        "code_challenge": code_challenge,
        "code_challenge_method": S256,
        "key_label": key_label,
        "workspace_id": workspace_id,
        "required_workspace_id": required_workspace_id,
        "state": state,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return f"{page}?{urlencode(given, quote_via=quote)}"


def unpadded(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 7636, appendix A)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
