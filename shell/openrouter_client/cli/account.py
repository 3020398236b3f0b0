"""`openrouter-client key`, `credits` and `generation`: what the account says."""

from typing import TYPE_CHECKING

from returns.result import Failure

from openrouter_client.cli.exits import DONE
from openrouter_client.cli.money import usd
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.session import perform
from openrouter_core.wire.account import Credits
from openrouter_core.wire.generation import Generation
from openrouter_core.wire.keys import CurrentKey

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient

Facts = list[tuple[str, object]]


def key(*, json: Json = False, reach: Reach = EVERYWHERE) -> int:
    """Show what the key has used and may use; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    json
        Print one JSON object instead.
    reach
        Whom to ask, and how patiently.

    """
    return perform(Output("key", json=json), reach, _key)


def credit(*, json: Json = False, reach: Reach = EVERYWHERE) -> int:
    """Show the credits bought, used and left; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    json
        Print one JSON object instead.
    reach
        Whom to ask, and how patiently.

    """
    return perform(Output("credits", json=json), reach, _credits, wanted="management_key")


def generation(generation_id: str, /, *, json: Json = False, reach: Reach = EVERYWHERE) -> int:
    """Show what a generation used and cost; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    generation_id
        The id that an answer had, gen-...
    json
        Print one JSON object instead.
    reach
        Whom to ask, and how patiently. OpenRouter knows of a generation some seconds after it; until then this asks
        again, for 20 seconds unless --deadline says otherwise.

    """

    async def work(client: "OpenRouterClient", out: Output) -> int:
        with out.waiting(f"waiting for {generation_id}"):
            found = await client.generation.get(generation_id, deadline_secs=reach.deadline)
        if isinstance(found, Failure):
            return out.failed(found.failure())
        return show(out, found.unwrap(), generation_facts(found.unwrap()))

    return perform(Output("generation", json=json), reach, work)


async def _key(client: "OpenRouterClient", out: Output) -> int:
    found = await client.keys.current()
    if isinstance(found, Failure):
        return out.failed(found.failure())
    return show(out, found.unwrap(), key_facts(found.unwrap()))


async def _credits(client: "OpenRouterClient", out: Output) -> int:
    found = await client.credits.get()
    if isinstance(found, Failure):
        return out.failed(found.failure())
    bought = found.unwrap()
    return show(out, credit_values(bought), credit_facts(bought))


def show(out: Output, value: object, facts: Facts) -> int:
    """Print an answer: whole for machines, its telling facts for people."""
    if out.json:
        out.value(value)
    else:
        out.lines(facts)
    return DONE


def key_facts(found: CurrentKey) -> Facts:
    """Tell of a key what people ask for; pure, as all of these."""
    facts: Facts = [
        ("label", found.label or "?"),
        ("used", usd(found.usage)),
        ("used today", usd(found.usage_daily)),
        ("limit", "none" if found.limit is None else f"{usd(found.limit)} ({found.limit_reset or 'never'} reset)"),
        ("left", "no limit" if found.limit is None else usd(found.limit_remaining)),
        ("expires", found.expires_at or "never"),
        ("management key", "yes" if found.is_management_key or found.is_provisioning_key else "no"),
    ]
    free = found.free_model_daily_requests
    if free is not None and free.limit is not None:
        facts.append(("free requests today", f"{free.used or 0} of {free.limit}"))
    return facts


def credit_values(bought: Credits) -> dict[str, object]:
    """Tell credits to machines, with what is left of them."""
    left = bought.total_credits - bought.total_usage
    return {"total_credits": bought.total_credits, "total_usage": bought.total_usage, "left": left}


def credit_facts(bought: Credits) -> Facts:
    """Tell credits to people."""
    left = bought.total_credits - bought.total_usage
    return [("bought", usd(bought.total_credits)), ("used", usd(bought.total_usage)), ("left", usd(left))]


def generation_facts(found: Generation) -> Facts:
    """Tell of a generation what people ask for."""
    took = found.generation_time if found.generation_time is not None else found.latency
    prompt, completion = found.native_tokens_prompt, found.native_tokens_completion
    return [
        ("id", found.id),
        ("model", found.model or "?"),
        ("provider", found.provider_name or "?"),
        ("cost", usd(found.total_cost)),
        ("tokens in", found.tokens_prompt if prompt is None else prompt),
        ("tokens out", found.tokens_completion if completion is None else completion),
        ("finished", found.finish_reason or "?"),
        ("took", "?" if took is None else f"{took / 1000.0:.1f} s"),
        ("at", found.created_at or "?"),
    ]
