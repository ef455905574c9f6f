"""Charts say in words what they draw, and files hold nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest

from models.profile import load_profile
from models.settings import HOUSE
from reports.charts import Estimate, Share, bullet_bars, estimate_chart, limits, out_of_limits, run_chart
from reports.export import Form, as_file

AREAS = HOUSE / "profiles"
STEADY = [Share(f"M{number}", 10, 100) for number in range(11)]


def test_control_limits_are_those_of_a_p_chart():
    """R25: mean 0.1 of 100 each: three sigma are 0.09"""
    found = limits(STEADY)
    assert found is not None
    assert found.centre == pytest.approx(0.1)
    assert found.bounds[0] == (pytest.approx(0.01), pytest.approx(0.19))


def test_only_a_point_that_chance_does_not_explain_is_beyond_the_limits():
    """R25"""
    assert out_of_limits(STEADY) == []
    assert out_of_limits([*STEADY, Share("bad", 40, 100)]) == ["bad"]
    assert out_of_limits([*STEADY, Share("few", 2, 5), Share("none", 0, 0)]) == []


def test_a_chart_says_in_words_what_it_draws():
    """WCAG 1.1.1, 1.4.1"""
    chart = run_chart([*STEADY, Share("bad", 40, 100)], "Breach rate", "run")
    assert chart is not None
    assert "bad: 40.0% of 100" in chart.words
    assert "Beyond the control limits: bad" in chart.words
    assert [shape.tag for shape in chart.shapes].count("rect") == 1
    bars = bullet_bars([Share("Police", 1, 4)], 0.5, "On time", "bars")
    assert bars.words == "Police: 25.0% of 4"
    assert "25% of 4" in {shape.words for shape in bars.shapes}


@pytest.mark.parametrize(
    "name",
    [
        agency.names[-1].name
        for area in ("bnes", "front-door")
        for agency in load_profile(AREAS / f"{area}.toml").agencies
    ],
)
def test_a_bar_has_the_whole_name_of_its_agency(name: str):
    """R25: two councils' services that begin alike were one, shortened"""
    shapes = bullet_bars([Share(name, 1, 4)], None, "On time", "bars").shapes
    assert " ".join(shape.words for shape in shapes if shape.tag == "text") == f"{name} 25% of 4"


def test_a_number_with_its_interval_says_both_in_words():
    """R63, WCAG 1.1.1: a quarter in which it cannot be told is left out of the drawing alone"""
    chart = estimate_chart(
        [Estimate("Q1", (0.4, -0.2, 0.7)), Estimate("Q2", None), Estimate("Q3", (0.6, 0.5, 0.8))], "Agreement", "alpha"
    )
    assert chart is not None
    assert chart.words == "Q1: 0.40, between -0.20 and 0.70; Q2: cannot be told; Q3: 0.60, between 0.50 and 0.80"
    assert [shape.tag for shape in chart.shapes].count("circle") == 2
    # An interval that goes below nothing makes the axis go there too.
    assert {"-1", "0", "1", "Q1", "Q2", "Q3", "median"} <= {shape.words for shape in chart.shapes}
    assert estimate_chart([Estimate("Q1", None)], "Agreement", "alpha") is None


def test_nothing_counted_draws_nothing():
    """R25"""
    assert run_chart([], "Breach rate", "run") is None
    assert limits([Share("none", 0, 0)]) is None


COLUMNS = ("what", "number", "day", "at")
ROWS = [
    *((f"{sign}HYPERLINK(1)", 1, None, None) for sign in "=+-@\t\r"),
    ("plain", -3, date(2026, 3, 16), datetime(2026, 3, 16, 10, tzinfo=UTC)),
]


def test_no_cell_of_a_csv_file_begins_a_formula():
    """R25: OWASP, CSV injection"""
    read = list(csv.reader(io.StringIO(as_file(Form.CSV, COLUMNS, ROWS).decode(), newline="")))
    assert read[0] == list(COLUMNS)
    assert not [row[0] for row in read if row[0].startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert read[-1] == ["plain", "-3", "2026-03-16", "2026-03-16T10:00:00+00:00"]


def test_an_excel_file_holds_words_and_numbers_and_no_formula():
    """R25"""
    with zipfile.ZipFile(io.BytesIO(as_file(Form.XLSX, COLUMNS, ROWS))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        words = book.read("xl/sharedStrings.xml").decode()
    assert "<f>" not in sheet
    assert "<t>=" not in words
    assert "'=HYPERLINK(1)" in words


def test_a_parquet_file_keeps_the_types():
    """R25"""
    table = pq.read_table(io.BytesIO(as_file(Form.PARQUET, COLUMNS, ROWS)))
    assert table.column("number").to_pylist() == [1] * 6 + [-3]
    assert table.column("day").to_pylist()[-1] == date(2026, 3, 16)
    assert as_file(Form.PARQUET, COLUMNS, [])
