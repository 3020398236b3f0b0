"""OpenRouter's HTTP errors, by name: the status, the wording and the metadata of each. Pure data.

Sources: OpenRouter docs, api_reference/errors-and-debugging and api_reference/limits.
"""

from collections.abc import Mapping

from openrouter_client.simulator.faults import Refusal

_UPSTREAM = "Provider returned error"
_AT_CAPACITY = "All providers for {model} are at capacity. Please try again later."

REFUSALS: Mapping[str, Refusal] = {
    "400": Refusal(
        status=400,
        message="This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens.",
        metadata={"provider_name": None, "error_type": "context_length_exceeded"},
    ),
    "400-wrapped": Refusal(
        status=400, code=502, message=_UPSTREAM, metadata={"provider_name": "{provider}", "raw": "upstream hung up"}
    ),
    "400-string-code": Refusal(status=400, code="invalid_prompt", message="The prompt cannot be read."),
    "400-zod": Refusal(status=400, message="Expected string, received number", zod=True),
    "400-no-code": Refusal(
        status=400,
        message="{model} is not a valid model ID",
        availability="model_not_found",
        error_type="invalid_request",
    ),
    "401": Refusal(status=401, message="No auth credentials found"),
    "402": Refusal(
        status=402,
        message="This request requires more credits, or fewer max_tokens. You requested up to 4096 tokens, but can "
        "only afford 12.",
        metadata={"provider_name": None, "limit_source": "openrouter_credits", "error_type": "payment_required"},
    ),
    "402-in-flight": Refusal(
        status=402,
        message="This request would exceed your available credits while your other requests are in flight.",
        metadata={"reason": "in_flight_budget_exhausted", "limit_source": "openrouter_in_flight_budget"},
        hints=("retry-after",),
    ),
    "403": Refusal(
        status=403,
        message='{model} requires moderation on OpenRouter. Your input was flagged for "violence".',
        metadata={
            "reasons": ["violence"],
            "flagged_input": "...",
            "provider_name": "{provider}",
            "model_slug": "{model}",
        },
    ),
    "403-key-limit": Refusal(
        status=403,
        message="Key limit exceeded (daily limit).",
        metadata={"limit_source": "openrouter_key_limit", "error_type": "permission_denied"},
    ),
    "404": Refusal(
        status=404,
        message="No endpoints found matching your data policy. Configure: https://openrouter.ai/settings/privacy",
        metadata={"failed_routing_step": "Filter by Data Policy", "error_type": "not_found"},
    ),
    "404-no-code": Refusal(
        status=404,
        message="No endpoints for {model} match your data policy (zero data retention).",
        availability="privacy_restricted",
        error_type="not_found",
    ),
    "408": Refusal(status=408, message="Your request timed out."),
    "409": Refusal(status=409, message="Conflict"),
    "413": Refusal(status=413, message="Request body too large", metadata={"error_type": "payload_too_large"}),
    "422": Refusal(status=422, message="Unprocessable request", metadata={"error_type": "unprocessable"}),
    "429": Refusal(
        status=429,
        message=_UPSTREAM,
        metadata={
            "provider_name": "{provider}",
            "raw": "{model} is temporarily rate-limited upstream. Please retry shortly.",
            "error_type": "rate_limit_exceeded",
        },
    ),
    "429-retry-after": Refusal(
        status=429,
        message=_UPSTREAM,
        metadata={
            "provider_name": "{provider}",
            "raw": "Too Many Requests",
            "limit_source": "upstream_provider_shared_pool",
        },
        hints=("retry-after", "body"),
    ),
    "429-retry-date": Refusal(status=429, message="Rate limit exceeded", hints=("retry-date",)),
    "429-reset": Refusal(status=429, message="Rate limit exceeded", hints=("rate-limit",)),
    "429-mirrored": Refusal(status=429, message="Rate limit exceeded", hints=("mirrored",)),
    "429-body": Refusal(status=429, message=_UPSTREAM, hints=("body",)),
    "429-daily": Refusal(
        status=429,
        message="Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
        metadata={"limit_source": "openrouter_free_tier_daily"},
        hints=("daily",),
    ),
    "429-no-code": Refusal(
        status=429,
        message=_AT_CAPACITY,
        availability="capacity_exhausted",
        retryable=True,
        error_type="rate_limit_exceeded",
        hints=("availability",),
    ),
    "500": Refusal(status=500, message="Internal Server Error"),
    "502": Refusal(
        status=502,
        message=_UPSTREAM,
        metadata={
            "provider_name": "{provider}",
            "raw": '{"error":{"message":"upstream connect error","type":"api_error"}}',
            "error_type": "provider_unavailable",
        },
    ),
    "503": Refusal(
        status=503,
        message=_AT_CAPACITY,
        availability="temporarily_unavailable",
        retryable=True,
        error_type="provider_overloaded",
        hints=("retry-after", "availability"),
    ),
    "504": Refusal(status=504, message="The provider timed out", metadata={"error_type": "timeout"}),
    "524": Refusal(status=524, message="A timeout occurred", metadata={"provider_name": "{provider}"}),
    "529": Refusal(
        status=529,
        message="Provider overloaded",
        metadata={
            "provider_name": "{provider}",
            "raw": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            "error_type": "provider_overloaded",
        },
    ),
}
"""The refusals that have a name of their own; a name begins with the status."""
