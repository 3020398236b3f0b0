"""What goes wrong in a soak, phase by phase, as data."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from tests.soak.proxy import Weather

Trouble = Literal["", "server dies", "doors shut", "dns fails", "tls breaks"]
"""What happens besides the weather, on and off: the server is stopped and started, connections are refused, the name of
the server has no address, its certificate is a stranger's or nobody speaks TLS."""


class Phase(Struct, frozen=True, kw_only=True):
    """What a phase brings: the network's weather, the server's faults and quota, and a trouble on and off."""

    name: str
    weather: Weather = Weather()
    faults: str = ""
    quota: str | None = None
    trouble: Trouble = ""


PHASES = (
    Phase(name="late and in slices", weather=Weather(latency=(0.0, 0.15), slice=97)),
    Phase(name="resets", weather=Weather(reset_head=0.12, reset_body=0.12)),
    Phase(name="hangs", weather=Weather(hang=0.1), faults="silent:0.05,drip:0.05,slow@0.3:0.1"),
    Phase(name="refusals", weather=Weather(refuse=0.3), trouble="doors shut"),
    Phase(
        name="answers that are none",
        faults="error200:0.08,html:0.05,badjson:0.05,null-choices:0.05,choice-error:0.05,502-html:0.05,empty:0.05,"
        "wrong-shape:0.03,redirect:0.03,gzip-bomb@8:0.02",
    ),
    Phase(name="a flood of 429", faults="429-retry-after@0.3:0.15", quota="12/s burst 3"),
    Phase(
        name="streams that are cut",
        faults="cutstream:0.1,midstream:0.1,midstream-bare:0.05,malformed:0.05,stall:0.05,cut-chunked:0.05",
    ),
    Phase(name="a server that dies", trouble="server dies"),
    Phase(name="dns that fails", trouble="dns fails"),
    Phase(name="tls that breaks", trouble="tls breaks"),
    Phase(
        name="all at once",
        weather=Weather(latency=(0.0, 0.1), slice=251, reset_head=0.03, reset_body=0.03, hang=0.03, refuse=0.1),
        faults="error200:0.04,html:0.03,503:0.04,cutstream:0.04,midstream:0.03",
        quota="40/s",
        trouble="server dies",
    ),
)
