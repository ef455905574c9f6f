"""Checks an evidence pack, or a ledger file, with nothing but Python 3.9 or later and this file.

    python3 verify.py                     the pack that this file lies in
    python3 verify.py --key HEX           the same, and that it is signed with this public key
    python3 verify.py --ledger FILE       a ledger file alone
    python3 verify.py --ledger FILE --json

Exit code 0: everything is as it was written; 1: something is not, and the first such thing is named; 2: what was asked
for is not understood, and nothing was checked.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

FIELDS = {"reference", "number", "at", "actor", "act", "detail", "commitment", "previous", "digest"}
START = "0" * 64
LIMIT = 2**53
HEX = set("0123456789abcdef")
LETTERS = set("23456789BCDEFGHIJKLMNOPQRSTUVWXYZ")


class Wrong(ValueError):
    """Something is not as it was written."""


# --- the ledger ---


def frame(*parts: bytes) -> bytes:
    """Each part after its length in eight bytes."""
    out = bytearray()
    for part in parts:
        out += len(part).to_bytes(8, "big") + part
    return bytes(out)


def canon(value: Any) -> bytes:
    """Canonical JSON, as bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def sha(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def is_hex64(value: Any) -> bool:
    """Sixty-four lower-case hexadecimal digits."""
    return isinstance(value, str) and len(value) == 64 and set(value) <= HEX


def is_reference(value: Any) -> bool:
    """Four characters, a hyphen, four characters."""
    if not isinstance(value, str) or len(value) != 9 or value[4] != "-":
        return False
    return set(value[:4] + value[5:]) <= LETTERS


def is_whole(value: Any) -> bool:
    """A whole number that every JSON reader keeps exactly."""
    return isinstance(value, int) and not isinstance(value, bool) and -LIMIT < value < LIMIT


def is_clean(text: str) -> bool:
    """No half of a surrogate pair."""
    return all(not 0xD800 <= ord(character) <= 0xDFFF for character in text)


def is_label(value: Any) -> bool:
    """1 to 60 characters."""
    return isinstance(value, str) and 1 <= len(value) <= 60 and is_clean(value)


def is_time(value: Any) -> bool:
    """A moment in UTC with microseconds."""
    if not isinstance(value, str) or len(value) != 32 or not value.endswith("+00:00") or not value.isascii():
        return False
    try:
        return datetime.fromisoformat(value[:26]).isoformat(timespec="microseconds") == value[:26]
    except ValueError:
        return False


def is_data(value: Any, left: int) -> bool:
    """What `detail` may hold, so many levels deep."""
    if value is None or isinstance(value, bool) or is_whole(value):
        return True
    if isinstance(value, str):
        return is_clean(value)
    if isinstance(value, list):
        return left > 0 and all(is_data(each, left - 1) for each in value)
    if isinstance(value, dict):
        return left > 0 and all(is_clean(key) and is_data(each, left - 1) for key, each in value.items())
    return False


def read_entry(line: bytes) -> dict[str, Any] | None:
    """The entry that a line holds; None when it holds none."""
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line[:-1].decode("ascii"))
        if not isinstance(entry, dict) or set(entry) != FIELDS or canon(entry) != line[:-1]:
            return None
    except (ValueError, RecursionError):
        return None
    right = (
        is_reference(entry["reference"])
        and is_whole(entry["number"])
        and entry["number"] >= 1
        and is_time(entry["at"])
        and is_label(entry["actor"])
        and is_label(entry["act"])
        and isinstance(entry["detail"], dict)
        and is_data(entry["detail"], 16)
        and (entry["commitment"] == "" or is_hex64(entry["commitment"]))
        and is_hex64(entry["previous"])
        and is_hex64(entry["digest"])
    )
    return entry if right else None


def entry_digest(entry: dict[str, Any]) -> str:
    """What an entry's digest has to be."""
    parts = ["mash-ledger-2", entry["reference"], str(entry["number"]), entry["at"], entry["actor"], entry["act"]]
    parts += [canon(entry["detail"]).decode("ascii"), entry["commitment"], entry["previous"]]
    return sha(frame(*(part.encode("utf-8") for part in parts)))


def check_ledger(lines: Iterable[bytes]) -> tuple[list[dict[str, Any]], tuple[str, int] | None]:
    """(entries, None) for a ledger that is whole, or (entries before it, (reference, number)) of the first fault."""
    reference, number, digest = "", 0, START
    seen: list[dict[str, Any]] = []
    for line in lines:
        entry = read_entry(line)
        if entry is None or entry["reference"] < reference:
            return seen, (reference, number + 1)
        if entry["reference"] > reference:
            reference, number, digest = entry["reference"], 0, START
        follows = entry["number"] == number + 1 and entry["previous"] == digest
        if not follows or entry["digest"] != entry_digest(entry):
            return seen, (reference, number + 1)
        number, digest = entry["number"], entry["digest"]
        seen.append(entry)
    return seen, None


