"""What docstrings say of parameters, in the three usual forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openrouter_core.docstring import described

GOOGLE = """Tell the weather.

    It is a forecast: not a promise.

    Args:
        city: The city,
            by name.
        unit (str): The unit
        **more: The rest

    Returns:
        A text: the forecast.

    Some last words.
"""
NUMPY = """Tell the weather.

    It is a forecast: not a promise.

    Parameters
    ----------
    city : str
        The city,
        by name.
    unit
        The unit

    Returns
    -------
    str
        A text.
"""
SPHINX = """Tell the weather.

    It is a forecast: not a promise.

    :param city: The city,
        by name.
    :param str unit: The unit
    :returns: A text
        of two lines.
"""


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX])
def test_the_three_forms(docstring: str) -> None:
    told, parameters = described(docstring)
    assert told.removesuffix("\n\nSome last words.") == "Tell the weather.\n\nIt is a forecast: not a promise."
    assert parameters.pop("more", "The rest") == "The rest"
    assert parameters == {"city": "The city, by name.", "unit": "The unit"}


def test_text_after_a_section_is_description() -> None:
    assert described(GOOGLE)[0].endswith("Some last words.")


@pytest.mark.parametrize(
    ("docstring", "told", "parameters"),
    [
        ("- one\n- two", "- one\n- two", {}),
        ("Tell.\n\nArgs: \n    a: one\n\nMore.", "Tell.\n\nMore.", {"a": "one"}),
        ("Tell.\n\nArgs:\n    a: one\n\n- More.", "Tell.\n\n- More.", {"a": "one"}),
        ("Tell.\n\nParameters\n----------\na, b : int\n    Both\nc : int\n    One", "Tell.", {"c": "One"}),
    ],
)
def test_odd_docstrings(docstring: str, told: str, parameters: dict[str, str]) -> None:
    assert described(docstring) == (told, parameters)


@pytest.mark.parametrize("docstring", [None, "", "One line.", "Note: no section", "Returns:\n    A text."])
def test_nothing_on_parameters(docstring: str | None) -> None:
    assert described(docstring)[1] == {}


@given(st.text(alphabet="Args:\n -p x()", max_size=60))
def test_any_docstring_is_taken(docstring: str) -> None:
    """Exists for a parser that raises on what is no docstring of any known form."""
    told, parameters = described(docstring)
    assert all(told.strip() == told for told in (told, *parameters.values()))
