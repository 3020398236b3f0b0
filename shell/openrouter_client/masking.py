"""What must never be shown: the keys and a proxy's password, in every form in which they may come back."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from yarl import URL

from openrouter_core.config import OpenRouterConfig

SHORTEST_SECRET = 8
"""A secret shorter than this is a placeholder (unless it begins with `sk-`); striking it out would garble answers."""


def secrets_of(config: OpenRouterConfig) -> tuple[str, ...]:
    """List the secrets of a config as they are and as a server, a proxy or an exception may echo them, longest first.

    A placeholder counts only together with its `Bearer`.
    """
    keys = [key for key in (config.api_key, config.management_key) if key]
    named = [key if len(key) >= SHORTEST_SECRET or key.startswith("sk-") else f"Bearer {key}" for key in keys]
    proxy = URL(config.proxy) if config.proxy else URL()
    if proxy.password:
        credentials = f"{proxy.user or ''}:{proxy.password}"
        named += [base64.b64encode(credentials.encode()).decode(), credentials]
        named += [proxy.password] if len(proxy.password) >= SHORTEST_SECRET else []
    return tuple(sorted({form for secret in named for form in forms(secret)}, key=len, reverse=True))


def forms(secret: str) -> tuple[str, ...]:
    """Write a secret as it is, inside of a JSON string (by those who escape slashes and those who do not), in a URL."""
    escaped = json.dumps(secret)[1:-1]
    return (secret, escaped, escaped.replace("/", "\\/"), quote(secret, safe=":"), quote(secret, safe=""))
