"""The command itself: what the options come to, and whether it is one question or a conversation."""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators
from returns.result import Failure

from openrouter_client.cli.chat.asking import Given, message_of
from openrouter_client.cli.chat.attaching import from_pipe, gathered
from openrouter_client.cli.chat.talking import Talk
from openrouter_client.cli.exits import DONE
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.problems import as_schema, read_file, usage
from openrouter_client.cli.session import Session, conduct
from openrouter_core.conform import AnswerSchema
from openrouter_core.wire.request import ChatCompletionRequest

if TYPE_CHECKING:
    from openrouter_client.client import OpenRouterClient

_AT_LEAST_ONE = validators.Number(gte=1)
_AT_LEAST_ZERO = validators.Number(gte=0)
_FROM_ZERO_TO_TWO = validators.Number(gte=0, lte=2)

PROMPT = "> "
HOW_TO_LEAVE = "Ctrl-D ends the conversation, Ctrl-C ends it at once."


def chat(
    *words: str,
    model: Annotated[str | None, Parameter(alias="-m")] = None,
    system: Annotated[str | None, Parameter(alias="-s")] = None,
    file: Annotated[tuple[Path, ...], Parameter(alias="-f", negative="", show_default=False)] = (),
    image: Annotated[tuple[Path, ...], Parameter(alias="-i", negative="", show_default=False)] = (),
    schema: Path | None = None,
    repair: Annotated[int, Parameter(validator=_AT_LEAST_ZERO)] = 0,
    max_tokens: Annotated[int | None, Parameter(validator=_AT_LEAST_ONE)] = None,
    temperature: Annotated[float | None, Parameter(validator=_FROM_ZERO_TO_TWO)] = None,
    max_cost: Annotated[float | None, Parameter(validator=_AT_LEAST_ZERO)] = None,
    json: Json = False,
    reach: Reach = EVERYWHERE,
) -> int:
    """Ask a model, or talk with it; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    words
        The question. Without one, and without input through a pipe, a conversation begins.
    model
        The model to ask; by default the client's default model. `openrouter-client models` lists them.
    system
        How the model should behave.
    file
        A text or PDF file that goes with the question; may be given several times.
    image
        An image that goes with the question; may be given several times.
    schema
        A file with a JSON schema that the answer has to fit; it is shown when it does.
    repair
        How often an answer that does not fit the schema is asked for again, with what was wrong.
    max_tokens
        How many tokens the answer may have.
    temperature
        How much chance there is in the answer, from 0 to 2.
    max_cost
        What each answer may cost at most, in USD; what could cost more is not asked.
    json
        Print one JSON object for each answer: its text, model, id, tokens, cost and time.
    reach
        Whom to ask, and how patiently.

    """
    out = Output("chat", json=json)
    piped = from_pipe()
    given = piped.bind(lambda text: gathered(words, file, image, text))
    if isinstance(given, Failure):
        return out.failed(given.failure())
    wanted: AnswerSchema | None = None
    if schema is not None:
        read = read_file("--schema", schema, as_schema)
        if isinstance(read, Failure):
            return out.failed(read.failure())
        wanted = read.unwrap()
    question = given.unwrap()
    talking = talks(question)
    if question.empty and not talking:
        remedy = 'ask something: openrouter-client chat "..." or ... | openrouter-client chat'
        return out.failed(usage("the question", "''", remedy))
    pattern = ChatCompletionRequest(model=model, max_completion_tokens=max_tokens, temperature=temperature)

    def drive(session: Session, client: "OpenRouterClient") -> int:
        talk = Talk(client, out, pattern, system=system, max_cost_usd=max_cost, wanted=wanted, repair=repair)
        return converse(session, talk, out, question) if talking else session.run(talk.turn(message_of(question)))

    return conduct(out, reach, drive, wanted="api_key")


def talks(given: Given) -> bool:
    """Tell whether to begin a conversation: nothing was asked, and there is somebody to ask."""
    try:
        return not given.words.strip() and not given.piped.strip() and sys.stdin.isatty()
    except (AttributeError, ValueError):  # closed, or none at all
        return False


def converse(session: Session, talk: Talk, out: Output, attached: Given) -> int:
    """Take turns until Ctrl-D; files and images go with the first question. The result is that of the last turn."""
    if importlib.util.find_spec("readline") is not None:
        importlib.import_module("readline")  # lends `input` its keys and its memory of lines
    out.remark(HOW_TO_LEAVE)
    code = DONE
    while True:
        try:
            words = asked_of_person(out)
        except EOFError:
            out.remark("")
            return code
        if not words.strip():
            continue
        code = session.run(talk.turn(message_of(Given(words=words, texts=attached.texts, parts=attached.parts))))
        if code == DONE:
            attached = Given()


def asked_of_person(out: Output) -> str:
    """Ask the person for a line. Where the answers do not go to the terminal, the prompt must not go with them."""
    if out.console.is_terminal:
        return input(PROMPT)
    sys.stderr.write(PROMPT)
    sys.stderr.flush()
    return input()
