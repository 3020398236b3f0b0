"""Secrets that agents ("interns") receive for named hosts.

Source: the OpenAPI schemas VaultSecret and VaultSecretWriteRequest.
"""

from collections.abc import Sequence

from msgspec import field

from openrouter_core.wire.params import AtLeastOne, AtLeastZero, Parameters, Slug
from openrouter_core.wire.shape import Shape


class Secret(Shape, frozen=True, kw_only=True):
    """What is known of a secret: never its value, but a fingerprint of it."""

    name: str
    fingerprint: str | None = None
    scope: str | None = None
    created_at: str | None = None
    hosts: list[str] | None = None


class Connection(Shape, frozen=True, kw_only=True):
    """A connection that an intern can use."""

    key: str


class ListSecrets(Parameters, frozen=True, kw_only=True):
    """Which secrets to list: at most `limit` (1 to 100) after the first `offset`."""

    limit: AtLeastOne | None = None
    offset: AtLeastZero | None = None


class SecretName(Parameters, frozen=True, kw_only=True):
    """Names a secret of the key's workspace."""

    name: Slug


class StoreSecret(SecretName, frozen=True, kw_only=True):
    """A value to keep, released only to these hosts."""

    value: Slug
    hosts: Sequence[str]


class InternId(Parameters, frozen=True, kw_only=True):
    """Names an intern."""

    intern_id: Slug = field(name="internId")


class ListInternSecrets(ListSecrets, frozen=True, kw_only=True):
    """Which secrets of an intern to list."""

    intern_id: Slug = field(name="internId")


class InternSecret(InternId, frozen=True, kw_only=True):
    """Names a secret of an intern."""

    name: Slug


class StoreInternSecret(InternSecret, frozen=True, kw_only=True):
    """A value to keep for an intern, released only to these hosts."""

    value: Slug
    hosts: Sequence[str]


class CopySecrets(InternId, frozen=True, kw_only=True):
    """Secrets of the workspace to copy to an intern."""

    names: Sequence[str]
