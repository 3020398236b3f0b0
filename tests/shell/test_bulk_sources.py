"""Files become rows, the same ones each time."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from openrouter_client.bulk.sources import Source, source_of


def read(source: Source) -> list[tuple[str, Any]]:
    return [(raw.place, source.columns(raw).value_or(None)) for raw in source.rows()]


def test_json_lines_are_rows_and_empty_lines_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{"a": 2}\n[3]\n{"a": 4}')
    source = source_of(path).unwrap()
    assert read(source) == [("line 1", {"a": 1}), ("line 4", {"a": 2}), ("line 5", None), ("line 6", {"a": 4})]
    assert source.scan().rows == 4


def test_a_changed_byte_is_another_input(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n')
    before = source_of(path).unwrap().scan()
    assert source_of(path).unwrap().scan() == before
    path.write_text('{"a": 2}\n')
    assert source_of(path).unwrap().scan().hash != before.hash


def test_csv_rows_have_the_columns_of_the_first_line(tmp_path: Path) -> None:
    path = tmp_path / "a.CSV"
    path.write_text('\ufeffid,text\n1,"two\nlines"\n2,\n3,a,b\n', encoding="utf-8")
    source = source_of(path).unwrap()
    assert read(source) == [("line 3", {"id": "1", "text": "two\nlines"}), ("line 4", {"id": "2"}), ("line 5", None)]
    assert source.scan().rows == 3


def test_what_is_no_csv_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"never closed\n')
    with pytest.raises(OSError, match="this is no CSV"):
        source_of(path).unwrap().scan()


def test_parquet_rows_are_read_in_batches(tmp_path: Path) -> None:
    pyarrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    many = 2500
    table = pyarrow.table({"id": list(range(many)), "text": [None if n == 1 else f"t{n}" for n in range(many)]})
    parquet.write_table(table, path)
    source = source_of(path).unwrap()
    found = read(source)
    assert source.scan().rows == len(found) == many
    assert found[:2] == [("row 1", {"id": 0, "text": "t0"}), ("row 2", {"id": 1})]
    assert found[-1] == ("row 2500", {"id": 2499, "text": "t2499"})


def test_what_is_no_parquet_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("no parquet")
    with pytest.raises(OSError, match="no Parquet file"):
        source_of(path).unwrap().scan()


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    path.touch()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "aio-openrouter[parquet]" in str(source_of(path).failure())


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert "must be a file that is there" in str(source_of(tmp_path / "none.jsonl").failure())
