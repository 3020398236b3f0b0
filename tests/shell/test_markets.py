"""Markets, the reading of their files, and the strategy's question about them."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from returns.result import Success
from tests.core.mutants import caught

from openrouter_client.cli.predict.markets import Market, MarketProblem, implied_probability, parse_markets, spread
from openrouter_client.cli.predict.prediction import Prediction, edge, request_for, user_prompt
from openrouter_client.cli.predict.report import shorten
from openrouter_core.question import ask

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "markets.jsonl"

units = st.floats(0.0, 1.0) | st.sampled_from([0.0, 1.0, 0.5])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["}", '{"a": 1}', "```", '\\"']
)
GOOD: dict[str, Any] = {
    "id": "m1",
    "question": "Will it rain?",
    "description": "Resolves YES if it rains.",
    "yes_price": 0.4,
    "no_price": 0.62,
    "volume_24h": 1000.0,
    "liquidity": 500,
    "hours_to_resolution": 12,
}


def market(**changes: Any) -> Market:
    return msgspec.convert(GOOD | changes, Market)


# ----------------------------------------------------------------------------------------------------- edge


@given(units, units, units, units)
def test_the_edge_has_the_sign_of_the_bargain(yes: float, no: float, target: float, confidence: float) -> None:
    """For the bug of judging NO by the price of YES, which is wrong by the spread, or of swapping the two."""
    priced = market(yes_price=yes, no_price=no)

    def of(side: str) -> float:
        told = {"prediction": side, "confidence": confidence, "reasoning": "", "target_price": target}
        return edge(priced, msgspec.convert(told, Prediction))

    assert (of("yes") > 0.0) == (target > yes)
    assert (of("no") > 0.0) == (1.0 - target > no)
    assert of("hold") == 0.0
    assert of("yes") + of("no") == pytest.approx(-spread(priced))
    assert -1.0 <= min(of("yes"), of("no")) <= max(of("yes"), of("no")) <= 1.0


@given(units, units)
def test_the_implied_probability_is_one_and_leans_to_the_dearer_side(yes: float, no: float) -> None:
    probability = implied_probability(market(yes_price=yes, no_price=no))
    assert 0.0 <= probability <= 1.0
    assert (probability > 0.5) <= (yes >= no)
    assert (probability < 0.5) <= (yes <= no)


def test_the_prompt_names_all_that_is_known_with_units() -> None:
    told = user_prompt(market(volume_24h=1234567.0, hours_to_resolution=36.0))
    for words in (
        "Will it rain?",
        "Resolves YES if it rains.",
        "YES price: 0.400 USD",
        "NO price: 0.620 USD",
        "Implied probability of YES: 39.2%",
        "above 1 USD): 0.020 USD",
        "Volume in 24 h: 1,234,567 USD",
        "Liquidity: 500 USD",
        "36.0 hours (1.5 days)",
    ):
        assert words in told


def test_the_request_asks_for_the_type_that_is_read() -> None:
    """For a schema that a provider would not enforce, or that says nothing of what the fields mean."""
    request = ask(Prediction, request_for(market(), "a/b")).unwrap().request
    sent = json.loads(msgspec.json.encode(request))
    assert sent["model"] == "a/b"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["messages"][1]["content"] == user_prompt(market())
    wanted = sent["response_format"]["json_schema"]
    assert (wanted["name"], wanted["strict"]) == ("Prediction", True)
    assert sorted(wanted["schema"]["properties"]) == sorted(Prediction.__struct_fields__)
    assert all(len(told["description"]) > 20 for told in wanted["schema"]["properties"].values())


# --------------------------------------------------------------------------------------------------- loading

SPLITTERS = ["\u2028", "a\u2029b", "\u0085", "a\x1cb"]
"""What `str.splitlines` takes for the end of a line, and JSON does not."""


@dataclass(frozen=True)
class Bad:
    """A file of markets with one thing wrong, and what has to be said about it."""

    name: str
    text: str
    line: int
    field: str
    words: tuple[str, ...]


def line(**changes: Any) -> str:
    return json.dumps({key: value for key, value in (GOOD | changes).items() if value is not ...})


SLIPS = [
    Bad("empty", "\n \n", 1, "file", ("holds no market", "one JSON object on each line")),
    Bad("not JSON", line() + "\nnonsense", 2, "line", ("nonsense", "malformed", "one JSON object on each line")),
    Bad("an array", "[1]", 1, "line", ("[1]", "Expected `object`, got `array`")),
    Bad("two on a line", line() + line(id="m2"), 1, "line", ("malformed",)),
    Bad("missing", "\n\n" + line(liquidity=...), 3, "liquidity", ("liquidity is missing", "amount of USD")),
    Bad("cents", line(yes_price=62), 1, "yes_price", ("yes_price = 62", "<= 1.0", "write 0.62")),
    Bad(
        "price as text", line(no_price="0.6"), 1, "no_price", ('no_price = "0.6"', "got `str`", "neither 62 nor a text")
    ),
    Bad("sum", line(yes_price=0.9, no_price=0.9), 1, "no_price", ("0.9", "add up to 1.8", "expected 0.8 to 1.25")),
    Bad("volume", line(volume_24h=-1), 1, "volume_24h", ("volume_24h = -1", ">= 0.0", "0 or more")),
    Bad("past", line(hours_to_resolution=0), 1, "hours_to_resolution", ("> 0.0", "above 0")),
    Bad("no question", line(question=""), 1, "question", ("length >= 1", "resolves to yes or no")),
    Bad("twice", line() + "\n\n" + line(), 3, "id", ('id = "m1"', "already the id of line 1", "of its own")),
    Bad("deep", '{"a":' * 100_000, 1, "line", ("recursion",)),
    Bad("surrogate", '{"id": "\ud800"}', 1, "line", ("surrogates",)),
]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_is_told_with_place_value_and_remedy(slip: Bad) -> None:
    problems = parse_markets(slip.text, "markets.jsonl").failure()
    assert [(problem.source, problem.line, problem.slip.field) for problem in problems] == [
        ("markets.jsonl", slip.line, slip.field)
    ]
    told = str(problems[0])
    assert told.startswith(f"markets.jsonl:{slip.line}: ")
    assert "\n" not in told
    assert [words for words in slip.words if words not in told] == []


def test_all_slips_are_told_at_once() -> None:
    problems = parse_markets(line(yes_price=2, liquidity="much") + "\nnonsense\n" + line(id="m2"), "f").failure()
    assert [(problem.line, problem.slip.field) for problem in problems] == [
        (1, "yes_price"),
        (1, "liquidity"),
        (2, "line"),
    ]
    assert all(isinstance(problem, MarketProblem) for problem in problems)


@given(
    st.lists(texts | st.sampled_from(SPLITTERS), max_size=5),
    st.sampled_from(["\n", "\r\n", "\n\n", "\n  \n"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_what_was_written_is_read_back(questions: list[str], newline: str, mark: str) -> None:
    """For the bug of `str.splitlines`, which also splits at U+2028, U+0085 and others that JSON allows in texts."""
    written = [market(id=f"m{n}", question=f"Q{question}") for n, question in enumerate(questions)] + [market(id="z")]
    text = mark + newline.join(msgspec.json.encode(one).decode() for one in written) + newline
    assert parse_markets(text, "f") == Success(tuple(written))


def test_the_property_above_catches_planted_bugs() -> None:
    original = parse_markets
    caught(
        test_what_was_written_is_read_back,
        st.just([SPLITTERS[0]]),
        st.just("\n"),
        st.just(""),
        where=sys.modules[__name__],
        parse_markets=lambda text, source: original("\n".join(text.splitlines()), source),
    )


def test_the_examples_are_markets() -> None:
    markets = parse_markets(EXAMPLES.read_text("utf-8"), EXAMPLES.name).unwrap()
    assert len(markets) >= 36
    assert all(0.0 < spread(one) < 0.1 for one in markets)
    assert all(len(one.question) < 140 and len(one.description) > 60 for one in markets)


@given(st.text(), st.integers(2, 80))
def test_a_shortened_text_is_one_bounded_line(text: str, limit: int) -> None:
    """For the bug of letting a model's control characters reach the terminal."""
    short = shorten(text, limit)
    assert len(short) <= limit
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in short)
