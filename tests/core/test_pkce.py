"""pkce: the vectors of RFC 7636, and addresses that hold what was put in."""

from __future__ import annotations

import re
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core import pkce


def test_the_example_of_the_rfc() -> None:
    """RFC 7636, appendix B."""
    octets = bytes.fromhex("7418dfb49799e0254ffa607dd8adbbba16d4254d69d6bff05b58055853848d79")
    verifier = pkce.verifier(octets).unwrap()
    assert verifier == "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert pkce.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@given(st.binary(min_size=32, max_size=96))
def test_a_verifier_is_of_the_length_and_characters_that_the_rfc_allows(entropy: bytes) -> None:
    verifier = pkce.verifier(entropy).unwrap()
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", pkce.challenge(verifier))


@pytest.mark.parametrize("length", [0, 31, 97])
def test_too_little_chance_and_too_much_are_refused(length: int) -> None:
    error = pkce.verifier(bytes(length)).failure()
    assert error.message == f"entropy must be 32 to 96 random bytes, not {length}"


def test_what_ends_in_any_letter_is_kept() -> None:
    for letter in "XYZ":
        assert pkce.verifier(b64decode("A" * 43 + letter)).unwrap() == "A" * 43 + letter


def test_the_address_names_workspaces_and_quotes_as_addresses_do() -> None:
    url = pkce.sign_in_url("c", "d", workspace_id="w", required_workspace_id="r", state="a b/c")
    assert url.endswith("&workspace_id=w&required_workspace_id=r&state=a%20b%2Fc")


TEXT = st.text(st.characters(codec="utf-8"), min_size=1)


@given(TEXT, TEXT, st.none() | TEXT, st.none() | TEXT)
def test_the_address_holds_what_was_put_in(callback: str, challenge: str, label: str | None, state: str | None) -> None:
    url = pkce.sign_in_url(callback, challenge, key_label=label, state=state)
    parts = urlsplit(url)
    query = parse_qs(parts.query, strict_parsing=True)
    expected = {"callback_url": callback, "code_challenge": challenge, "code_challenge_method": "S256"}
    expected |= {name: text for name, text in (("key_label", label), ("state", state)) if text is not None}
    assert query == {name: [text] for name, text in expected.items()}
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "openrouter.ai", "/auth", "")
