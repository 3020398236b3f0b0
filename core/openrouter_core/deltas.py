"""Pieces of tool calls and of reasoning -> whole ones. Used by ``fold`` only.

The accumulators here are mutable, since an answer of 100,000 pieces must not be copied 100,000 times: they append, and
join when asked. They belong to one stream, never escape from it, and give frozen values.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from openrouter_core.wire.chunk import ToolCallDelta
from openrouter_core.wire.message import FunctionCall, ToolCall


class _Call(msgspec.Struct, eq=False):
    """A tool call as far as it has come."""

    index: int | None
    id: str = ""
    name: str = ""
    type: str = "function"
    pieces: list[str] = []
    complete: bool = False
    _scanned: int = 0
    _depth: int = 0
    _quoted: bool = False
    _escaped: bool = False

    def is_complete(self) -> bool:
        """Whether the arguments are an object whose last brace has come. Each piece is looked at once, on demand."""
        for piece in self.pieces[self._scanned :]:
            for char in piece:
                self._see(char)
        self._scanned = len(self.pieces)
        return self.complete

    def _see(self, char: str) -> None:
        if self._escaped:
            self._escaped = False
        elif self._quoted:
            self._escaped = char == "\\"
            self._quoted = char != '"'
        elif char == '"':
            self._quoted = True
        elif char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
            self.complete = self.complete or self._depth == 0

    def is_blank(self) -> bool:
        """Whether no arguments have come yet."""
        return not any(piece.strip() for piece in self.pieces)


class ToolCalls:
    """The tool calls of one choice, put together from deltas that may be numbered and named badly.

    Good streams give an index, and an id and a name with the first piece of each call. Seen in the wild: no ids and
    all indexes 0; empty ids and names on continuations; a first index of 1; the head of a call at one index and its
    tail at another; whitespace after a finished call. So a delta opens a new call if it brings

    - an id that is new, unless its slot holds an unfinished call that still lacks one, or
    - a name, where its slot has a name already and complete arguments (or another name and no arguments yet);

    any other delta continues the call with its id, or the one in its slot, or else the last one.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._slots: dict[int | None, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, delta: ToolCallDelta) -> None:
        """Take one delta."""
        name = (delta.function.name if delta.function else None) or ""
        arguments = (delta.function.arguments if delta.function else None) or ""
        call = self._home(delta, name) or self._opened(delta.index)
        if delta.index is not None:
            self._slots[delta.index] = call
        if delta.id:
            call.id = delta.id
            self._by_id[delta.id] = call
        call.name = call.name or name
        call.type = delta.type or call.type
        if arguments and not (arguments.isspace() and call.is_complete()):
            call.pieces.append(arguments)

    def _home(self, delta: ToolCallDelta, name: str) -> _Call | None:
        """The call that a delta continues; None where it opens a new one."""
        last = self._calls[-1] if self._calls else None
        slot = last if delta.index is None else self._slots.get(delta.index)
        if delta.id:
            known = self._by_id.get(delta.id)
            if known is None:
                return slot if slot and not slot.id and not (name and slot.name) and not slot.is_complete() else None
            moved = name and delta.index is not None and delta.index != known.index
            return None if moved or _begins_another(known, name) else known
        call = slot or (None if name else last)
        return None if call is None or _begins_another(call, name) else call

    def _opened(self, index: int | None) -> _Call:
        call = _Call(index)
        self._calls.append(call)
        return call

    def result(self) -> list[ToolCall]:
        """The calls in the order of their first pieces, each with an id of its own: ``call_0`` where none came."""
        ids = _distinct([call.id for call in self._calls])
        return [
            ToolCall(
                id=ids[i],
                type=call.type,
                function=FunctionCall(name=call.name, arguments="".join(call.pieces)),
                index=i,
            )
            for i, call in enumerate(self._calls)
        ]


def _begins_another(call: _Call, name: str) -> bool:
    """Whether a name that comes to this call is the head of the next one."""
    return bool(name and call.name) and (call.is_complete() or (name != call.name and call.is_blank()))


def _distinct(ids: Sequence[str]) -> list[str]:
    """The ids, with made-up ones for those that are empty or came before."""
    taken = set(ids)
    used: set[str] = set()
    out: list[str] = []
    for i, given in enumerate(ids):
        own = given
        if not own or own in used:
            number = next(n for n in count(i) if f"call_{n}" not in taken)
            own = f"call_{number}"
        used.add(own)
        taken.add(own)
        out.append(own)
    return out


_JOINED: Final = ("text", "summary", "data")


class _Entry:
    """One reasoning detail as far as it has come: keys that are replaced, and texts that grow."""

    __slots__ = ("fields", "texts")

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.texts: dict[str, list[str]] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        for key, value in piece.items():
            if key in _JOINED and isinstance(value, str):
                self.texts.setdefault(key, []).append(value)
                self.fields.setdefault(key)
            elif value in (None, ""):
                self.fields.setdefault(key, value)
            else:
                self.fields[key] = value

    def result(self) -> dict[str, Any]:
        return {**self.fields, **{key: "".join(pieces) for key, pieces in self.texts.items()}}


class ReasoningDetails:
    """The reasoning details of one choice, which must be sent back whole and in order in a tool loop.

    Pieces of one entry have the same (``index``, ``type``): text, summary and data grow, anything else is replaced by
    what comes later, so a signature stays, also one that comes alone. Different ids are different entries. Where there
    is no index, only the entry just before can be continued, and only if it is text that has not been signed.
    Source: OpenRouter docs, guides/best-practices/reasoning-tokens, and recorded streams.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._by_key: dict[tuple[Any, Any], _Entry] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, piece: Mapping[str, Any]) -> None:
        """Take one piece."""
        entry = self._home(piece)
        if entry is None:
            entry = _Entry()
            self._entries.append(entry)
        self._by_key[_key(piece)] = entry
        entry.add(piece)

    def _home(self, piece: Mapping[str, Any]) -> _Entry | None:
        entry = self._by_key.get(_key(piece))
        if entry is None or not _agree(entry.fields.get("id"), piece.get("id")):
            return None
        if piece.get("index") is not None:
            return entry
        open_text = "data" not in entry.texts and not entry.fields.get("signature")
        return entry if entry is self._entries[-1] and open_text else None

    def result(self) -> list[dict[str, Any]]:
        """The entries in the order of their first pieces."""
        return [entry.result() for entry in self._entries]


def _key(piece: Mapping[str, Any]) -> tuple[str, str]:
    """The index and type of a piece, as text: JSON may have anything there."""
    return repr(piece.get("index")), repr(piece.get("type"))


def _agree(one: Any, other: Any) -> bool:
    """Whether two ids can be the same: equal, or one of them absent."""
    return not one or not other or one == other


def joined_base64(pieces: Iterable[str]) -> str:
    """Base64 in pieces as one: pieces that were encoded one by one, with padding inside, are encoded anew."""
    whole = "".join(pieces)
    if "=" not in whole.rstrip("="):
        return whole
    try:
        return base64.b64encode(b"".join(base64.b64decode(piece, validate=True) for piece in pieces)).decode()
    except ValueError:  # not base64, or not even ASCII
        return whole
