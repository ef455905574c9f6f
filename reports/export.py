"""Figures as a file: CSV, XLSX and Parquet. What a file holds is data, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

#: What makes a spreadsheet take text for a formula: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Form(StrEnum):
    """The forms of a file, by the ends of their names."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"


#: What a browser is told each one is.
MEDIA_TYPES = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Form.PARQUET: "application/vnd.apache.parquet",
}


def as_file(form: Form, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """The rows under the names of their columns. Times are in UTC; what is not there is empty."""
    plain = [[_plain(value) for value in row] for row in rows]
    return {Form.CSV: _csv, Form.XLSX: _xlsx, Form.PARQUET: _parquet}[form](columns, plain)


def inert(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, with an apostrophe before it; all else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return str(value) if isinstance(value, StrEnum) else value


def _csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_in_iso(inert(value)) for value in row] for row in rows)
    return written.getvalue().encode()


def _xlsx(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    made = io.BytesIO()
    as_words = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(made, {"in_memory": True, **as_words}) as book:
        sheet = book.add_worksheet("Figures")
        sheet.freeze_panes(1, 0)
        for number, row in enumerate([columns, *rows]):
            for place, value in enumerate(row):
                if isinstance(value, str):
                    sheet.write_string(number, place, inert(value))
                elif value is not None:
                    sheet.write(number, place, _in_iso(value))
        sheet.autofit()
    return made.getvalue()


def _parquet(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    made = pa.BufferOutputStream()
    held = zip(*rows, strict=True) if rows else [[] for _ in columns]
    pq.write_table(pa.table({name: list(values) for name, values in zip(columns, held, strict=True)}), made)
    content: bytes = made.getvalue().to_pybytes()
    return content


def _in_iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime) else value
