"""The same request is the same row, however it was written down; anything else is another one."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk import identity
from openrouter_core.bulk.identity import Fingerprint, changes, digest, digest_of, key_of, settings_of
from openrouter_core.bulk.rows import Asking
from openrouter_core.wire.message import ChatMessage
from openrouter_core.wire.request import ChatCompletionRequest

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text("ab", max_size=2)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def reversed_names(value: Any) -> Any:
    match value:
        case dict():
            return {name: reversed_names(value[name]) for name in reversed(value)}
        case list():
            return [reversed_names(one) for one in value]
        case _:
            return value


@given(JSON, JSON, st.integers(0, 3), st.integers(0, 3))
def test_a_key_tells_requests_and_samples_apart_and_nothing_else(one: Any, two: Any, here: int, there: int) -> None:
    """The bug: a hash that depends on the order of names, or copies that share a key."""
    same = msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(two, order="deterministic")
    assert (key_of(identity.digest(one), here) == key_of(identity.digest(two), there)) == (same and here == there)
    assert identity.digest(reversed_names(one)) == identity.digest(one)


def test_the_property_bites() -> None:
    strategies = (JSON, JSON, st.integers(0, 3), st.integers(0, 3))
    prop = test_a_key_tells_requests_and_samples_apart_and_nothing_else
    caught(prop, *strategies, where=identity, digest=msgspec.json.encode)
    caught(prop, *strategies, where=identity, digest=lambda _: b"the same")


def request(**fields: Any) -> ChatCompletionRequest:
    return ChatCompletionRequest(messages=[ChatMessage.user("a")], **fields)


def test_a_request_is_hashed_as_it_would_be_sent() -> None:
    hashed = digest_of(request(), "m/a").unwrap()
    assert hashed == digest_of(request(model="m/a"), "m/b").unwrap()
    assert hashed != digest_of(request(), "m/b").unwrap()
    assert digest_of(request(models=["m/a"]), "m/a") == digest_of(request(models=["m/a"]), "m/b")


def test_a_request_that_is_no_json_has_no_hash() -> None:
    for odd in ("\ud800", object()):
        told = digest_of(request(extra={"odd": odd}), "m/a").failure()
        assert told.field == "request"
        assert "cannot be written as JSON" in str(told.bound)


def test_a_ledger_knows_the_rows_of_an_earlier_version() -> None:
    """The bug: a hash that is made in another way, for which all rows of all ledgers are new, and are paid again."""
    assert digest({"a": 1}).hex() == "2c6b113b8dd15ffbded9860b43eb0c6c"
    assert key_of(digest({"a": 1}), 258).hex() == "b3dd6ff679d6f058eaf911c0d50a82e3"


def test_the_settings_name_the_model_that_is_asked() -> None:
    assert settings_of(Asking(), "m/a") == settings_of(Asking(model="m/a"), "m/b")


def test_changes_are_told_one_by_one() -> None:
    before = Fingerprint("0123456789abcdef", 3, settings_of(Asking(system="s"), "m/a"))
    assert changes(before, before) == ()
    told = changes(before, Fingerprint("abd", 4, settings_of(Asking(), "m/b")))
    assert [line.split(" ")[0] for line in told] == ["the", "model", "system"]
    assert told[:2] == (
        "the input has changed: it had 3 rows (0123456789ab), now 4 rows",
        "model was 'm/a', now 'm/b'",
    )
    assert digest(1) != digest("1")
