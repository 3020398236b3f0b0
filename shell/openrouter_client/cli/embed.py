"""`openrouter-client embed`: texts to vectors, as JSON."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators
from returns.result import Failure, Result, Success

from openrouter_client.cli.chat.attaching import from_pipe
from openrouter_client.cli.exits import DONE
from openrouter_client.cli.money import usd
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import as_text, read_file, usage
from openrouter_client.cli.session import perform
from openrouter_client.cli.spending import total
from openrouter_core.errors import InvalidRequest
from openrouter_core.wire.embeddings import EmbeddingsRequest, EmbeddingsResponse

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient

_AT_LEAST_ONE = validators.Number(gte=1)

MODEL = "openai/text-embedding-3-small"
TOGETHER = 100
"""How many texts are sent in one request."""


def embed(
    *texts: str,
    model: Annotated[str, Parameter(alias="-m")] = MODEL,
    file: Annotated[Path | None, Parameter(alias="-f")] = None,
    dimensions: Annotated[int | None, Parameter(validator=_AT_LEAST_ONE)] = None,
    json: Json = False,
    reach: Reach = EVERYWHERE,
) -> int:
    """Turn texts into vectors; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    texts
        The texts. Without any, and without --file, the lines that come through the pipe.
    model
        The model to ask.
    file
        A file of texts, one a line; empty lines are left out.
    dimensions
        How long the vectors shall be; not every model can shorten them.
    json
        Print one JSON object with all vectors and what they cost, instead of one line for each text.
    reach
        Whom to ask, and how patiently.

    """
    out = Output("embed", json=json)
    found = wanted(texts, file)
    if isinstance(found, Failure):
        return out.failed(found.failure())
    given = found.unwrap()

    async def work(client: "OpenRouterClient", out: Output) -> int:
        answers: list[EmbeddingsResponse] = []
        for first, some in batches(given, TOGETHER):
            request = EmbeddingsRequest(model=model, input=some, dimensions=dimensions)
            with out.waiting(f"text {first + 1} of {len(given)}"):
                answer = await client.embeddings.create(request)
            if isinstance(answer, Failure):
                return out.failed(answer.failure())
            answers.append(answer.unwrap())
            if not out.json:
                for number, vector in zip(count(first), answers[-1].data, strict=False):
                    out.value({"index": number, "text": given[number], "embedding": vector.embedding})
        show_total(out, answers)
        return DONE

    return perform(out, reach, work, wanted="api_key")


def wanted(texts: Sequence[str], file: Path | None) -> Result[list[str], InvalidRequest]:
    """Gather the texts from the command line, the file, or, if there are neither, the pipe."""
    found = [text for text in texts if text.strip()]
    if file is not None:
        lines = read_file("--file", file, as_text).map(lines_of)
    else:
        lines = Success[list[str]]([]) if found else from_pipe().map(lines_of)
    if isinstance(lines, Failure):
        return lines
    found += lines.unwrap()
    return Success(found) if found else Failure(usage("the texts", "''", "give a text, a --file, or lines in a pipe"))


def lines_of(text: str) -> list[str]:
    """Give the lines of a text that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def batches(texts: Sequence[str], size: int) -> Iterator[tuple[int, list[str]]]:
    """Cut a list into pieces, each with the number of its first text."""
    for first in range(0, len(texts), size):
        yield first, list(texts[first : first + size])


def show_total(out: Output, answers: Sequence[EmbeddingsResponse]) -> None:
    """Say what the vectors took; with --json, print them all with it."""
    usages = [answer.usage for answer in answers if answer.usage is not None]
    used, cost = total(usage.prompt_tokens for usage in usages), total(usage.cost for usage in usages)
    vectors = [vector.embedding for answer in answers for vector in answer.data]
    model = answers[-1].model if answers else None
    if out.json:
        out.value({"model": model, "embeddings": vectors, "prompt_tokens": used, "cost_usd": cost})
    out.remark(f"{model or '?'}: {len(vectors)} vectors, {'?' if used is None else used} tokens, {usd(cost)}")
