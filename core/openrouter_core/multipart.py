"""A form with files as bytes: multipart/form-data (RFC 7578). Pure: the same form gives the same bytes.

The boundary is a hash of all that it separates, and so cannot occur in it. Names are escaped as browsers do (WHATWG,
multipart/form-data encoding algorithm), so that none of them can begin a header of its own.
"""

from collections.abc import Sequence
from hashlib import sha256

from openrouter_core.wire.params import FileUpload

ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def form_data(fields: Sequence[tuple[str, str | FileUpload]]) -> tuple[str, bytes]:
    """Give the value of Content-Type, and the body. A media type must be checked to be printable before."""
    parts = [part(name, value) for name, value in fields]
    boundary = f"form-{sha256(b''.join(parts)).hexdigest()[:40]}"
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + each + b"\r\n" for each in parts) + mark + b"--\r\n"
    return f"multipart/form-data; boundary={boundary}", body


def part(name: str, value: str | FileUpload) -> bytes:
    """Write one field, with its own headers."""
    head = f'Content-Disposition: form-data; name="{name.translate(ESCAPES)}"'
    if isinstance(value, str):
        return f"{head}\r\n\r\n{value}".encode()
    media_type = value.content_type or "application/octet-stream"
    head = f'{head}; filename="{value.name.translate(ESCAPES)}"\r\nContent-Type: {media_type}\r\n\r\n'
    return head.encode() + value.content
