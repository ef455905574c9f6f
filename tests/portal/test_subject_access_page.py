"""The pages of a subject access request: its clock, the hold, and the export (S-28)."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

from portal.examples import CHILD
from tests.portal.office import Office
from tests.portal.people import at_their_desk, prove

HOME = "/subject-access"


def test_a_request_is_entered_held_and_answered(office: Office, client: Any):
    """S-28, S-16: and the export asks for the second factor again"""
    reference = office.refer_and_ask(CHILD)
    lead = at_their_desk(client, "IG_LEAD")
    form = {
        "reference": reference, "subject": "S1", "received_on:date.day": "2", "received_on:date.month": "3",
        "received_on:date.year": "2026",
    }  # fmt: skip
    for missing in ("reference", "subject", "received_on:date.day"):
        answer = lead.send(HOME, {key: value for key, value in form.items() if key != missing})
        assert (answer.status_code, f'href="#{missing.partition(":")[0]}"' in answer.text) == (422, True)
    assert lead.send(HOME, form | {"subject": "S9"}).status_code == 409
    page = lead.send(HOME, form).headers["location"].partition("?")[0]
    assert "2 April 2026" in lead.get(page).text
    assert "Overdue" in lead.get(HOME).text
    assert lead.send(f"{page}/hold", {"reason": ""}, page=page).status_code == 422
    lead.send(f"{page}/hold", {"reason": "He would find her."}, page=page)
    assert "He would find her." in lead.get(page).text
    prove(*lead.cookies.values(), ago=timedelta(hours=1))
    assert lead.post(f"{page}/export").headers.get("location", "").startswith("/step-up")
    prove(*lead.cookies.values())
    assert lead.post(f"{page}/export").status_code == 409
    lead.send(f"{page}/lift", page=page)
    answer = lead.send(f"{page}/export", page=page)
    assert answer.headers["content-type"] == "application/zip"
    given = zipfile.ZipFile(io.BytesIO(answer.content))
    assert CHILD["subjects"][0]["given_name"] in given.read(f"subject-access-{reference}-S1.html").decode()
    assert "Made last on" in lead.get(page).text
