"""`mash doctor` finds what is wrong, each fault alone, and says what to type (issue 7 item 3)."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import WorkPoolStatus
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    temporary_settings,
)
from sqlmodel import select

from casework import agreements, checkpoints, post
from casework.db import real_time
from casework.register import current_profile
from casework.repairs import take_turn
from engine.doctor import runs
from engine.doctor.examine import beside_the_engine, this_machine
from engine.doctor.findings import Finding, Health, worst
from engine.doctor.runs import engine
from engine.rounds import MINUTE
from engine.runs import POOL
from engine.stack import Stack
from models.agreement import SharingAgreement
from rules.chain import Head
from tests.casework.factory import ADMINISTRATOR, OPERATOR, act, ask, open_hub, refer
from tests.engine.conftest import wait_for
from tests.notifications.post import working_postman
from tests.record import Record, forget_settings

#: The flow that the tests' engine runs.
STAND_IN = "patient/mash"
SIGNING = base64.b64encode(bytes(range(32))).decode()


@dataclass
class Patient:
    """A hub that is well, and a fault to plant in it."""

    record: Record
    folder: Path
    lasting: ExitStack
    megabytes: int = 0
    clock: Callable[[], datetime] = this_machine

    @property
    def keys(self) -> Path:
        """The file of sealing keys."""
        return self.folder / "keys"

    @property
    def anchor(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "checkpoints"

    def set(self, **settings: str) -> None:
        """Settings of this process, until the test is over."""
        os.environ.update(settings)
        forget_settings()

    def owner(self, statement: str, afterwards: str = "") -> None:
        """What only the owner of the tables can do to them; and what undoes it where no test empties."""
        with self.record.as_owner() as connection:
            connection.execute(statement.encode())
        if afterwards:
            self.lasting.callback(self.owner, afterwards)

    def app(self, statement: str) -> None:
        """What the hub's own role can do."""
        with self.record.as_app() as connection:
            connection.execute(statement.encode())

    def sign(self, *more: Head) -> None:
        """A checkpoint of every chain as it stands, and of more."""
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SIGNING))
        heads = [*act(checkpoints.heads), *more]
        checkpoints.write(self.anchor, heads, key, at=act(real_time))

    def examined(self) -> list[Finding]:
        """What the doctor says."""
        return beside_the_engine(self.folder, self.megabytes, self.clock)


@pytest.fixture
def patient(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Patient]:
    """A hub without its engine, in which nothing is wrong."""
    before = dict(os.environ)
    with ExitStack() as lasting:
        lasting.callback(forget_settings)
        lasting.callback(os.environ.update, before)
        lasting.callback(os.environ.clear)
        postman = lasting.enter_context(working_postman())
        found = Patient(record, tmp_path, lasting)
        found.keys.write_text(os.environ.pop("MASH_KEY") + "\n")
        found.keys.chmod(0o600)
        found.set(
            MASH_KEY_FILE=str(found.keys), MASH_SIGNING_KEY=SIGNING, MASH_CHECKPOINTS=str(found.anchor),
            MASH_MAIL_URL=postman.url,
        )  # fmt: skip
        open_hub()
        refer()
        act(take_turn, "figures", MINUTE)
        found.sign()
        yield found


# --- ways to be ill ---


def the_machines_clock_is_wrong(patient: Patient) -> None:
    patient.clock = lambda: this_machine() + timedelta(minutes=5)


def the_tables_are_of_an_older_release(patient: Patient) -> None:
    [[head]] = patient.record.ask("SELECT version_num FROM alembic_version")
    put_back = f"UPDATE alembic_version SET version_num = '{head}'"
    patient.owner("UPDATE alembic_version SET version_num = '0003'", put_back)


def the_hub_owns_its_tables(patient: Patient) -> None:
    patient.set(MASH_DATABASE_URL=os.environ["MASH_OWNER_DATABASE_URL"])


def the_record_is_away(patient: Patient) -> None:
    patient.set(MASH_DATABASE_URL=f"postgresql+psycopg://mash_app:x@127.0.0.1:{_closed_port()}/mash")


def an_agreement_was_ended(patient: Patient) -> None:
    [row] = act(lambda session: list(session.exec(select(SharingAgreement))))
    act(agreements.end, row.id, by=ADMINISTRATOR, at=act(real_time), on=act(real_time).date())


