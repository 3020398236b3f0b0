"""The form that an answer shall have: text, JSON, JSON after a schema, a grammar. Shapes only.

Source: OpenRouter docs, guides/features/structured-outputs; the OpenAPI schemas ChatFormat*.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from openrouter_core.wire.shape import Shape, open_union

SchemaName = Annotated[str, Meta(min_length=1, max_length=64)]


class JsonSchema(Shape, frozen=True, kw_only=True):
    """A named JSON schema. The order of the schema's keys is kept: models fill in properties in that order."""

    name: SchemaName
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None
    description: str | None = None


if TYPE_CHECKING:
    JsonSchemaLike: TypeAlias = JsonSchema | Mapping[str, Any]
else:
    JsonSchemaLike = open_union(other=JsonSchema)


class ResponseFormat(Shape, frozen=True, kw_only=True):
    """The form of the answer. Made by one of the class methods.

    `type` is "text", "json_object", "json_schema", "grammar" or "python"; `schema` goes with "json_schema" and `rules`
    with "grammar".
    """

    type: str
    schema: JsonSchemaLike | None = msgspec.field(default=None, name="json_schema")
    rules: str | None = msgspec.field(default=None, name="grammar")

    @classmethod
    def text(cls) -> "ResponseFormat":
        """Ask for plain text, as without any format."""
        return cls(type="text")

    @classmethod
    def json(cls) -> "ResponseFormat":
        """Ask for some JSON object. The prompt has to say so too."""
        return cls(type="json_object")

    @classmethod
    def json_schema(
        cls,
        schema: Mapping[str, Any],
        *,
        name: str = "answer",
        strict: bool | None = True,
        description: str | None = None,
    ) -> "ResponseFormat":
        """Ask for JSON that fits a schema. `name` has at most 64 characters."""
        return cls(
            type="json_schema", schema=JsonSchema(name=name, schema=schema, strict=strict, description=description)
        )

    @classmethod
    def grammar(cls, rules: str) -> "ResponseFormat":
        """Ask for text that a grammar allows."""
        return cls(type="grammar", rules=rules)

    @classmethod
    def python(cls) -> "ResponseFormat":
        """Ask for Python code."""
        return cls(type="python")


if TYPE_CHECKING:
    ResponseFormatLike: TypeAlias = ResponseFormat | Mapping[str, Any]
else:
    ResponseFormatLike = open_union(other=ResponseFormat)
