"""Whatever is lost on a way that is tried again: each message is heard once, and in its order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.core.mutants import caught

from openrouter_core.bulk.posts import Heard, Inbox, Outbox

WAYS = st.lists(st.sampled_from(["put", "lost", "heard, answer lost", "heard"]), max_size=60)


@given(WAYS)
def test_each_message_is_heard_once_and_in_order(ways: list[str]) -> None:
    outbox, inbox = Outbox[int](), Inbox[int]()
    put, heard, known = 0, list[int](), 0
    for way in [*ways, "heard"]:
        if way == "put":
            put += 1
            outbox.put(put)
            continue
        sent = outbox.after(known)
        if way != "lost":
            heard += inbox.fresh(sent)
        if way == "heard":
            known = sent.first + len(sent.messages) - 1
    assert heard == list(range(1, put + 1))
    assert len(outbox.after(known).messages) == 0


def hears_again(self: Inbox[int], heard: Heard[int]) -> tuple[int, ...]:
    """Hear whatever comes."""
    return heard.messages


def forgets(self: Outbox[int], number: int) -> Heard[int]:
    """Forget what was sent, heard or not."""
    kept, self.kept = tuple(self.kept), []
    return Heard(1, kept)


def test_the_property_catches_what_it_is_for() -> None:
    caught(test_each_message_is_heard_once_and_in_order, WAYS, where=Inbox, fresh=hears_again)
    caught(test_each_message_is_heard_once_and_in_order, WAYS, where=Outbox, after=forgets)


def test_what_follows_on_a_gap_waits_for_it() -> None:
    inbox = Inbox[str]()
    assert inbox.fresh(Heard(2, ("b", "c"))) == ()
    assert inbox.fresh(Heard(1, ("a", "b", "c"))) == ("a", "b", "c")
    assert inbox.fresh(Heard(2, ("b", "c"))) == ()


def test_nothing_is_heard_that_was_not_told() -> None:
    outbox = Outbox[str]()
    outbox.put("a")
    assert outbox.after(5) == Heard(2, ())
    outbox.put("b")
    assert outbox.after(1) == Heard(2, ("b",))
    assert outbox.after(0) == Heard(2, ("b",))
