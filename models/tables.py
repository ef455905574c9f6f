"""Every table of the record, imported so that their metadata is complete."""

from __future__ import annotations

from sqlmodel import SQLModel

from models import (
    account,
    agency,
    agreement,
    alarm,
    board_pack,
    break_glass,
    check,
    decision,
    feedback,
    ledger,
    moves,
    outbox,
    radar,
    referral,
    restriction,
    retention,
    second_look,
    signin,
    subject_access,
    wake,
)  # fmt: skip

METADATA = SQLModel.metadata
ROOMS = (
    account, agency, agreement, alarm, board_pack, break_glass, check, decision, feedback, ledger, moves, outbox, radar,
    referral, restriction, retention, second_look, signin, subject_access, wake,
)  # fmt: skip
