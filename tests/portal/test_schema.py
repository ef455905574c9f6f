"""The API describes itself so that a newcomer can use it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from models.profile import load_profile
from models.settings import HOUSE
from portal import examples
from portal.access import ACCESS
from portal.app import create_app
from portal.schema import describe_in
from rules.people import is_nhs_number
from tests.portal.office import Office


@pytest.fixture
def described(office: Office) -> dict[str, Any]:
    """The OpenAPI document, as anybody may read it."""
    found: dict[str, Any] = office.client.get("/api/v1/openapi.json").json()
    return found


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def test_every_route_is_described_with_its_credential_and_its_problems(described: dict[str, Any]) -> None:
    """R01"""
    found = operations(described)
    api = {route for route in ACCESS if " /api/" in route} | {"GET /health", "GET /live"}
    assert api - set(found) == {"GET /api/v1/openapi.json"}
    for route, operation in found.items():
        assert operation["summary"], route
        assert operation["description"], route
        if ACCESS[route] is None:
            continue
        assert operation["security"] == [{"token": []}], route
        assert {"401", "403", "503"} <= set(operation["responses"]), route
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], (route, status)
        if route.startswith("POST") and not route.endswith(("discuss-now", "resume", "chase")):
            assert operation["requestBody"]["content"]["application/json"]["examples"], route
    assert described["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_every_reference_in_the_description_leads_somewhere(described: dict[str, Any]) -> None:
    """R01"""
    schemas = described["components"]["schemas"]
    names = {part.partition('"')[0] for part in json.dumps(described).split("#/components/schemas/")[1:]}
    assert names <= set(schemas)
    assert "HTTPValidationError" not in schemas


def test_the_example_files_are_the_described_examples(described: dict[str, Any]) -> None:
    """R01"""
    body = operations(described)["POST /api/v1/referrals"]["requestBody"]["content"]["application/json"]
    for name, example in examples.REFERRALS.items():
        assert body["examples"][name]["value"] == example
        assert json.loads((HOUSE / "docs" / "examples" / f"{name}.json").read_text()) == example


def test_another_areas_description_speaks_in_its_own_codes() -> None:
    """R70: an example that the hub itself would refuse helps nobody"""
    area = load_profile(HOUSE / "profiles" / "front-door.toml")
    examples_of = {
        route: operation["requestBody"]["content"]["application/json"]["examples"]
        for route, operation in operations(describe_in(create_app(), area)).items()
        if "examples" in operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    }
    sent = [example["value"] for example in examples_of["POST /api/v1/referrals"].values()]
    assert [document["duty_team"] for document in sent] == ["CHILDREN_DESK", "ADULTS_DESK", "CHILDREN_DESK"]
    assert {document["concern"]["urgency"] for document in sent} == {"AMBER"}
    foreign = {agency.code for agency in load_profile(HOUSE / "profiles" / "bnes.toml").agencies} - set(
        area.codes["outcome"]
    )
    assert not foreign & set(re.findall(r'"([A-Z_]+)"', json.dumps(examples_of)))


def test_nobody_in_the_examples_could_exist() -> None:
    """R51"""
    people = [person for example in examples.REFERRALS.values() for person in example["subjects"]]
    for person in people:
        assert person["family_name"].startswith("Test")
        assert person["nhs_number"].startswith("999")
        assert is_nhs_number(person["nhs_number"])
    assert len({person["nhs_number"] for person in people}) == len(people)


def test_the_example_return_discussion_view_and_decision_are_accepted(office: Office) -> None:
    """R18, R34, R35, R37"""
    reference = office.refer_and_ask(examples.CHILD)
    path = f"/referrals/{reference}"
    assert office.post("POLICE", f"{path}/check/return", examples.RETURN).status_code == 200
    assert office.post("MENTAL_HEALTH", f"{path}/check/return", examples.NOTHING_KNOWN).status_code == 200
    assert office.post("MASH_SUPPORT", f"{path}/discuss-now").status_code == 200
    assert office.post("MASH_SUPPORT", f"{path}/discussions", examples.DISCUSSION).status_code == 200
    assert office.post("MENTAL_HEALTH", f"{path}/views", examples.VIEW).status_code == 204
    version = office.get("DECISION_MAKER", path).json()["version"]
    signed = office.post("DECISION_MAKER", f"{path}/decisions", {**examples.DECISION, "version_seen": version})
    assert signed.status_code == 200, signed.text
