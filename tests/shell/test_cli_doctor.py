"""The command `doctor`: each judgement as a value, and the whole against a stand-in, in good and in bad shape."""

from __future__ import annotations

import asyncio
import socket
import ssl
from decimal import Decimal
from typing import Any

import pytest
import trustme
from returns.result import Failure, Success
from tests.shell.command_line import CommandLine

from openrouter_client.cli.doctor import checks
from openrouter_client.cli.doctor.checks import Certificate, Check
from openrouter_client.cli.doctor.probing import skew_of
from openrouter_client.simulator import Simulator
from openrouter_core.config import OpenRouterConfig
from openrouter_core.errors import AuthError, ConnectError
from openrouter_core.wire.account import Credits
from openrouter_core.wire.keys import CurrentKey

GOOD = OpenRouterConfig(api_key="sk-or-v1-1")
PROXY = {"HTTPS_PROXY": "http://jo:secret@proxy:8080"}


def settled(environ: dict[str, str]) -> Check:
    return checks.settings_check(Success(GOOD), environ)


@pytest.mark.parametrize(
    ("check", "status", "found"),
    [
        (settled({"OPENROUTER_API_KEY": "x", "OPENROUTER_API_KEY_FILE": "y", "PATH": "z"}), "ok", "base_url"),
        (settled({"OPENROUTER_TIMEOUT": "3"}), "warn", "OPENROUTER_TIMEOUT: no such setting"),
        (checks.settings_check(Failure(AuthError(message="bad file")), {}), "fail", "bad file"),
        (checks.key_check("", "x"), "fail", "none"),
        (checks.key_check("sk-proj-secret", "OPENROUTER_API_KEY"), "warn", "does not begin with sk-or-"),
        (checks.key_check("sk-or-v1-secret", "a file"), "ok", "from a file, 15 characters"),
        (checks.proxy_check(GOOD, {}), "ok", "none"),
        (checks.proxy_check(GOOD, PROXY), "warn", "http://***@proxy:8080', which is not used"),
        (checks.proxy_check(OpenRouterConfig(trust_env=True), PROXY), "ok", "***@proxy"),
        (checks.proxy_check(OpenRouterConfig(proxy="http://jo:secret@proxy"), {}), "ok", "***@proxy"),
        (checks.dns_check("h", ["1", "2", "3", "4"], ""), "ok", "h: 1, 2, 3"),
        (checks.dns_check("h", [], "unknown"), "fail", "h: unknown"),
        (checks.connect_check("h:1", 0.0123, ""), "ok", "h:1 in 12 ms"),
        (checks.connect_check("h:1", 0.0, "refused"), "fail", "refused"),
        (checks.tls_check(None, "self-signed"), "fail", "self-signed"),
        (checks.tls_check(Certificate(version="TLSv1.3", issuer="CA", days=90), ""), "ok", "TLSv1.3, issued by CA"),
        (checks.tls_check(Certificate(version="TLSv1.3", issuer="CA", days=13), ""), "warn", "13 days"),
        (checks.clock_check(None), "skip", "no date"),
        (checks.clock_check(-5.0), "ok", "right"),
        (checks.clock_check(-6.0), "warn", "6 s behind"),
        (checks.clock_check(301.0), "fail", "301 s ahead"),
        (checks.api_check(0.05, None), "ok", "50 ms"),
        (checks.api_check(0.05, ConnectError(message="refused")), "fail", "refused"),
        (checks.validity_check(AuthError(message="User not found."), None), "fail", "User not found."),
        (checks.validity_check(None, CurrentKey(label="sk...1", expires_at="2027")), "ok", "sk...1, until 2027"),
        (checks.validity_check(None, CurrentKey(is_management_key=True)), "warn", "a management key"),
        (checks.limit_check(CurrentKey(usage=Decimal(3))), "ok", "none; used $3.00"),
        (checks.limit_check(CurrentKey(limit=Decimal(10), limit_remaining=Decimal(1))), "ok", "$1.00 of $10.00 left"),
        (checks.limit_check(CurrentKey(limit=Decimal(10), limit_remaining=Decimal("0.9"))), "warn", "$0.90 of"),
        (checks.limit_check(CurrentKey(limit=Decimal(10), usage=Decimal(10))), "fail", "$0.00 of $10.00 left"),
        (checks.credits_check(Credits(total_credits=Decimal(5), total_usage=Decimal(4))), "ok", "$1.00 of"),
        (checks.credits_check(Credits(total_credits=Decimal(5), total_usage=Decimal("4.5"))), "warn", "$0.50"),
        (checks.credits_check(Credits(total_credits=Decimal(5), total_usage=Decimal(5))), "fail", "$0.00"),
    ],
)
def test_facts_are_judged(check: Check, status: str, found: str) -> None:
    assert (check.status, found in check.found) == (status, True), check
    assert bool(check.remedy) == (status in ("warn", "fail"))
    assert "secret" not in check.found + check.remedy


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://openrouter.ai/api/v1", ("openrouter.ai", 443, True)),
        ("http://127.0.0.1:8080/api/v1", ("127.0.0.1", 8080, False)),
        ("http://localhost", ("localhost", 80, False)),
    ],
)
def test_the_place_is_read_from_the_address(url: str, place: tuple[str, int, bool]) -> None:
    assert checks.place_of(url) == place


