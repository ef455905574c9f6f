"""What the README promises a newcomer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from casework.documents import ReferralDocument
from models.settings import HOUSE

README = (HOUSE / "README.md").read_text(encoding="utf-8")


def _names(schema: dict[str, Any]) -> set[str]:
    """Every field of a document and of the documents in it."""
    parts = [schema, *schema.get("$defs", {}).values()]
    return {name for part in parts for name in part.get("properties", {})}


@pytest.mark.parametrize("field", sorted(_names(ReferralDocument.model_json_schema())))
def test_the_readme_names_every_field_of_a_referral(field: str) -> None:
    """A newcomer writes a referral from the README alone"""
    assert f"`{field}`" in README


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_each_link_of_the_readme_leads_somewhere(link: str) -> None:
    """So that nobody is sent to a page that is not there"""
    assert (HOUSE / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z]+)`", README))))
def test_each_command_of_the_readme_is_in_the_makefile(target: str) -> None:
    """The two promises"""
    assert re.search(rf"^{target}:", (HOUSE / "Makefile").read_text(), re.MULTILINE)


def test_the_readme_and_the_demo_agree_on_the_number_of_scenarios() -> None:
    """Honest figures"""
    from tests.scenarios.pack import PACK

    assert ("plays thirteen real cases" in README) == (len(PACK) == 13)


@pytest.mark.parametrize("file", ["child.json", "adult.json", "joint.json"])
def test_the_examples_are_referrals(file: str) -> None:
    """R01-R08"""
    document = json.loads((HOUSE / "docs" / "examples" / file).read_text())
    assert ReferralDocument.model_validate_json(json.dumps(document), strict=True)
