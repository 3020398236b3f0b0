"""The ledger's side of OpenRouter's own batches: what was to be submitted, what became of it, and whose rows are in it.

Everything here runs on the ledger's thread, inside its transactions.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from openrouter_client.bulk.looking import Looking
from openrouter_client.bulk.tables import Flight, Tables
from openrouter_core.bulk.batches import Intent, Item
from openrouter_core.bulk.lines import Outcome
from openrouter_core.bulk.states import IN_DOUBT, IN_FLIGHT

GIVEN_BACK = Outcome(event="give_back")


def flight_of(item: Item) -> Flight:
    """Give what the ledger needs to know of a row in a batch."""
    return Flight(item.row, item.custom_id, item.hashed, item.known)


def intend(tables: Tables, draft: Intent, items: Sequence[Item]) -> Intent:
    """Write down that a batch is about to be submitted, and with it that its rows are; tell its number."""
    number: int = tables.db.execute("SELECT coalesce(max(number), 0) + 1 FROM batches").fetchone()[0]
    intent = msgspec.structs.replace(draft, number=number)
    save(tables, intent)
    for item in items:
        tables.intend(flight_of(item), intent.at, None)
        tables.db.execute("UPDATE rows SET batch = ? WHERE row = ?", (number, item.row))
    spend(tables, intent.worst)
    return intent


def save(tables: Tables, intent: Intent, *, over: bool = False) -> None:
    """Write down what is known of a batch; one that is over is not asked about any more."""
    tables.db.execute(
        "INSERT OR REPLACE INTO batches VALUES (?, ?, ?)", (intent.number, not over, msgspec.json.encode(intent))
    )


def spend(tables: Tables, amount: float) -> None:
    """Add to the most that all runs of the ledger can have cost, in USD; a negative amount gives back."""
    if amount:
        tables.set_meta(spent=max(0.0, float(tables.meta("spent") or 0.0) + amount))


def left_in(looking: Looking, number: int) -> dict[int, str | None]:
    """Give the rows of a batch that have not ended, with their own names."""
    found = looking.db.execute(
        "SELECT row, custom_id FROM rows WHERE batch = ? AND state = ?", (number, IN_FLIGHT)
    ).fetchall()
    return dict(found)


def release(tables: Tables, intent: Intent) -> list[int]:
    """Let go of a batch that was not accepted: its rows are as if they had not been asked. Tell which."""
    rows = left_in(tables, intent.number)
    for row, name in rows.items():
        tables.end(Flight(row, name, b"", known=True), GIVEN_BACK)
    over(tables, intent, cost=0.0)
    return list(rows)


def doubt(tables: Tables, intent: Intent) -> list[int]:
    """Put the rows of a batch in doubt of which nobody can tell any more whether it is ours. Tell which."""
    rows = list(left_in(tables, intent.number))
    tables.db.execute(
        "UPDATE rows SET state = ?, unknown = unknown + 1, batch = NULL WHERE batch = ? AND state = ?",
        (IN_DOUBT, intent.number, IN_FLIGHT),
    )
    save(tables, intent, over=True)
    return rows


def over(tables: Tables, intent: Intent, cost: float) -> None:
    """Write down that a batch has ended, all of its rows too, and that it cost so many USD."""
    save(tables, intent, over=True)
    spend(tables, cost - intent.worst)


def opened(looking: Looking) -> list[Intent]:
    """List the batches that are still to be looked for or asked about, in the order of their submission."""
    found = looking.db.execute("SELECT intent FROM batches WHERE open ORDER BY number")
    return [msgspec.json.decode(one, type=Intent) for (one,) in found]


def rows_left(looking: Looking) -> int:
    """Count the rows that are in batches."""
    found: int = looking.db.execute("SELECT count(*) FROM rows WHERE batch IS NOT NULL").fetchone()[0]
    return found


def known_ids(looking: Looking) -> set[str]:
    """Give the ids of all batches that this ledger has."""
    found = [msgspec.json.decode(one, type=Intent).id for (one,) in looking.db.execute("SELECT intent FROM batches")]
    return {one for one in found if one is not None}
