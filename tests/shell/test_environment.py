"""The environment: every setting has its variable, and what is given by hand wins."""

from __future__ import annotations

import os

import pytest

from openrouter_client import AuthError, InvalidRequest, OpenRouterClient, OpenRouterConfig, unwrap
from openrouter_client.environment import config_from_environment


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine."""
    for name in list(os.environ):
        if name.startswith("OPENROUTER_"):
            monkeypatch.delenv(name)


def test_without_a_key_there_is_no_client() -> None:
    assert isinstance(OpenRouterClient.from_env().failure(), AuthError)


def test_the_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "OPENROUTER_API_KEY": "sk-or-v1-fromenvironment",
        "OPENROUTER_BASE_URL": "https://example.org/v1/",
        "OPENROUTER_DEFAULT_MODEL": "x-ai/grok-4",
        "OPENROUTER_TIMEOUT_SECS": "12.5",
        "OPENROUTER_MAX_RETRIES": "0",
        "OPENROUTER_TRUST_ENV": "true",
        "OPENROUTER_APP_CATEGORIES": "finance, research",
        "OPENROUTER_DEADLINE_SECS": "",
        "OPENROUTER_UNHEARD_OF": "x",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert unwrap(OpenRouterClient.from_env()).config == OpenRouterConfig(
        api_key="sk-or-v1-fromenvironment",
        base_url="https://example.org/v1",
        default_model="x-ai/grok-4",
        timeout_secs=12.5,
        max_retries=0,
        trust_env=True,
        app_categories=("finance", "research"),
    )


@pytest.mark.parametrize("bad", ["soon", "-1", "nan", "1e400"])
def test_a_variable_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-fromenvironment")
    monkeypatch.setenv("OPENROUTER_TIMEOUT_SECS", bad)
    refused = OpenRouterClient.from_env().failure()
    assert isinstance(refused, InvalidRequest)
    assert "timeout_secs" in str(refused.field).lower()
    assert "sk-or" not in repr(refused)


def test_what_is_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: a variable that is overridden, and refused all the same."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-fromenvironment")
    monkeypatch.setenv("OPENROUTER_TIMEOUT_SECS", "soon")
    config = unwrap(OpenRouterClient.from_env(timeout_secs=5.0, api_key="sk-or-v1-byhand")).config
    assert (config.timeout_secs, config.api_key) == (5.0, "sk-or-v1-byhand")


def test_a_setting_that_does_not_exist_is_refused() -> None:
    refused = config_from_environment({"time_out": 5}).failure()
    assert isinstance(refused, InvalidRequest)
    assert refused.field == "time_out"
    assert "timeout_secs" in str(refused.bound)


def test_what_is_given_is_checked_too() -> None:
    refused = OpenRouterClient.from_env(api_key="sk-or-v1-byhand", timeout_secs="soon").failure()
    assert isinstance(refused, InvalidRequest)
    assert refused.field == "timeout_secs"
