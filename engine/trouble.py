"""What may be said of an error that nobody foresaw."""

from __future__ import annotations

import sys


def kind_of_error() -> str:
    """The kind and the place of the error being handled. Never its text, which may hold content (reliability §0.4)."""
    kind, _, trace = sys.exc_info()
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
    return f"{kind.__name__ if kind else 'error'}{where}"
