"""The API does what its own description says, to whatever a program makes up from that description."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from portal.access import ACCESS
from portal.app import create_app
from rules.permissions import Role
from tests.portal.office import CHILDREN, Office
from tests.portal.people import prove

with warnings.catch_warnings():
    # It knows other clients than ours, and warns of their futures.
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
EXAMPLES = 20
ACCOUNT_OF = {role: role.value for role in Role} | {Role.DUTY_TEAM: CHILDREN, Role.AGENCY: "POLICE"}
ROUTES = sorted(route for route in ACCESS if " /api/" in route and not route.endswith("openapi.json"))


@pytest.fixture(scope="module")
def described(record: object) -> Any:
    return schemathesis.openapi.from_asgi("/api/v1/openapi.json", create_app(), headers={"Host": "127.0.0.1"})


@pytest.fixture(scope="module")
def references() -> dict[str, str]:
    return {}


@pytest.mark.parametrize("route", [*ROUTES, "GET /health", "GET /live"])
def test_the_api_answers_as_it_is_described(office: Office, described: Any, references: dict[str, str], route: str):
    """Issue 4: no 5xx, no violation of the schema, and the documented status codes are true"""
    method, _, path = route.partition(" ")
    if not references:
        references["real"] = office.refer_and_join()
    headers = {"Host": "127.0.0.1", **_credential(office, route)}

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=described[path][method].as_strategy())
    def holds(case: Any) -> None:
        if "reference" in (case.path_parameters or {}):
            case.path_parameters["reference"] = references["real"]
        case.call_and_validate(headers=headers, checks=CHECKS)

    holds()


def _credential(office: Office, route: str) -> dict[str, str]:
    """The token of a role that may call a route."""
    if (roles := ACCESS[route]) is None:
        return {}
    account = ACCOUNT_OF[max(roles)]
    prove(office.tokens[account])
    return {"Authorization": f"Bearer {office.tokens[account]}"}
