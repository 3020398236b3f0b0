"""The audit of what comes along: what is not allowed is found, and silence is never good news."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.audit import __main__ as audit
from tests.audit.__main__ import Package, Unreachable, allowed, along, known, unlicensed

RULES = tomllib.loads(audit.RULES.read_text(encoding="utf-8"))
PINS = {"aiohttp": "3.12.0", "msgspec": "0.19.0"}


def answer(**vulns: list[dict[str, Any]] | None) -> str:
    return json.dumps({"dependencies": [{"name": n, **({} if v is None else {"vulns": v})} for n, v in vulns.items()]})


def test_what_users_install_has_licences_that_they_can_live_with() -> None:
    packages = along()
    names = {one.name for one in packages}
    assert {"aiohttp", "msgspec", "returns", "yarl", "cyclopts", "rich", "redis", "pyarrow", "matplotlib"} <= names
    assert "pytest" not in names
    assert not unlicensed(packages, RULES)


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "AGPL-3.0-or-later", "MIT AND GPL-2.0-only", "Proprietary", "UNKNOWN"]
)
def test_a_licence_that_binds_users_is_found(licence: str) -> None:
    assert unlicensed([Package("planted", "1.0", licence)], RULES)
    assert not unlicensed([Package("planted", "1.0", licence)], {**RULES, "exceptions": {"planted": "a reason"}})


@pytest.mark.parametrize("licence", ["MIT", "MIT OR GPL-3.0-only", "Apache-2.0 AND MIT", "BSD License"])
def test_a_licence_that_lets_users_be_is_allowed(licence: str) -> None:
    assert allowed(licence, RULES)


def test_every_exception_has_a_reason_and_a_package() -> None:
    names = {one.name for one in along()}
    assert all(name in names and len(reason) > 10 for name, reason in RULES["exceptions"].items())


def test_an_advisory_is_told_with_its_remedy() -> None:
    said = answer(aiohttp=[{"id": "PYSEC-1", "fix_versions": ["3.12.14"]}], msgspec=[])
    assert known(said, "", PINS) == ["aiohttp 3.12.0: PYSEC-1, mended in 3.12.14"]
    assert known(answer(aiohttp=[], msgspec=[]), "", PINS) == []


@pytest.mark.parametrize("said", ["", "no JSON", "{}", "[]", answer(aiohttp=[]), answer(aiohttp=[], msgspec=None)])
def test_silence_is_no_good_news(said: str) -> None:
    with pytest.raises(Unreachable):
        known(said, "ConnectionError: no network", PINS)


@pytest.mark.parametrize("program", [sys.executable, "no-such-program"])
def test_without_the_database_it_says_so_and_does_not_pass(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--pip-audit", program]) == 2
    told = capsys.readouterr().out
    assert "advisories: NOT CHECKED" in told
    assert "are allowed" in told
    assert audit.main(["--offline"]) == 0


def test_a_wrong_licence_fails_the_audit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('allowed = ["0BSD"]\n[also_called]\n[exceptions]\n')
    monkeypatch.setattr(audit, "RULES", tmp_path / "rules.toml")
    assert audit.main(["--offline"]) == 1
