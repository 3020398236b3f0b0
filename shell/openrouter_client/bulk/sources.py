"""Rows out of files: JSON lines, CSV, and Parquet (the extra `parquet`). A file is read twice: to know it, to run it.

Nothing is kept of what was read; a row is decoded only when it is to be asked.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec
from returns.result import Failure, Result, Success

from openrouter_core.bulk.identity import SIZE
from openrouter_core.bulk.rows import at, decoded
from openrouter_core.errors import DataSourceError, InvalidRequest
from openrouter_core.refuse import refuse

CHUNK = 2**20
BOM = b"\xef\xbb\xbf"
MISSING = 'Parquet files need pyarrow. Install it with: pip install "aio-openrouter[parquet]"'

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


class Raw(msgspec.Struct, frozen=True):
    """A row that was not decoded yet, and where it stands, for people."""

    place: str
    data: Any


class Known(msgspec.Struct, frozen=True):
    """What is known of an input: the hash of its bytes, and how many rows it has."""

    hash: str
    rows: int


class Source(Protocol):
    """An input that can be read again and again."""

    def scan(self) -> Known:
        """Read it once, to know it; raises OSError."""
        ...

    def rows(self) -> Iterator[Raw]:
        """Read its rows in their order."""
        ...

    def columns(self, raw: Raw) -> Result[Mapping[str, Any], InvalidRequest]:
        """Decode a row."""
        ...


class JsonLines:
    """One JSON object on each line; empty lines are no rows."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def scan(self) -> Known:
        """Hash the file and count its rows; raises OSError."""
        hashed, rows = blake2b(digest_size=SIZE), 0
        with self.path.open("rb") as file:
            for line in file:
                hashed.update(line)
                rows += not line.isspace()
        return Known(hashed.hexdigest(), rows)

    def rows(self) -> Iterator[Raw]:
        """Give the lines that are not empty."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.isspace():
                    yield Raw(f"line {number}", line.removeprefix(BOM) if number == 1 else line)

    def columns(self, raw: Raw) -> Result[Mapping[str, Any], InvalidRequest]:
        """Decode a line."""
        return decoded(raw.data, raw.place)


class Csv:
    """A table with the columns' names in the first line. Empty cells are columns that the row does not have."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def scan(self) -> Known:
        """Hash the file and count its rows; raises OSError."""
        return Known(hash_of(self.path), sum(1 for _ in self.rows()))

    def rows(self) -> Iterator[Raw]:
        """Give the rows; a value that is no UTF-8 shows as such. Raises OSError for what is no CSV."""
        with self.path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            try:
                for row in reader:
                    yield Raw(f"line {reader.line_num}", row)
            except csv.Error as error:
                raise OSError(f"after line {reader.line_num} this is no CSV: {error}") from error

    def columns(self, raw: Raw) -> Result[Mapping[str, Any], InvalidRequest]:
        """Give a row's cells that are not empty."""
        row = cast("Mapping[str | None, Any]", raw.data)
        if None in row:
            return Failure(at(raw.place, refuse("row", "has more cells than the first line has names", row[None])))
        return Success({str(name): value for name, value in row.items() if value not in (None, "")})


class Parquet:
    """A Parquet file, read by pyarrow, a batch at a time."""

    def __init__(self, path: Path) -> None:
        self.path: Path = path

    def scan(self) -> Known:
        """Hash the file and read how many rows it has; raises OSError."""
        return Known(hash_of(self.path), int(self.file().metadata.num_rows))

    def file(self) -> Any:
        """Open the file; raises OSError (pyarrow's own errors are made into one)."""
        parquet: Any = importlib.import_module("pyarrow.parquet")
        try:
            return parquet.ParquetFile(self.path)
        except ValueError as error:
            raise OSError(f"this is no Parquet file: {error}") from error

    def rows(self) -> Iterator[Raw]:
        """Give the rows, one batch at a time."""
        number = 0
        with self.file() as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield Raw(f"row {number}", row)

    def columns(self, raw: Raw) -> Result[Mapping[str, Any], InvalidRequest]:
        """Give a row's values that are there."""
        return Success({name: value for name, value in raw.data.items() if value is not None})


def hash_of(path: Path) -> str:
    """Hash a file's bytes; raises OSError."""
    hashed = blake2b(digest_size=SIZE)
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            hashed.update(piece)
    return hashed.hexdigest()


def source_of(path: Path) -> Result[Source, DataSourceError]:
    """Choose how to read a file, by the end of its name: .csv, .parquet, and everything else as JSON lines."""
    if not path.is_file():
        bound = "must be a file that is there: JSON lines, CSV or Parquet"
        return Failure(InvalidRequest(message=f"input = {path}: {bound}", field="input", value=str(path), bound=bound))
    match path.suffix.lower():
        case ".csv":
            return Success(Csv(path))
        case ".parquet" if importlib.util.find_spec("pyarrow") is None:
            return Failure(InvalidRequest(message=MISSING, field="input", value=str(path), bound=MISSING))
        case ".parquet":
            return Success(Parquet(path))
        case _:
            return Success(JsonLines(path))


def unreadable(error: OSError) -> InvalidRequest:
    """Make the error of an input that cannot be read."""
    bound = f"cannot be read: {error}"
    return InvalidRequest(message=f"the input {bound}", field="input", bound=bound)


def placed(error: DataSourceError, place: str) -> DataSourceError:
    """Say where in the input it is that a request is wrong, if it was refused before it was sent."""
    return at(place, error) if isinstance(error, InvalidRequest) and error.status is None else error