@pytest.mark.parametrize(
    ("date", "at", "skew"),
    [
        ("Thu, 01 Jan 1970 00:01:40 GMT", 100.5, 0.0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 160.0, 59.5),
        (None, 100.0, None),
        ("yesterday", 100.0, None),
    ],
)
def test_the_clock_is_held_against_the_date(date: str | None, at: float, skew: float | None) -> None:
    assert skew_of(date, at, 0.0) == skew


def test_the_worst_decides() -> None:
    told: list[Any] = [checks.skipped("a", "b"), checks.key_check("sk-or-", "x")]
    assert checks.worst(told) == "ok"
    assert checks.worst([*told, checks.key_check("x", "y")]) == "warn"
    assert checks.worst([*told, checks.key_check("x", "y"), checks.key_check("", "y")]) == "fail"


def statuses(told: Any) -> dict[str, str]:
    return {check["name"]: check["status"] for check in told["checks"]}


async def test_in_good_shape_all_is_well(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        done = await command.asked("doctor", "--json")
        (told,) = done.values
        assert (done.code, told["status"]) == (0, "ok")
        assert statuses(told) == {
            **dict.fromkeys(("versions", "settings", "key", "proxy", "dns", "connect"), "ok"),
            "tls": "skip",
            **dict.fromkeys(("api", "clock", "validity", "limit", "credits"), "ok"),
        }
        assert {request.path for request in server.requests} == {
            "/api/v1/models/count",
            "/api/v1/key",
            "/api/v1/credits",
        }
        shown = await command.asked("doctor")
    assert shown.code == 0
    assert any(line.startswith("ok    key       from OPENROUTER_API_KEY, ") for line in shown.out.splitlines())
    assert server.api_key not in done.out + shown.out


async def test_a_bad_key_and_a_wrong_variable_are_told_with_remedies(command: CommandLine) -> None:
    async with Simulator() as server:
        command.heed(server)
        command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-proj-another-service")
        command.monkeypatch.setenv("OPENROUTER_TIMEOUT", "3")
        command.monkeypatch.delenv("OPENROUTER_MANAGEMENT_KEY")
        done = await command.asked("doctor")
    assert done.code == 1
    lines = done.out.splitlines()
    for start in ("warn  settings", "warn  key", "fail  validity"):
        place = next(number for number, line in enumerate(lines) if line.startswith(start))
        assert lines[place + 1].lstrip().startswith("-> ")
    assert "skip  credits" in done.out
    assert "another-service" not in done.out


async def test_a_server_that_is_not_there_is_told(command: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
    done = await command.asked("doctor", "--json", "--base-url", f"http://127.0.0.1:{port}")
    (told,) = done.values
    found = statuses(told)
    assert done.code == 1
    assert {name for name, status in found.items() if status == "fail"} == {"connect", "api"}
    assert {found[name] for name in ("tls", "clock", "validity", "limit")} == {"skip"}


async def test_without_a_key_the_way_to_the_api_is_looked_at_all_the_same(command: CommandLine) -> None:
    async with Simulator() as server:
        command.monkeypatch.setenv("OPENROUTER_BASE_URL", server.base_url)
        (told,) = (await command.asked("doctor", "--json")).values
        assert [request.headers.get("Authorization") for request in server.requests] == [None]
    found = statuses(told)
    assert (found["key"], found["api"], found["clock"], found["validity"]) == ("fail", "ok", "ok", "skip")


async def test_an_unsafe_key_file_is_told_and_not_read(command: CommandLine) -> None:
    path = command.home / ".config" / "openrouter" / "key"
    path.parent.mkdir(parents=True)
    path.write_text("sk-or-v1-secret")
    path.chmod(0o644)
    done = await command.asked("doctor", "--base-url", "http://127.0.0.1:9")
    assert done.code == 1
    assert f"chmod 600 {path}" in done.out
    assert "secret" not in done.out


@pytest.mark.parametrize("trusted", [True, False])
async def test_the_certificate_is_looked_at(command: CommandLine, trusted: bool) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    path = command.home / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    async with Simulator(tls=context) as server:
        command.heed(server)
        if trusted:
            command.monkeypatch.setenv("OPENROUTER_CA_FILE", str(path))
        (told,) = (await command.asked("doctor", "--json")).values
        await asyncio.sleep(0)
    found = {check["name"]: check for check in told["checks"]}
    assert found["tls"]["status"] == ("ok" if trusted else "fail")
    assert ("trustme" in found["tls"]["found"]) == trusted
    assert ("OPENROUTER_CA_FILE" in found["tls"]["remedy"]) == (not trusted)
    assert found["connect"]["status"] == "ok"


def test_a_file_of_certificates_that_is_not_there_is_told(command: CommandLine) -> None:
    command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
    command.monkeypatch.setenv("OPENROUTER_CA_FILE", "gone.pem")
    done = command.run("doctor", "--base-url", "https://127.0.0.1:9")
    assert done.code == 1
    assert "ca_file = 'gone.pem'" in done.out


def test_behind_a_proxy_names_are_the_proxys_affair(command: CommandLine) -> None:
    command.monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-v1-x")
    command.monkeypatch.setenv("OPENROUTER_PROXY", "http://jo:secret@127.0.0.1:9")
    (told,) = command.run("doctor", "--json").values
    found = statuses(told)
    assert [found[name] for name in ("dns", "connect", "tls", "api")] == ["skip", "skip", "skip", "fail"]
    assert "secret" not in str(told)


def test_contradictory_options_are_refused(command: CommandLine) -> None:
    assert command.run("doctor", "--faults", "500:1").code == 2
    assert command.run("doctor", "--simulate", "--faults", "fuor:1").code == 2
