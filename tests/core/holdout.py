"""Servers that nobody tuned the limits for: rates, bursts, windows, hints, lies, noise and skewed clocks at random.

python -m tests.core.holdout 40           the figures of this client on so many of them
python -m tests.core.holdout 40 1-2-4     those of another policy
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

from openrouter_core.load import Bucket, Load, ServerSpec, Tells, Windows, ideal
from openrouter_core.load_figures import Figures, figures
from openrouter_core.load_scenarios import OURS, Contender, Scenario, chosen, play


def dice(seed: int) -> Iterator[float]:
    """Numbers in [0, 1)."""
    return iter(random.Random(seed).random, None)


def measured(scenario: Scenario, contender: Contender, seed: int) -> Figures:
    """The figures of one run."""
    best = None if scenario.server.pool is not None else ideal(scenario.load, scenario.server, dice(seed))
    return figures(play(scenario, contender, dice(seed)), scenario.load, scenario.server, best)


def random_scenario(seed: int) -> Scenario:
    """A quota that nobody tuned for."""
    chance = random.Random(seed)
    rate = 0.7 * (80 / 0.7) ** chance.random()
    burst = chance.choice([1, chance.randint(1, 60), chance.randint(1, 60)])
    kind: Tells = chance.choice(["nothing", "exact", "whole", "named", "named"])
    noise = chance.choice([0.0, 0.0, 0.01])
    together = chance.choice([50, 100, 300])
    load = Load(calls=max(400, int(rate * 120)), together=together)
    if kind == "named":
        length = chance.choice([10.0, 60.0])
        windows = Windows(max(2, int(rate * length)), length, chance.uniform(0, length))
        tells: Tells = chance.choice(["named", "named", "reset", "exact"])
        ahead, dated = chance.choice([0.0, 0.0, 0.3, 1.5, -0.5]), chance.choice([True, True, False])
        server = ServerSpec(quota=windows, tells=tells, ahead=ahead, dated=dated, spurious=noise)
        title = f"{windows.limit} per {length:g} s, {tells}, ahead {ahead}, dated {dated}, noise {noise}, {together}"
        return Scenario(title, server, load)
    moves, lie = chance.choice([1.0, 1.0, 0.5, 1.5]), chance.choice([1.0, 1.0, 0.2, 3.0])
    bucket = Bucket(((0.0, rate), (40.0, rate * moves)), float(burst))
    title = f"{rate:.1f}/s x{moves} burst {burst}, {kind} x{lie}, noise {noise}, {together}"
    return Scenario(title, ServerSpec(quota=bucket, tells=kind, lie=lie, spurious=noise), load)


def main(words: list[str]) -> None:
    """Print the figures of some."""
    for seed in range(int(words[0]) if words else 40):
        scenario = random_scenario(seed)
        contender = chosen(words[1], scenario.server) if len(words) > 1 else OURS
        assert contender is not None, f"there is no policy {words[1]!r}"
        row = measured(scenario, contender, seed)
        of_quota = "" if row.of_quota is None else f"  of quota {row.of_quota:.3f}"
        sys.stdout.write(
            f"{seed:3d} {scenario.title:<66} lost {row.lost}  429/ok {row.refused:.3f}  later {row.later:.3f}"
            f"  time:ideal {row.to_ideal or 0.0:.3f}{of_quota}\n"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
