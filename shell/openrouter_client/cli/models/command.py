"""The command itself: asks for the list of models, and shows those that are wanted."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators
from returns.result import Failure

from openrouter_client.cli.exits import DONE
from openrouter_client.cli.models.choosing import HEADINGS, Ability, Order, Wanted, chosen, row
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.session import perform
from openrouter_core.wire.models import ListModels

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient

_AT_LEAST_ZERO = validators.Number(gte=0)
_AT_LEAST_ONE = validators.Number(gte=1)


def models(
    *words: str,
    max_price: Annotated[float | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
    max_output_price: Annotated[float | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
    min_context: Annotated[int | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
    can: Annotated[tuple[Ability, ...], Parameter(negative="", show_default=False)] = (),
    sort: Order = "name",
    limit: Annotated[int | None, Parameter(validator=_AT_LEAST_ONE)] = None,
    json: Json = False,
    reach: Reach = EVERYWHERE,
) -> int:
    """List models; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    words
        Only models that have all of these in their slug or name.
    max_price
        The highest price of prompts, in USD per million tokens; 0 lists free models.
    max_output_price
        The highest price of answers, in USD per million tokens.
    min_context
        The smallest context, in tokens.
    can
        What a model must be able to do; may be given several times.
    sort
        By name, or cheapest, widest or newest first; what is unknown comes last.
    limit
        Show only the first so many.
    json
        Print one JSON object a line for each model, with everything that is known of it; prices are USD per token.
    reach
        Whom to ask, and how patiently.

    """
    wanted = Wanted(
        words=words, max_price=max_price, max_output_price=max_output_price, min_context=min_context, abilities=can
    )

    async def work(client: "OpenRouterClient", out: Output) -> int:
        with out.waiting("asking for the list of models"):
            # Models that draw or speak are not in the list unless all outputs are asked for.
            found = await client.models.list(ListModels(output_modalities="all")).collect()
        if isinstance(found, Failure):
            return out.failed(found.failure())
        shown = chosen(found.unwrap(), wanted, sort, limit)
        if out.json:
            for model in shown:
                out.value(model)
        else:
            out.table(HEADINGS, [row(model) for model in shown], numbers=HEADINGS[1:4])
            out.remark(f"{len(shown)} of {len(found.unwrap())} models")
        return DONE

    return perform(Output("models", json=json), reach, work)
