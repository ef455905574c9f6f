"""What is left of a page on paper: all but what its styles hide there (S-26)."""

from __future__ import annotations

from html.parser import HTMLParser

_HIDDEN = "mash-noprint"
_WITHOUT_END = frozenset({"br", "hr", "img", "input", "link", "meta"})


class _Paper(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self._within = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        hidden = self._within or _HIDDEN in (given.get("class") or "").split()
        if hidden and tag not in _WITHOUT_END:
            self._within += 1
        if not hidden:
            self.text.append(given.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._within and tag not in _WITHOUT_END:
            self._within -= 1

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.text.append(data)


def on_paper(page: str) -> str:
    """The words and values that a page has on paper. An end left out would hide too much: pages have them all."""
    paper = _Paper()
    paper.feed(page)
    assert paper._within == 0
    return "\n".join(paper.text)
