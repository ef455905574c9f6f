"""Finds marked words wherever they hide: escaped, encoded, packed, or torn in two (reliability §4.4)."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import itertools
import json
import pickle
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import quote, unquote_to_bytes

#: What all marks begin with: nothing that holds it is harmless.
CANARY = "kanarie"
#: A mark in small letters, as it is looked for.
_MARK = re.compile(CANARY.encode() + rb"[a-z]+\d{3}x")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_HEX = re.compile(rb"[0-9A-Fa-f]{16,}")
#: Ids and sealed columns: in base64 these letters alone write no mark, nothing packed, and no base64 of either.
_IN_HEX_ALONE = re.compile(rb"x?[0-9a-f-]+")
_PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
#: A line's end with what stands before the words of the next one: a time, a level, a name.
_TORN = re.compile(rb"\r?\n[0-9:.,\-T Z]*(?:\| *[A-Z]+ *\| *)?(?:[\w.]+ - )?")
#: Lines that end within something, with the line after them: no mark, and no encoded piece, goes over other line ends.
_GOING_ON = re.compile(rb"(?m)^(?:[^\n]*[\w+/=-]\r?\n\s*)+[^\n]*")
_DEEP = 4


class Aviary:
    """Hands out marks that occur nowhere else, by the place that each is for."""

    def __init__(self, flock: str = "a") -> None:
        self._flock, self._number = flock, itertools.count()
        self.marks: dict[str, str] = {}

    def __call__(self, place: str = "") -> str:
        number = next(self._number)
        mark = f"{CANARY.title()}{self._flock}{number:03d}x"
        self.marks[place or str(number)] = mark
        return mark

    @property
    def birds(self) -> list[str]:
        """Every mark handed out."""
        return list(self.marks.values())

    def found_in(self, raw: bytes) -> set[str]:
        """The marks that are in some bytes, in any form."""
        there = Scan().marks_in(raw)
        return {mark for mark in self.marks.values() if mark.lower() in there}


class Scan:
    """One search, in which every distinct piece is decoded once, wherever and however often it stands."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()

    def marks_in(self, raw: bytes) -> set[str]:
        """The marks in some bytes, in small letters: as they are, read in other ways, and in what is encoded there.

        What was packed or encoded is searched in every way again, level by level.
        """
        found: set[str] = set()
        level = {raw}
        for deep in range(_DEEP + 1):
            inner: set[bytes] = set()
            for whole in itertools.chain.from_iterable(map(_readings, level)):
                found |= {mark.decode() for mark in _MARK.findall(whole.lower())}
                if deep < _DEEP:
                    inner.update(_unpacked_in(whole))
                inner.update(itertools.chain.from_iterable(map(_worth_a_look, self._decoded_in(whole))))
            level = inner
        return found

    def _decoded_in(self, raw: bytes) -> Iterator[bytes]:
        pieces = set(_BASE64.findall(raw)) - self._known
        self._known |= pieces
        for piece in pieces:
            for digits in _HEX.findall(piece):
                yield binascii.unhexlify(digits[: len(digits) // 2 * 2])
            if not _IN_HEX_ALONE.fullmatch(piece):
                yield from _from_base64(piece)


def _readings(raw: bytes) -> Iterator[bytes]:
    """Some bytes as they are; without escapes, without the other half of UTF-16, and with torn lines mended."""
    yield raw
    if b"%" in raw:
        yield unquote_to_bytes(_lines_with(b"%", raw))
    if b"&" in raw:
        yield html.unescape(_lines_with(b"&", raw).decode("latin-1")).encode("utf-8", "ignore")
    if b"\\u" in raw or b"\\x" in raw:
        escaped = _lines_with(b"\\", raw)
        yield re.sub(rb"\\(?:u00|x)([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), escaped)
    if b"\x00" in raw:
        yield raw.replace(b"\x00", b"")
    if torn := b"\n\n".join(_GOING_ON.findall(raw)):
        yield from (_TORN.sub(b"", torn), torn.replace(b"\r", b"").replace(b"\n", b""))


def _lines_with(sign: bytes, raw: bytes) -> bytes:
    """No escape goes over the end of a line, and lines without any have been read as they are."""
    return b"\n".join(line for line in raw.split(b"\n") if sign in line)


def _unpacked_in(raw: bytes) -> Iterator[bytes]:
    for found in _PACKED.finditer(raw):
        with suppress(zlib.error):
            yield zlib.decompressobj(47).decompress(memoryview(raw)[found.start() :], 10_000_000)


def _from_base64(text: bytes) -> Iterator[bytes]:
    plain = text.translate(bytes.maketrans(b"-_", b"+/"))
    for offset in range(4):
        part = plain[offset:]
        yield base64.b64decode(part[: len(part) // 4 * 4] + _rest(part))


def _rest(part: bytes) -> bytes:
    rest = part[len(part) // 4 * 4 :]
    return b"" if len(rest) < 2 else rest.ljust(4, b"=")


def _worth_a_look(decoded: bytes) -> Iterator[bytes]:
    """What holds the word, or may be encoded once more; of noise, what is packed in it."""
    is_text = len(decoded) > 11 and not decoded.translate(None, _PRINTABLE)
    if is_text or CANARY.encode() in decoded.replace(b"\x00", b"").lower():
        yield decoded
    else:
        yield from _unpacked_in(decoded)


#: Every form in which the scan must find a word, by what hides it.
DISGUISES: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "in capitals": lambda word: word.upper().encode(),
    "in a URL": lambda word: "".join(f"%{byte:02X}" for byte in word.encode()).encode(),
    "quoted": lambda word: quote(f"<{word}>").encode(),
    "in HTML": lambda word: "".join(f"&#{ord(letter)};" for letter in word).encode(),
    "in JSON": lambda word: "".join(f"\\u{ord(letter):04x}" for letter in word).encode(),
    "JSON in JSON": lambda word: json.dumps(json.dumps({"name": f"«{word}»"})).encode(),
    "UTF-16": lambda word: word.encode("utf-16-le"),
    "UTF-16, the other way": lambda word: word.encode("utf-16-be"),
    "base64": lambda word: base64.b64encode(word.encode()),
    "base64, one on": lambda word: base64.b64encode(b"a" + word.encode()),
    "base64, two on": lambda word: base64.b64encode(b"ab" + word.encode()),
    "base64 for URLs": lambda word: base64.urlsafe_b64encode(b"\xff\xfe" + word.encode() + b"\xfb"),
    "pickle": lambda word: pickle.dumps({"subject": word}),
    "base64 of a pickle": lambda word: base64.b64encode(pickle.dumps({"subject": word})),
    "gzip": lambda word: gzip.compress(word.encode()),
    "zlib": lambda word: zlib.compress(word.encode()),
    "base64 of gzip": lambda word: base64.b64encode(gzip.compress(word.encode() * 3)),
    "hex": lambda word: word.encode().hex().encode(),
    "hex of UTF-16": lambda word: word.encode("utf-16-le").hex().upper().encode(),
    "over two lines": lambda word: f"{word[:9]}\n{word[9:]}".encode(),
    "over two lines of a log": lambda word: (
        f"12:00:01 | INFO | {word[:9]}\n12:00:01.123 | INFO    | prefect.flow_runs - {word[9:]}".encode()
    ),
    "family name first": lambda word: f"Ashdown, {word}".encode(),
}
