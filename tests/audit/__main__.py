"""Check what users install along with this package: its licences, and the advisories about its versions.

python -m tests.audit --pip-audit PATH      both; exit code 1: something is wrong, 2: the advisories were not reachable
python -m tests.audit --offline             the licences only
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "aio-openrouter"
RULES = Path(__file__).with_name("licences.toml")
PATIENCE_SECS = 300


class Package(Struct, frozen=True):
    """A package that comes along, and its licence in its own words; "" where it does not say."""

    name: str
    version: str
    licence: str


class Unreachable(Exception):
    """The database of advisories did not answer: nothing is known."""


def along(root: str = PACKAGE) -> list[Package]:
    """Give all that is installed along with a package and all its extras, here and now."""
    extras = metadata.metadata(root).get_all("Provides-Extra") or []
    todo = [(canonicalize_name(root), extra) for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        for text in requires(name):
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                todo += [(canonicalize_name(wanted.name), more) for more in ("", *wanted.extras)]
    names = sorted({name for name, _ in seen} - {canonicalize_name(root)})
    return [described(name) for name in names]


def requires(name: str) -> list[str]:
    """Give what a package wants, and nothing for one that is not here."""
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []


def described(name: str) -> Package:
    """Describe a package as it is installed; one that is not here cannot be vouched for."""
    try:
        return Package(name, metadata.version(name), licence_of(metadata.metadata(name)))
    except metadata.PackageNotFoundError:
        return Package(name, "0", "it is not installed here")


def licence_of(told: Any) -> str:
    """Read the licence from a package's metadata: its SPDX expression, else its classifiers, else its own words."""
    classified = [
        one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or [] if one.startswith("License :: OSI")
    ]
    said = told.get("License") or ""
    words = said.strip().splitlines()[0] if len(said) < 200 and said.strip() else ""
    return told.get("License-Expression") or " AND ".join(classified) or words


def allowed(licence: str, rules: Mapping[str, Any]) -> bool:
    """Tell whether a licence may be: one of an OR's branches, and all of an AND's parts."""
    licence = rules["also_called"].get(licence, licence)
    if " OR " in licence and "(" not in licence:
        return any(allowed(one.strip(), rules) for one in licence.split(" OR "))
    parts = [part.strip(" ()") for part in re.split(r" AND ", licence)]
    if len(parts) > 1:
        return all(allowed(part, rules) for part in parts)
    return licence.partition(" WITH ")[0] in rules["allowed"]


def unlicensed(packages: Iterable[Package], rules: Mapping[str, Any]) -> list[str]:
    """Tell which packages have a licence that they may not have, or none."""
    return [
        f"{one.name} {one.version}: {one.licence or 'its metadata names no licence'}"
        for one in packages
        if not allowed(one.licence, rules) and one.name not in rules["exceptions"]
    ]


def advisories(packages: Iterable[Package], program: str) -> list[str]:
    """Ask for what is known against these versions. Raises Unreachable, for silence is no good news."""
    pins = {one.name: one.version for one in packages}
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        listed.write_text("".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8")
        command = [program, "-r", str(listed), "--no-deps", "--disable-pip", "-f", "json", "--progress-spinner", "off"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unreachable(str(error)) from None
    return known(done.stdout, done.stderr, pins)


def known(said: str, complaint: str, pins: Mapping[str, str]) -> list[str]:
    """Read what pip-audit said. Raises Unreachable unless it looked at every package."""
    try:
        looked_at = {canonicalize_name(one["name"]): one for one in json.loads(said)["dependencies"]}
    except (ValueError, KeyError, TypeError):
        last = complaint.strip().splitlines()
        raise Unreachable(last[-1][:300] if last else "pip-audit said nothing") from None
    skipped = [name for name in pins if "vulns" not in looked_at.get(canonicalize_name(name), {})]
    if skipped:
        named = ", ".join(skipped[:5]) + ("..." if len(skipped) > 5 else "")
        raise Unreachable(f"pip-audit knew nothing of {len(skipped)} of {len(pins)} packages: {named}")
    return [
        f"{name} {pins[name]}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version'}"
        for name in pins
        for found in looked_at[canonicalize_name(name)]["vulns"]
    ]


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, check, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--pip-audit", default="pip-audit", help="where pip-audit is")
    parser.add_argument("--offline", action="store_true", help="check the licences only")
    options = parser.parse_args(arguments)
    packages = along()
    say = sys.stdout.write
    say("".join(f"{one.name:32}{one.version:14}{one.licence}\n" for one in packages))
    wrong = unlicensed(packages, tomllib.loads(RULES.read_text(encoding="utf-8")))
    say("".join(f"LICENCE NOT ALLOWED: {one}\n" for one in wrong) or f"licences: all {len(packages)} are allowed\n")
    if options.offline:
        say("advisories: NOT CHECKED, as --offline says\n")
        return bool(wrong)
    try:
        found = advisories(packages, options.pip_audit)
    except Unreachable as error:
        say(f"advisories: NOT CHECKED, the database could not be asked ({error})\n")
        return 1 if wrong else 2
    say("".join(f"ADVISORY: {one}\n" for one in found) or f"advisories: none against {len(packages)} packages\n")
    return bool(wrong or found)


if __name__ == "__main__":
    sys.exit(main())
