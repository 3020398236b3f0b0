"""OpenTelemetry for a client: spans and metrics by the conventions for generative models.

    from openrouter_client.otel import Telemetry

    client = unwrap(OpenRouterClient.new(config, observe=Telemetry()))

Needs the extra `otel`, which is `opentelemetry-api` alone: without an SDK nothing is recorded. What is not imported
costs nothing.
"""

from importlib.util import find_spec

if find_spec("opentelemetry") is None:
    raise ImportError('openrouter_client.otel needs the package opentelemetry-api: pip install "aio-openrouter[otel]"')

from openrouter_client.otel.telemetry import Telemetry

__all__ = ["Telemetry"]
