"""The command itself: looks at everything, and shows a line for each check."""

import asyncio
from collections.abc import Mapping

from returns.result import Failure

from openrouter_client.cli.doctor.checks import Check, worst
from openrouter_client.cli.doctor.probing import everything, source_of
from openrouter_client.cli.exits import DONE, INTERRUPTED, SOME
from openrouter_client.cli.options import EVERYWHERE, Json, Reach
from openrouter_client.cli.output import Output
from openrouter_client.cli.session import NOTICE, Session, unheard
from openrouter_client.environment import environment

STYLES = {"ok": "green", "warn": "yellow", "fail": "red", "skip": "dim"}


def doctor(*, json: Json = False, reach: Reach = EVERYWHERE) -> int:
    """Check what calls depend on; the exit code is in `openrouter_client.cli.COMMANDS`.

    Parameters
    ----------
    json
        Print one JSON object instead: the worst status, and all checks with what to do.
    reach
        Whom to ask. Checks are not repeated, and wait for 10 seconds at most.

    """
    out = Output("doctor", json=json)
    flaw = reach.flaw()
    if flaw is not None:
        return out.failed(flaw)
    try:
        with Session(reach, unheard, wanted="none") as session:
            config = session.config()
            if reach.simulate and isinstance(config, Failure):
                return out.failed(config.failure())
            if reach.stand_in is not None:
                out.remark(NOTICE.format(reach.stand_in))
            environ: Mapping[str, str] = {} if reach.simulate else environment()
            source = "the stand-in" if reach.simulate else source_of("api_key", environ)
            with out.waiting("looking"):
                found = session.run(everything(config, environ, source))
    except (KeyboardInterrupt, asyncio.CancelledError):
        out.remark("doctor: interrupted")
        return INTERRUPTED
    show(out, found)
    return SOME if worst(found) == "fail" else DONE


def show(out: Output, found: list[Check]) -> None:
    """Print the checks, and under those that are not well what to do."""
    if out.json:
        out.value({"status": worst(found), "checks": found})
        return
    for check in found:
        line = f"{check.status:<5} {check.name:<9} {check.found}"
        out.console.print(line, style=STYLES[check.status], markup=False, soft_wrap=True)
        if check.remedy:
            out.console.print(f"{'':<15} -> {check.remedy}", markup=False, soft_wrap=True)
