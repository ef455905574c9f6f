"""Reading a JSON document strictly: what two systems could read in two ways is refused."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import ValidationError

from casework.document_parts import Document
from casework.field_errors import field_errors
from portal.problems import BadDocument
from rules.errors import FieldError, NotAcceptable

MOST_NESTED = 50

D = TypeVar("D", bound=Document)


async def _raw(request: Request) -> bytes:
    return await request.body()


#: A request's body as it came, at most as large as the guards let in.
Body = Annotated[bytes, Depends(_raw)]


def parse(body: bytes) -> Any:
    """The JSON value that a body holds.

    Raises BadDocument for anything but one UTF-8 JSON value, without double names, not nested too deeply;
    NotAcceptable for text that cannot be stored.
    """
    if not body.strip():
        raise BadDocument("The document is missing: send it as JSON.")
    try:
        value = json.loads(
            body.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_constant, parse_float=_finite
        )
    except UnicodeDecodeError:
        raise BadDocument("The document is not UTF-8 text.") from None
    except RecursionError:
        raise BadDocument(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise BadDocument(f"The document is not JSON: see line {error.lineno}, column {error.colno}.") from None
    except ValueError:
        raise BadDocument("The document holds a number that is too long.") from None
    if bad := list(_unstorable(value)):
        raise NotAcceptable(*bad)
    return value


def read(body: bytes, kind: type[D], *, optional: bool = False) -> D:
    """A body as a document of a kind; with `optional`, no body is an empty document. Raises as `parse` does."""
    return read_value({} if optional and not body.strip() else parse(body), kind)


def read_value(value: Any, kind: type[D]) -> D:
    """A JSON value as a document of a kind. Raises NotAcceptable with every bad field."""
    storable(value)
    try:
        return kind.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise NotAcceptable(*field_errors(error)) from None


def storable(value: Any) -> Any:
    """The same JSON value. Raises NotAcceptable for text that cannot be stored."""
    if bad := list(_unstorable(value)):
        raise NotAcceptable(*bad)
    return value


def expect_nothing(body: bytes) -> None:
    """For acts that need no document: there is none, or an empty one. Raises as `parse` does."""
    read(body, Document, optional=True)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadDocument("The document gives the same field twice.")
    return found


def _no_constant(_: str) -> float:
    raise BadDocument("The document holds NaN or Infinity, which are not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isfinite(number):
        return number
    raise BadDocument("The document holds a number that is too large.")


_TOO_DEEP = f"The document is nested more than {MOST_NESTED} deep."


def _unstorable(value: Any) -> Iterator[FieldError]:
    """Where text holds a NUL or half a character. Raises BadDocument when it is nested too deeply."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 0)]
    while waiting:
        node, pointer, depth = waiting.pop()
        if depth > MOST_NESTED:
            raise BadDocument(_TOO_DEEP)
        if isinstance(node, str) and not _storable(node):
            yield FieldError(pointer, "holds characters that cannot be stored")
        elif isinstance(node, dict):
            if not all(map(_storable, node)):
                yield FieldError(pointer, "has a field whose name holds characters that cannot be stored")
            waiting.extend((node[key], f"{pointer}/{_escaped(key)}", depth + 1) for key in node if _storable(key))
        elif isinstance(node, list):
            waiting.extend((item, f"{pointer}/{number}", depth + 1) for number, item in enumerate(node))


def _storable(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