def a_letter_is_stuck(patient: Patient) -> None:
    reference = refer(sender_id="asked long ago")
    ask(reference)
    patient.sign()


def a_letter_reached_nobody(patient: Patient) -> None:
    patient.app(
        "INSERT INTO notice (id, key, message, recipient, written_at, status, channel, attempts, perhaps_twice)"
        " VALUES (gen_random_uuid(), 'lost', 'outcome_ready', 'duty:CHILDREN_DUTY', now(), 'UNDELIVERED', 'second', 5,"
        " false)"
    )


def the_post_is_held(patient: Patient) -> None:
    act(post.hold, by=OPERATOR, at=act(real_time))
    patient.lasting.callback(act, post.let_go, send=False, by=OPERATOR, at=act(real_time))


def no_timekeeper_is_at_work(patient: Patient) -> None:
    patient.app("UPDATE turn SET taken_at = now() - interval '20 minutes'")


def a_referral_was_given_up(patient: Patient) -> None:
    patient.app(
        "INSERT INTO repair (reference, stage, tries, alarmed_at) SELECT reference, stage, 5, now() FROM referral"
    )


def the_hubs_clock_is_held(patient: Patient) -> None:
    patient.owner("INSERT INTO scenario_clock (id, now) VALUES (1, now())")


def bank_holidays_ran_out(patient: Patient) -> None:
    last = current_profile().hours.known_until
    patient.owner(f"INSERT INTO scenario_clock (id, now) VALUES (1, timestamptz '{last}' + interval '2 days')")


def the_sealing_key_is_another(patient: Patient) -> None:
    patient.keys.write_text(base64.b64encode(bytes(32)).decode())


def anybody_may_read_the_keys(patient: Patient) -> None:
    patient.keys.chmod(0o644)


def the_key_file_is_gone(patient: Patient) -> None:
    patient.keys.unlink()


def the_ledger_lost_an_entry(patient: Patient) -> None:
    [head] = act(checkpoints.heads)
    patient.anchor.joinpath("checkpoint-00000001.txt").unlink()
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SIGNING))
    signed = Head(head.reference, head.number + 1, "0" * 64)
    checkpoints.write(patient.anchor, [signed], key, at=act(real_time))


def a_checkpoint_was_written_by_somebody_else(patient: Patient) -> None:
    file = patient.anchor / "checkpoint-00000001.txt"
    file.write_text(file.read_text().replace(" 1 ", " 2 ", 1))


def no_checkpoint_was_signed_for_days(patient: Patient) -> None:
    patient.set(MASH_CHECKPOINT_MINUTES="1")
    patient.anchor.joinpath("checkpoint-00000001.txt").unlink()
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(SIGNING))
    checkpoints.write(patient.anchor, act(checkpoints.heads), key, at=act(real_time) - timedelta(minutes=3))


def the_mail_server_is_no_mail_server(patient: Patient) -> None:
    port = patient.lasting.enter_context(_says(b"SSH-2.0-other\r\n"))
    patient.set(MASH_MAIL_URL=f"mailto://127.0.0.1:{port}?from=x@y.example")


def the_mail_server_is_away(patient: Patient) -> None:
    patient.set(MASH_MAIL_URL=f"mailto://127.0.0.1:{_closed_port()}?from=x@y.example")


def the_certificate_runs_out_soon(patient: Patient) -> None:
    port = patient.lasting.enter_context(_shows_certificate(patient.folder, timedelta(days=5)))
    patient.set(MASH_PORTAL_URL=f"https://127.0.0.1:{port}")


def the_certificate_ran_out(patient: Patient) -> None:
    port = patient.lasting.enter_context(_shows_certificate(patient.folder, timedelta(minutes=-1)))
    patient.set(MASH_PORTAL_URL=f"https://127.0.0.1:{port}")


def the_disk_is_nearly_full(patient: Patient) -> None:
    patient.megabytes = 1 << 40


