"""A board's pack as a PDF that a screen reader can read (R60)."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

_PAGE = Path(__file__).resolve().parent / "pack.typ"


def as_pdf(content: dict[str, Any], *, made_at: datetime) -> bytes:
    """The pack's content, tagged (PDF/UA-1); `made_at` is the date it bears, in the area's zone."""
    data = {"data": json.dumps({**content, "made": f"{made_at:%-d %B %Y}"}, ensure_ascii=False)}
    pdf = typst.compile(
        _PAGE.read_bytes(), format="pdf", sys_inputs=data, ignore_system_fonts=True,
        timestamp=int(made_at.timestamp()), pdf_standards="ua-1",
    )  # fmt: skip
    return bytes(pdf)
