"""The table of exit codes, and money in words: what all commands share, as values."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_client import cli
from openrouter_client.cli import exits
from openrouter_client.cli.money import per_million, tokens, usd
from openrouter_core.bulk import figures
from openrouter_core.errors import AnyError


def test_every_error_has_one_exit_code() -> None:
    """Kills: an error that is new, or renamed, and has no code of its own."""
    named = [name for one in exits.EXITS for name in one.errors]
    assert sorted(named) == sorted(error.__name__ for error in get_args(AnyError))
    assert len({one.code for one in exits.EXITS}) == len(exits.EXITS)
    assert all(exits.code_of(name) >= exits.USAGE for name in named)


def test_several_errors_have_their_common_code() -> None:
    assert exits.code_of_all(["Timeout", "DeadlineExceeded"]) == exits.TIME
    assert exits.code_of_all(["Timeout", "RateLimited"]) == exits.NO_ANSWER
    assert exits.code_of("Surprise") == exits.NO_ANSWER


def test_codes_are_told_in_words() -> None:
    assert exits.told(exits.DONE, exits.RATE) == "Exit codes: 0 done, 6 a quota is used up."


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_ends_only_by_codes_of_the_table(name: str) -> None:
    known = [one.code for one in exits.EXITS]
    assert [code for code in cli.COMMANDS[name].codes if code not in known] == []


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (None, "$?"),
        (0.0, "$0.00"),
        (1234.5, "$1,234.50"),
        (Decimal("0.1"), "$0.10"),
        (0.25, "$0.25"),
        (0.01234567, "$0.0123"),
        (0.000002, "$0.000002"),
        (Decimal("-0.5"), "-$0.50"),
        (-12.0, "-$12.00"),
        (float("nan"), "$?"),
        (float("inf"), "$?"),
    ],
)
def test_money_is_told_with_three_digits_or_two_decimals(amount: Decimal | float | None, words: str) -> None:
    """Kills: small costs shown as $0.00, and scientific notation."""
    assert usd(amount) == words


@given(st.floats(1e-9, 1e6))
def test_money_is_right_within_its_digits(amount: float) -> None:
    told = float(usd(amount).replace("$", "").replace(",", ""))
    assert told == pytest.approx(amount, rel=0.0051)
    assert "e" not in usd(amount).lower()


@pytest.mark.parametrize(
    ("price", "words"),
    [(None, "?"), (Decimal(-1), "varies"), (Decimal(0), "free"), (Decimal("0.000002"), "$2.00")],
)
def test_prices_are_told_per_million(price: Decimal | None, words: str) -> None:
    assert per_million(price) == words


@pytest.mark.parametrize(("count", "words"), [(None, "?"), (500, "500"), (128_000, "128k"), (1_048_576, "1.05M")])
def test_contexts_are_told_roughly(count: int | None, words: str) -> None:
    assert tokens(count) == words


def test_a_bulk_run_ends_with_the_codes_of_all_commands() -> None:
    """Kills: a code that the core and the table of exit codes understand differently."""
    ours = (exits.DONE, exits.SOME, exits.NO_ANSWER, exits.KEY, exits.MONEY, exits.LEDGER, exits.INTERRUPTED)
    core = figures.COMPLETE, figures.PARTIAL, figures.NOTHING, figures.KEY, figures.BUDGET, figures.LEDGER
    assert ours == (*core, figures.INTERRUPTED)