def the_profile_has_a_mistake(patient: Patient) -> None:
    text = Path(os.environ["MASH_PROFILE"]).read_text().replace('code = "POLICE"', 'code = "the police"')
    (patient.folder / "area.toml").write_text(text)
    codes = Path(os.environ["MASH_PROFILE"]).with_name("codes.toml")
    (patient.folder / "codes.toml").write_text(codes.read_text())
    patient.set(MASH_PROFILE=str(patient.folder / "area.toml"))


FAULTS = [
    (the_machines_clock_is_wrong, {"time": Health.FAIL}, "timedatectl"),
    (the_tables_are_of_an_older_release, {"tables": Health.FAIL}, "mash db upgrade"),
    (the_hub_owns_its_tables, {"record": Health.FAIL}, "mash_app"),
    (the_record_is_away, {"record": Health.FAIL}, "mash up"),
    (an_agreement_was_ended, {"agreements": Health.FAIL}, "/agreements"),
    (a_letter_is_stuck, {"post": Health.FAIL}, "mash post status"),
    (a_letter_reached_nobody, {"post": Health.WARN}, "addresses"),
    (the_post_is_held, {"post": Health.WARN}, "mash post status"),
    (no_timekeeper_is_at_work, {"timekeeper": Health.FAIL}, "mash up"),
    (a_referral_was_given_up, {"alarms": Health.FAIL}, "mash engine resume"),
    (the_hubs_clock_is_held, {"held clock": Health.WARN}, "mash clock release"),
    (bank_holidays_ran_out, {"held clock": Health.WARN, "calendar": Health.FAIL}, "closed_days"),
    (the_sealing_key_is_another, {"seals": Health.FAIL}, "docs/restore.md"),
    (anybody_may_read_the_keys, {"keys": Health.FAIL}, "chmod 600"),
    (the_key_file_is_gone, {"keys": Health.FAIL}, "docs/restore.md"),
    (the_ledger_lost_an_entry, {"ledger": Health.FAIL}, "mash ledger verify"),
    (a_checkpoint_was_written_by_somebody_else, {"ledger": Health.FAIL}, "mash ledger verify"),
    (no_checkpoint_was_signed_for_days, {"ledger": Health.WARN}, "mash ledger checkpoint"),
    (the_mail_server_is_no_mail_server, {"mail": Health.FAIL}, "MASH_MAIL_URL"),
    (the_mail_server_is_away, {"mail": Health.FAIL}, "MASH_MAIL_URL"),
    (the_certificate_runs_out_soon, {"certificate": Health.WARN}, "renew"),
    (the_certificate_ran_out, {"certificate": Health.FAIL}, "renew"),
    (the_disk_is_nearly_full, {"disk": Health.WARN}, "larger disk"),
    (the_profile_has_a_mistake, {"profile": Health.FAIL}, "mash profile check"),
]


def test_in_a_hub_that_is_well_nothing_is_found(patient: Patient) -> None:
    found = patient.examined()
    assert {each.what: each.says for each in found if each.health is not Health.OK} == {}
    assert {"record", "tables", "time", "ledger", "keys", "disk"} <= {each.what for each in found}
    assert not any(each.mend for each in found)


@pytest.mark.parametrize(("fall_ill", "named", "mend"), FAULTS, ids=[plant.__name__ for plant, _, _ in FAULTS])
def test_each_fault_is_named_alone_with_what_mends_it(
    patient: Patient, fall_ill: Callable[[Patient], None], named: dict[str, Health], mend: str
) -> None:
    """Issue 7: ten planted faults and more"""
    fall_ill(patient)
    found = patient.examined()
    ill = [each for each in found if each.health is not Health.OK]
    assert {each.what: each.health for each in ill} == named, [each.in_words() for each in ill]
    assert worst(found) is worst(ill)
    assert any(mend in (each.mend or "") for each in ill)


