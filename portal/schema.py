"""The API's description (OpenAPI), from the routes and the documents of casework, with whole examples."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from casework import (
    break_glass,
    correction_documents,
    documents,
    legal_documents,
    radar_documents,
    restriction_documents,
    sample_documents,
)
from casework.document_parts import Document
from models.profile import Profile
from portal.examples import cast, in_area
from portal.problems import MEDIA_TYPE, Problem

_REF = "#/components/schemas/{model}"
_FORMS: tuple[type[BaseModel], ...] = (
    Problem,
    documents.ReferralDocument,
    legal_documents.CompletionDocument,
    legal_documents.OverrideDocument,
    correction_documents.CorrectionDocument,
    radar_documents.ContactDocument,
    documents.CauseDocument,
    documents.QualityDocument,
    restriction_documents.NamedDocument,
    restriction_documents.RemovedDocument,
    restriction_documents.WhyDocument,
    restriction_documents.InterestDocument,
    break_glass.BreakDocument,
    documents.EarlyEndDocument,
    documents.AcknowledgeDocument,
    documents.QuestionDocument,
    documents.ReturnDocument,
    documents.DeclineDocument,
    documents.DiscussionDocument,
    documents.ViewDocument,
    documents.DecisionDocument,
    documents.ToManagerDocument,
    documents.SendBackDocument,
    documents.ResolutionDocument,
    documents.StandsDocument,
    documents.SecondaryDocument,
    documents.ExtendDocument,
    documents.PauseDocument,
    documents.AcknowledgementDocument,
    documents.SecondFactorDocument,
    sample_documents.SampleDocument,
    sample_documents.LookDocument,
)
_REASONS = {
    400: "Not one JSON document: not UTF-8, a field twice, nested too deeply …",
    401: "No token, or one that stands for nobody",
    403: "This account may not do this",
    404: "There is no such thing, or this account may not know that there is: both look the same",
    409: "Not at this stage, or changed meanwhile: read it again",
    413: "More than 1 MiB",
    415: "Not sent as application/json",
    422: "Some fields are not acceptable; all of them are named",
    429: "Too many tries, or too many referrals opened in a short time: wait, then try again",
    500: "The hub's own fault; the log holds none of what was sent",
    503: "The record does not answer; nothing was saved: send it again after Retry-After seconds",
}
_ALWAYS = (401, 403, 500, 503)
_WITH_BODY = (400, 413, 415, 422)


def takes(kind: type[Document], *, examples: Mapping[str, Any], optional: bool = False) -> dict[str, Any]:
    """What a route says about the document it takes; `examples` are by name."""
    content = {
        "schema": {"$ref": _REF.format(model=kind.__name__)},
        "examples": {name: {"summary": _summary(name), "value": value} for name, value in examples.items()},
    }
    return {"requestBody": {"required": not optional, "content": {"application/json": content}}}


def refuses(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """What a route says about its problems: those of every route, and these."""
    problem = {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}}
    of_a_referral = (429,) if 404 in statuses else ()
    every = sorted({*_ALWAYS, *statuses, *of_a_referral, *(_WITH_BODY if body else ())})
    return {status: {"description": _REASONS[status], "content": problem} for status in every}


@cache
def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of this app."""
    described = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, tags=_TAGS
    )
    components = described.setdefault("components", {}).setdefault("schemas", {})
    kinds: list[tuple[type[BaseModel], Literal["validation"]]] = [(kind, "validation") for kind in _FORMS]
    _, schemas = models_json_schema(kinds, ref_template=_REF)
    components.update(schemas["$defs"])
    _drop_fastapi_errors(described, components)
    return described


def describe_in(app: FastAPI, profile: Profile) -> dict[str, Any]:
    """The same for one area: its own codes stand in the examples."""
    described, names = describe(app), cast(profile)
    paths = {
        path: {method: _in_area(operation, names) for method, operation in operations.items()}
        for path, operations in described["paths"].items()
    }
    return {**described, "paths": paths}


def _in_area(operation: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    taken = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    if "examples" not in taken:
        return operation
    content = {"application/json": {**taken, "examples": in_area(taken["examples"], names)}}
    return {**operation, "requestBody": {**operation["requestBody"], "content": content}}


def _drop_fastapi_errors(described: dict[str, Any], components: dict[str, Any]) -> None:
    """FastAPI announces an error form of its own, which this API never sends."""
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for operations in described["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]


def _summary(name: str) -> str:
    return name.replace("_", " ").capitalize()


_TAGS = [
    {"name": "Referrals", "description": "Sending a referral, following it, ending it early."},
    {"name": "Agency checks", "description": "What an agency is asked, and its return."},
    {"name": "Discussion and decision", "description": "The MASH team's part; only people with the MASH profile."},
    {"name": "Second looks", "description": "A dip sample of what was decided, looked at again without knowing that."},
    {"name": "Figures", "description": "What analysts count: codes, counts and times, and no way to a case."},
    {"name": "Outcome", "description": "What each duty team is told, and its acknowledgement."},
    {"name": "Service", "description": "This API itself."},
]
