"""multipart: forms that any reader of MIME reads back, and no name that begins a header."""

from __future__ import annotations

import re
from email import message_from_bytes

from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.multipart import form_data
from openrouter_core.wire.params import FileUpload

NAMES = st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.lists(st.tuples(NAMES, NAMES | st.builds(FileUpload, name=NAMES, content=st.binary()))))
def test_every_field_is_one_part_and_the_boundary_is_in_none(fields: list[tuple[str, str | FileUpload]]) -> None:
    content_type, body = form_data(fields)
    assert form_data(fields) == (content_type, body)
    boundary = content_type.partition("boundary=")[2].encode()
    assert body.count(boundary) == len(fields) + 1
    if fields:
        parsed = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        payload = parsed.get_payload()
        assert isinstance(payload, list)
        assert len(payload) == len(fields)


def test_the_boundary_is_made_of_what_it_separates() -> None:
    one, other = (form_data([("a", text)])[0].partition("boundary=")[2] for text in "12")
    assert one != other
    assert re.fullmatch("form-[0-9a-f]{40}", one)


def test_a_name_cannot_end_its_quotes_or_its_line() -> None:
    _, body = form_data([('a"; x="\r\nEvil: 1', FileUpload(name='b"\r\nEvil: 2', content=b"c"))])
    head, _, content = body.partition(b"\r\n\r\n")
    assert b"\r\nEvil" not in head
    assert b'name="a%22; x=%22%0D%0AEvil: 1"; filename="b%22%0D%0AEvil: 2"' in head
    assert content.startswith(b"c\r\n--")
    assert head.endswith(b"\r\nContent-Type: application/octet-stream"), "what nobody named the type of is bytes"
