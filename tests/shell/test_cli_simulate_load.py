"""The command that compares policies under load."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openrouter_client import cli
from openrouter_client.cli.load_table import ROWS, cell
from openrouter_client.cli.simulate_load import Report, condensed
from openrouter_core.load import Bucket, Windows
from openrouter_core.load_figures import Figures, Outage, Phase
from openrouter_core.load_scenarios import CONTENDERS, KNOWING, SCENARIOS

FEW = ("--calls", "60", "--together", "20", "--latency", "0.2")


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """Run the command; give its code, what it printed and what it complained of."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    code = cli.main(("simulate-load", *arguments))
    return code, *capsys.readouterr()


def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Report:
    """What it says for machines."""
    code, out, err = run(capsys, monkeypatch, "--json", *arguments)
    assert (code, err, out.count("\n")) == (0, "", 1)
    return msgspec.json.decode(out, type=Report)


def test_policies_stand_side_by_side(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, monkeypatch, "--rate", "10", *FEW)
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert out.splitlines()[0] == "as described: 60 calls at once, 20 at a time; seed 1"
    head = next(line for line in out.splitlines() if line.startswith("┃"))
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == ["", "ours", "1-2-4", "openai-python", "known-rate"]
    lost = next(line for line in out.splitlines() if "calls lost" in line)
    assert lost.split("│")[2].strip() == "0"
    assert "rejections per success" in out
    assert "outage" not in out
    curves = [line for line in out.splitlines() if line.endswith("|")]
    assert len(curves) == 3 * 4
    assert len({len(line) for line in curves}) == 1


def test_the_description_is_what_the_options_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = told(
        capsys, monkeypatch, *FEW, "--rate", "10,5@3", "--burst", "4", "--ahead", "0.5", "--outage", "1:2",
        "--policies", "ours", "--every", "0.1", "--timeout", "9", "--seed", "7",
    )  # fmt: skip
    server = report.scenario.server
    assert server.quota == Bucket(((0.0, 10.0), (3.0, 5.0)), 4.0)
    assert (server.ahead, server.dated, server.outage, server.latency) == (0.5, False, (1.0, 2.0), 0.2)
    assert (report.scenario.load.every, report.scenario.load.timeout, report.seed) == (0.1, 9.0, 7)
    assert sum(report.policies["ours"].series.goodput) == 60
    file = tmp_path / "server.json"
    file.write_bytes(msgspec.json.encode(server))
    again = told(capsys, monkeypatch, "--server", str(file), *FEW, "--every", "0.1", "--timeout", "9", "--seed", "7")
    assert again.scenario.server == server
    assert again.policies["ours"] == report.policies["ours"]
    assert list(again.policies) == ["ours", "1-2-4", "openai-python", "known-rate"]


def test_windows_and_a_burst_of_a_second(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    report = told(capsys, monkeypatch, *FEW, "--window", "20/2", "--tells", "reset", "--policies", "known-rate")
    assert report.scenario.server.quota == Windows(20, 2.0)
    report = told(capsys, monkeypatch, *FEW, "--rate", "30", "--policies", "no-retries")
    assert report.scenario.server.quota == Bucket(((0.0, 30.0),), 30.0)
    report = told(capsys, monkeypatch, "--scenario", "queue", "--calls", "30", "--policies", "ours")
    assert report.policies["ours"].figures.to_ideal is None
    assert report.scenario.title == SCENARIOS["queue"].title


def test_scenarios_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, monkeypatch, "--scenarios")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(SCENARIOS)


def test_help_names_the_policies(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, monkeypatch, "--help")
    assert code == 0
    assert all(name in out for name in (*CONTENDERS, KNOWING))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "none"), "known: 200"),
        (("--policies", "ours,theirs"), "'theirs'"),
        (("--rate", "fast"), "'fast'"),
        (("--rate", "10,5@later"), "'later'"),
        (("--rate", "0"), "> 0"),
        (("--burst", "3"), "needs --rate"),
        (("--window", "20"), "20/60"),
        (("--window", "20/60", "--rate", "1"), "excludes"),
        (("--outage", "30"), "30:60"),
        (("--failing", "2"), "<= 1"),
        (("--calls", "0"), ">= 1"),
        (("--tells", "lies"), "lies"),
        (("--server", "nowhere.json"), "nowhere.json"),
        (("--plot", "curves.pdf"), ".svg"),
    ],
)
def test_options_that_make_no_sense_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 2
    assert said in out + err


def test_a_file_that_describes_no_server_is_said_to_be_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "server.json"
    for text in ("{", '{"latencies": 1}'):
        file.write_text(text, "utf-8")
        code, _, err = run(capsys, monkeypatch, "--server", str(file))
        assert code == 2
        assert str(file) in err


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_matplotlib_draws_the_curves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"curves.{suffix}"
    assert run(capsys, monkeypatch, *FEW, "--plot", str(file))[0] == 0
    assert file.stat().st_size > 5000


def test_all_figures_have_a_row() -> None:
    nothing = Figures(
        lost=3, refused=0.5, later=0.0, sends=1.25, seconds=123.45, to_ideal=1.5, of_quota=None, p50=2.0, p95=None
    )
    assert [cell(shown(nothing)) for shown in ROWS.values()][:9] == [
        "3", "0.5", "0", "1.25", "123.5", "", "", "2", "never",
    ]  # fmt: skip
    assert all(shown(nothing) is None for shown in list(ROWS.values())[9:])
    moved = msgspec.structs.replace(
        nothing,
        lost=0,
        phases=(Phase(1.0, 0.5, 2.0, 0.0125), Phase(9.0, 4.0, None, 0.0)),
        outage=Outage(0.1, None, 9.0),
    )
    assert cell(ROWS["total time : ideal"](moved)) == "1.5"
    assert [cell(shown(moved)) for shown in list(ROWS.values())[9:]] == ["2", "0.0125", "never", "0.1", "never", "9"]


def test_long_curves_are_condensed() -> None:
    assert condensed((1.0, 2.0), 2, 60) == [1.0, 2.0]
    assert condensed((1.0, 3.0, 5.0), 4, 2) == [2.0, 5.0]
    assert len(condensed((1.0,) * 61, 61, 60)) == 60


async def test_neither_command_needs_network_code() -> None:
    """The package around the command line has its own imports, so it is left out here."""
    alone = (
        "import sys, types, importlib.util\n"
        "found = importlib.util.find_spec('openrouter_client')\n"
        "sys.modules['openrouter_client'] = package = types.ModuleType('openrouter_client')\n"
        "package.__path__ = list(found.submodule_search_locations)\n"
        "from openrouter_client import cli\n"
        "assert cli.main(['schedule']) == 0\n"
        "assert cli.main(['simulate-load', '--calls', '9', '--policies', 'ours']) == 0\n"
        "print([name for name in ('aiohttp', 'matplotlib', 'openrouter_client.client') if name in sys.modules])\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", alone, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**_environment(), "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    assert out.decode().splitlines()[-1] == "[]"
    assert "#" in out.decode() or "@" in out.decode()


def _environment() -> dict[str, Any]:
    import os

    return dict(os.environ)


def test_the_report_is_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, monkeypatch, "--json", *FEW, "--policies", "no-retries", "--scenario", "1")
    report = json.loads(out)
    assert report["scenario"]["server"]["quota"] == {"type": "bucket", "rates": [[0.0, 1.0]], "burst": 5.0}
    assert report["policies"]["no-retries"]["figures"]["p95"] is None
