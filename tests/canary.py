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
from urllib.parse import quote, unquote_to_bytes

#: What all marks begin with: nothing that holds it is harmless.
CANARY = "kanarie"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){8,}")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
#: A line's end with what stands before the words of the next one: a time, a level, a name.
_TORN = re.compile(rb"\r?\n[0-9:.,\-T Z]*(?:\| *[A-Z]+ *\| *)?(?:[\w.]+ - )?")
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
        return {mark for mark in self.marks.values() if mark.lower() in _marks_of(raw)}


def _marks_of(raw: bytes) -> set[str]:
    shape = re.compile(rb"kanarie[a-z]+\d{3}x")
    return {each.decode() for form in forms(raw) for each in shape.findall(form.lower())}


def forms(raw: bytes, deep: int = _DEEP) -> Iterator[bytes]:
    """Some bytes as they are and read in other ways, and what is packed or encoded in each, again in every way."""
    for whole in (raw, *_read_otherwise(raw)):
        yield whole
        for inner in _encoded_in(whole) if deep else ():
            yield from forms(inner, deep - 1)


def _read_otherwise(raw: bytes) -> Iterator[bytes]:
    if b"%" in raw:
        yield from _changed(raw, unquote_to_bytes(raw))
    if b"&" in raw:
        yield from _changed(raw, html.unescape(raw.decode("latin-1")).encode("utf-8", "ignore"))
    if b"\\u" in raw or b"\\x" in raw:
        yield re.sub(rb"\\(?:u00|x)([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), raw)
    if b"\x00" in raw:
        yield raw.replace(b"\x00", b"")
    if b"\n" in raw:
        yield from (_TORN.sub(b"", raw), raw.replace(b"\n", b""))


def _encoded_in(raw: bytes) -> Iterator[bytes]:
    for found in _PACKED.finditer(raw):
        yield from _unpacked(raw[found.start() :])
    for piece in {found[0] for found in _HEX.finditer(raw)}:
        yield from _if_worth(binascii.unhexlify(piece))
    for piece in {found[0] for found in _BASE64.finditer(raw)}:
        yield from _from_base64(piece)


def _changed(raw: bytes, decoded: bytes) -> Iterator[bytes]:
    if decoded != raw:
        yield decoded


def _unpacked(packed: bytes) -> Iterator[bytes]:
    try:
        yield zlib.decompressobj(47).decompress(packed, 10_000_000)
    except zlib.error:
        return


def _from_base64(text: bytes) -> Iterator[bytes]:
    plain = text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    for offset in range(4):
        part = plain[offset:]
        yield from _if_worth(base64.b64decode(part[: len(part) // 4 * 4] + _rest(part)))


def _rest(part: bytes) -> bytes:
    rest = part[len(part) // 4 * 4 :]
    return b"" if len(rest) < 2 else rest.ljust(4, b"=")


def _if_worth(decoded: bytes) -> Iterator[bytes]:
    """Noise is not looked at again: only what holds the word, or may be packed or encoded once more."""
    flat = decoded.replace(b"\x00", b"").lower()
    if CANARY.encode() in flat or _PACKED.search(decoded) or (_is_text(decoded) and len(decoded) > 11):
        yield decoded


def _is_text(decoded: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in decoded)


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
