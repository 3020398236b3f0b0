"""endpoints: which key, and what may be repeated. `test_assemble` builds calls of them, the oracle knows them all."""

from __future__ import annotations

from openrouter_core.endpoints.table import TABLE

MADE_ONCE = {
    "BUY_CREDITS_COINBASE",
    "EXCHANGE_CODE",
    "PROMOTE_CONTAINER_FILE",
    "START_SYNC",
    "SUBMIT_FEEDBACK",
    "UPLOAD_FILE",
}


def test_what_makes_something_is_not_repeated_unasked() -> None:
    once = {name for name, endpoint in TABLE.items() if not endpoint.repeatable}
    assert once == MADE_ONCE | {name for name in TABLE if name.startswith("CREATE_")}


def test_managing_takes_a_management_key_and_signing_in_none() -> None:
    keys = {kind: {name for name, endpoint in TABLE.items() if endpoint.key == kind} for kind in ("management", "none")}
    assert keys["none"] == {"BUY_CREDITS_COINBASE", "EXCHANGE_CODE", "EXCHANGE_TOKEN", "LIST_JSON_WEB_KEYS"}
    assert {"CREATE_KEY", "GET_CREDITS", "LIST_GUARDRAILS", "GET_ACTIVITY", "SUBMIT_FEEDBACK"} <= keys["management"]
    assert not {"GET_CURRENT_KEY", "LIST_MODELS", "RESPONSES", "LIST_PRESETS", "STORE_SECRET"} & keys["management"]


def test_what_models_do_is_billed_and_asking_about_it_is_not() -> None:
    """Bug: a budget that embeddings do not count against, or that forbids to look at the models."""
    billed = {name for name, endpoint in TABLE.items() if endpoint.billed}
    assert billed == {
        *("CHAT_COMPLETIONS", "COMPLETIONS", "RESPONSES", "MESSAGES", "EMBEDDINGS", "RERANK", "DECISIONS"),
        *("SYSTEM_ONE", "IMAGES", "SPEECH", "TRANSCRIPTIONS", "TRANSCRIPTION_UPLOADS", "CREATE_VIDEO", "CREATE_BATCH"),
    }
