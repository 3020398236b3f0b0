"""Keys in files: for the command line, which must not have them as options.

A key's variable comes first, then the file that another variable names, then the file of a fixed name. A file that
others than its owner may read is refused, and what to do is said.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from returns.result import Failure, Result, Success

from openrouter_core.config import ENVIRONMENT_PREFIX, KEYS
from openrouter_core.errors import AuthError

LARGEST_KEY = 4096
"""A key is no longer than this, in bytes."""

NO_KEY = """\
No API key. There are three ways to go on:
  with a variable:          export OPENROUTER_API_KEY=sk-or-...   (from openrouter.ai/settings/keys; calls cost money)
  with a file:              put the key into {file}, and: chmod 600 {file}
  with the local stand-in:  add --simulate   (made-up answers, no key, no network)"""

NO_MANAGEMENT_KEY = """\
No management key, which this takes. There are three ways to go on:
  with a variable:          export OPENROUTER_MANAGEMENT_KEY=...   (from openrouter.ai/settings/management-keys)
  with a file:              put the key into {file}, and: chmod 600 {file}
  with the local stand-in:  add --simulate   (made-up answers, no key, no network)"""

_NAMES = {"api_key": "key", "management_key": "management-key"}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFile(NamedTuple):
    """Where a key may be: the setting that it is, its file, and whether a variable names that file."""

    setting: str
    path: Path
    named: bool


def folder(environ: Mapping[str, str]) -> Path:
    """The folder of the key files: openrouter, below XDG_CONFIG_HOME or ~/.config."""
    base = environ.get("XDG_CONFIG_HOME", "").strip()
    home = Path(environ.get("HOME", "").strip() or "~").expanduser()
    return (Path(base) if base else home / ".config") / "openrouter"


def candidates(environ: Mapping[str, str]) -> list[KeyFile]:
    """The files to look into: one for each key that no variable gives."""
    found: list[KeyFile] = []
    for setting in KEYS:
        variable = ENVIRONMENT_PREFIX + setting.upper()
        if environ.get(variable, "").strip():
            continue
        named = environ.get(f"{variable}_FILE", "").strip()
        path = Path(named).expanduser() if named else folder(environ) / _NAMES[setting]
        found.append(KeyFile(setting, path, bool(named)))
    return found


def unsafe(path: Path, mode: int) -> str:
    """Say why a file of this mode (`st_mode`) must not hold a key, and what to do; '' where it may."""
    if not stat.S_ISREG(mode):
        return f"{path} is no file: put the key into a file of its own"
    if mode & _OTHERS:
        return f"{path} can be read or changed by others (mode {stat.S_IMODE(mode):03o}): chmod 600 {path}"
    return ""


def key_in(path: Path, content: bytes) -> Result[str, str]:
    """Read the key that a file holds: one line, without what surrounds it."""
    lines = content.decode("utf-8", "replace").split()
    if len(content) > LARGEST_KEY or len(lines) != 1:
        return Failure(f"{path} must hold one key and nothing else")
    return Success(lines[0])


def read_key(file: KeyFile) -> Result[str | None, AuthError]:
    """Read a key file; None where there is none and no variable says that there is. It is never shown in an error."""
    try:
        descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError as error:
        return Failure(_refused(file, f"{file.path}: {error.strerror}")) if file.named else Success(None)
    except OSError as error:
        return Failure(_refused(file, f"{file.path}: {error.strerror or error}"))
    with os.fdopen(descriptor, "rb") as opened:
        # Windows has no such modes: there, access is by lists that only the owner's folder inherits.
        flaw = unsafe(file.path, os.fstat(descriptor).st_mode) if os.name == "posix" else ""
        if flaw:
            return Failure(_refused(file, flaw))
        return key_in(file.path, opened.read(LARGEST_KEY + 1)).alt(lambda words: _refused(file, words))


def keys_from_files(environ: Mapping[str, str]) -> Result[dict[str, str], AuthError]:
    """Read the keys that no variable gives from their files, as settings; a file that is refused ends the command."""
    found: dict[str, str] = {}
    for file in candidates(environ):
        read = read_key(file)
        if isinstance(read, Failure):
            return Failure(read.failure())
        key = read.unwrap()
        if key is not None:
            found[file.setting] = key
    return Success(found)


def _refused(file: KeyFile, words: str) -> AuthError:
    return AuthError(message=f"the key file {words}", key="management" if "management" in file.setting else "inference")
