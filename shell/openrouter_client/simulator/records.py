"""What is known afterwards: the record of a key, and that of a generation. Pure."""

from openrouter_client.simulator.answers import Completion
from openrouter_client.simulator.loose import Json


def key(api_key: str, cost: float) -> Json:
    """The record of the key that has cost so many USD."""
    periods = ("", "_daily", "_weekly", "_monthly")
    usage: Json = {f"usage{period}": cost for period in periods}
    usage |= {f"byok_usage{period}": 0 for period in periods}
    usage |= dict.fromkeys(("creator_user_id", "effective_budget", "organization_id", "workspace_id"))
    return {
        "label": f"{api_key[:12]}...{api_key[-3:]}",
        "limit": None,
        "limit_reset": None,
        "limit_remaining": None,
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "include_byok_in_limit": False,
        "allowed_data_regions": ["global"],
        "budgets": [],
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated."},
        "expires_at": None,
        "free_model_daily_requests": {"used": 0, "limit": 1000, "remaining": 1000},
        **usage,
    }


def generation(done: Completion) -> Json:
    """The record of a generation."""
    return {
        "id": done.id,
        "created_at": "2026-11-01T12:00:00.000Z",
        "model": done.model.id,
        "provider_name": done.model.house.provider,
        "finish_reason": done.finish,
        "native_finish_reason": done.native_finish,
        "tokens_prompt": done.prompt_tokens,
        "tokens_completion": done.completion_tokens,
        "native_tokens_prompt": done.prompt_tokens,
        "native_tokens_completion": done.completion_tokens,
        "native_tokens_reasoning": done.reasoning_tokens,
        "total_cost": done.cost,
        "usage": done.cost,
        "is_byok": False,
        "cancelled": False,
        "api_type": "completions",
    }