def test_an_engine_that_is_away_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Referrals wait in the record meanwhile. One that takes calls and never answers is away too, and asked but once"""
    with socket.create_server(("127.0.0.1", 0)) as hangs:
        for port in (_closed_port(), hangs.getsockname()[1]):
            where = f"http://127.0.0.1:{port}/api"
            monkeypatch.setenv("PREFECT_API_URL", where)
            with temporary_settings({PREFECT_API_URL: where}):
                [found] = engine()
            assert (found.what, found.health, found.mend) == ("engine", Health.FAIL, "mash up")
        hangs.settimeout(0)
        hangs.accept()[0].close()
        with pytest.raises(BlockingIOError):
            hangs.accept()


# --- the engine itself ---


@dataclass
class Prefect:
    """A real engine that is well, and a fault to plant in it; `lasting` undoes it."""

    client: SyncPrefectClient
    monkeypatch: pytest.MonkeyPatch
    lasting: ExitStack


@pytest.fixture
def prefect(engine_stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prefect]:
    """The engine of these tests, on which stand-ins are deployed and not the house's own flow."""
    own = engine_stack.environment()
    monkeypatch.setenv("PREFECT_API_URL", own["PREFECT_API_URL"])
    monkeypatch.setattr(runs, "DEPLOYMENT", STAND_IN)
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with temporary_settings(where), get_client(sync_client=True) as client, ExitStack() as lasting:
        wait_for(lambda: client.read_work_pool(POOL).status is WorkPoolStatus.READY)
        yield Prefect(client, monkeypatch, lasting)


def its_pool_is_paused(prefect: Prefect) -> None:
    prefect.client.update_work_pool(POOL, WorkPoolUpdate(is_paused=True))
    prefect.lasting.callback(prefect.client.update_work_pool, POOL, WorkPoolUpdate(is_paused=False))


def no_worker_polls(prefect: Prefect) -> None:
    prefect.client.create_work_pool(WorkPoolCreate(name="idle", type="process"))
    prefect.lasting.callback(prefect.client.delete_work_pool, "idle")
    prefect.monkeypatch.setattr(runs, "POOL", "idle")


def its_pool_is_gone(prefect: Prefect) -> None:
    prefect.monkeypatch.setattr(runs, "POOL", "gone")


def the_flow_is_paused(prefect: Prefect) -> None:
    deployment = prefect.client.read_deployment_by_name(STAND_IN).id
    prefect.client.pause_deployment(deployment)
    prefect.lasting.callback(prefect.client.resume_deployment, deployment)


def the_flow_is_gone(prefect: Prefect) -> None:
    prefect.monkeypatch.setattr(runs, "DEPLOYMENT", "gone/mash")


def the_password_is_another(prefect: Prefect) -> None:
    prefect.lasting.enter_context(temporary_settings({PREFECT_API_AUTH_STRING: "mash:another"}))


OF_THE_ENGINE = [
    (its_pool_is_paused, "workers", "prefect work-pool resume mash"),
    (no_worker_polls, "workers", "mash up"),
    (its_pool_is_gone, "workers", "mash engine rebuild"),
    (the_flow_is_paused, "deployment", "prefect deployment resume patient/mash"),
    (the_flow_is_gone, "deployment", "mash engine rebuild"),
    (the_password_is_another, "engine", "PREFECT_API_AUTH_STRING"),
]


def test_in_an_engine_that_is_well_nothing_is_found(prefect: Prefect) -> None:
    assert [(each.what, each.health, each.mend) for each in engine()] == [
        (what, Health.OK, None) for what in ("engine", "workers", "deployment")
    ]


@pytest.mark.parametrize(
    ("fall_ill", "named", "mend"), OF_THE_ENGINE, ids=[plant.__name__ for plant, _, _ in OF_THE_ENGINE]
)
def test_each_fault_of_a_real_engine_is_named_alone_with_what_mends_it(
    prefect: Prefect, fall_ill: Callable[[Prefect], None], named: str, mend: str
) -> None:
    """Issue 7: the commands that it names are Prefect's own, and the house's"""
    fall_ill(prefect)
    [ill] = [each for each in engine() if each.health is not Health.OK]
    assert (ill.what, ill.health) == (named, Health.FAIL)
    assert mend in (ill.mend or "")


# --- what other machines say ---


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def _says(words: bytes, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that says one thing to everybody, perhaps in TLS."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            with suppress(OSError), line, context.wrap_socket(line, server_side=True) if context else line as wrapped:
                wrapped.sendall(words)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@contextmanager
def _shows_certificate(folder: Path, holds_for: timedelta) -> Iterator[int]:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = (
        builder.not_valid_before(now - timedelta(days=90)).not_valid_after(now + holds_for).sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "tls.pem").write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.pem")
    with _says(b"", context) as port:
        yield port
