"""A local OpenRouter: a real server on loopback that speaks OpenRouter's dialect, with trouble on demand.

It is a stand-in. No language model runs; the answers are seeded, and say so (the header `X-OpenRouter-Simulator: true`,
the `system_fingerprint` "local-simulator"). What it plays shares no code with the client, so that the two can disagree:
chat completions, completions, responses, messages, embeddings, models, key, credits, generation. All other endpoints
give a plausible answer, made of the client's own types (`shelf`).

    async with Simulator(seed=1, faults="500:0.1,reset:0.05", quota="10/s") as sim:
        config = OpenRouterConfig(api_key=sim.api_key, base_url=sim.base_url)
        sim.script("429-retry-after@2", "ok")      # what the next two requests meet

The way of a request: `server` (sockets) -> `desk` (which answer, and what to remember) -> `ask` (what is asked) ->
`answers`, `sample`, `market` (what is said) -> `skins`, `replies`, `streams` (how it is sent) -> `trouble`, `faults`,
`sabotage`, `breaking`, `envelopes` (what goes wrong) -> `wire` (bytes and pauses, as data) -> `server`.
"""

from openrouter_client.simulator.faults import Fault
from openrouter_client.simulator.quota import Quota, parse_quota
from openrouter_client.simulator.server import API_KEY, MANAGEMENT_KEY, RecordedRequest, Simulator
from openrouter_client.simulator.trouble import FAULTS, parse_fault, parse_faults

__all__ = [
    "API_KEY",
    "FAULTS",
    "MANAGEMENT_KEY",
    "Fault",
    "Quota",
    "RecordedRequest",
    "Simulator",
    "parse_fault",
    "parse_faults",
    "parse_quota",
]