# --- Ed25519, checking only: RFC 8032, section 5.1.7 ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
#: X, Y, Z and T, in extended coordinates.
Point = tuple[int, int, int, int]
ROOT = pow(2, (P - 1) // 4, P)


def point_add(a: Point, b: Point) -> Point:
    """The sum of two points in extended coordinates."""
    low = (a[1] - a[0]) * (b[1] - b[0]) % P
    high = (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, double = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = high - low, double - cross, double + cross, high + low
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_times(scalar: int, point: Point) -> Point:
    """A multiple of a point."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = point_add(total, point)
        point, scalar = point_add(point, point), scalar >> 1
    return total


def point_from(data: bytes) -> Point:
    """The point that 32 bytes stand for. Raises ValueError."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if len(data) != 32 or y >= P:
        raise ValueError
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        raise ValueError
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_from((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether this is the signature of that message under this public key."""
    try:
        key, r, s = point_from(public), point_from(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if len(signature) != 64 or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = point_times(s, BASE), point_add(r, point_times(h, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- the pack ---


def check_pack(folder: Path, trusted: str | None) -> Iterator[str]:
    """Sentences that say what was found. Raises Wrong."""
    try:
        raw = (folder / "manifest.json").read_bytes()
        manifest = json.loads(raw)
        files, public = dict(manifest["files"]), bytes.fromhex(manifest["public_key"])
        signature = bytes.fromhex((folder / "manifest.sig").read_text(encoding="ascii").strip())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise Wrong("manifest.json or manifest.sig cannot be read") from None
    if not is_signed(public, frame(b"mash-pack-1", raw), signature):
        raise Wrong("manifest.sig is not a signature of manifest.json under the key that it names")
    if trusted and trusted != public.hex():
        raise Wrong("the pack is signed with another key than the one you trust")
    for name, wanted in sorted(files.items()):
        check_file(folder, name, wanted)
    yield f"{len(files)} files are those of the manifest, and the manifest is signed with {public.hex()}."
    if besides := sorted({each.name for each in folder.iterdir()} - {*files, "manifest.json", "manifest.sig"}):
        yield f"Not of the pack, and so not checked: {', '.join(besides)}."
    if not trusted:
        yield "Whose key that is this file cannot know: compare it with the one that the hub publishes."
    yield from check_words(folder)


def check_file(folder: Path, name: Any, wanted: Any) -> None:
    """A file of the manifest is there, and is what it was."""
    if not isinstance(name, str) or Path(name).name != name:
        raise Wrong("the manifest names a file outside the pack")
    try:
        found = sha((folder / name).read_bytes())
    except OSError:
        raise Wrong(f"{name} is missing") from None
    if found != wanted:
        raise Wrong(f"{name} is not the file of the manifest")


def check_words(folder: Path) -> Iterator[str]:
    """The ledger is whole, and what is given as content is what its entries are committed to."""
    with (folder / "ledger.jsonl").open("rb") as lines:
        entries, fault = check_ledger(lines)
    if fault:
        raise Wrong(f"ledger.jsonl: entry {fault[1]} of {fault[0] or 'the file'} is broken")
    yield f"The ledger is whole: {len(entries)} entries."
    committed = {entry["number"]: entry["commitment"] for entry in entries if entry["commitment"]}
    shown = 0
    for line in (folder / "contents.jsonl").read_text(encoding="utf-8").split("\n")[:-1]:
        try:
            given = json.loads(line)
            found = sha(frame(b"mash-content-1", bytes.fromhex(given["salt"]), given["content"].encode("utf-8")))
            number = given["number"]
            right = committed.get(number) == found
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Wrong("contents.jsonl: a line is not readable") from None
        if not right:
            raise Wrong(f"contents.jsonl: what is given for entry {number} is not what was written")
        shown += 1
    yield f"{shown} of {len(committed)} contents are given, and each is what its entry is committed to."


def public_key(text: str) -> str:
    """A public key as it is typed. Raises ArgumentTypeError."""
    key = text.strip().lower()
    if not is_hex64(key):
        raise argparse.ArgumentTypeError("a public key has 64 hexadecimal digits")
    return key


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--key", type=public_key, metavar="HEX", help="the public key that it must be signed with")
    parser.add_argument("--ledger", metavar="FILE", help="check a ledger file alone")
    parser.add_argument("--json", action="store_true", help="answer in JSON, of a ledger file")
    options = parser.parse_args(arguments)
    if options.ledger:
        with open(options.ledger, "rb") as lines:
            entries, fault = check_ledger(lines)
        if options.json:
            print(json.dumps({"whole": fault is None, "entries": len(entries), "fault": fault}))
        else:
            print(f"Broken: {fault[0] or 'the file'}, entry {fault[1]}" if fault else f"Whole: {len(entries)} entries")
        return 1 if fault else 0
    try:
        for sentence in check_pack(Path(__file__).resolve().parent, options.key):
            print(sentence)
    except Wrong as wrong:
        print(f"NOT as it was written: {wrong}")
        return 1
    print("Everything is as it was written.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
