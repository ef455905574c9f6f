"""The environment variables of each part: what it needs to find the others, and no secret beyond that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from engine import databases
from engine.credentials import FILE, Credentials
from engine.ports import LOOPBACK, Ports
from models.settings import HOUSE

SENDER = "mash@mash.localhost"


def of_clients(home: Path, ports: Ports, credentials: Credentials, given: Mapping[str, str]) -> dict[str, str]:
    """Every `MASH_…` and `PREFECT_…` variable of this installation; what the site set itself (`given`) wins."""
    site = {name: value for name, value in given.items() if name.startswith("MASH_")}
    own = {**_record(ports, credentials), **_rest_of_mash(home, ports, credentials)}
    if "MASH_KEY" in site:
        del own["MASH_KEY_FILE"]
    return {**own, **site} | _prefect_client(home, ports, credentials, given)


def of_prefect_server(home: Path, ports: Ports, credentials: Credentials) -> dict[str, str]:
    """For a Prefect server that only this machine reaches, with a password, and that does no work we do not use."""
    origin = f"http://{LOOPBACK}:{ports.prefect}"
    return {
        **machine(),
        **_prefect_home(home),
        "PREFECT_API_URL": f"{origin}/api",
        "PREFECT_UI_API_URL": f"{origin}/api",
        "PREFECT_SERVER_API_HOST": LOOPBACK,
        "PREFECT_SERVER_API_PORT": str(ports.prefect),
        "PREFECT_SERVER_API_AUTH_STRING": operator_of(credentials),
        "PREFECT_API_AUTH_STRING": operator_of(credentials),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origin,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": databases.url(
            databases.ENGINE, credentials.prefect, ports.postgres, databases.ENGINE, "asyncpg"
        ),
        "PREFECT_SERVER_DATABASE_TIMEOUT": "30",
        # With five, Prefect's own, two in three connections are opened for one question, and closed.
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "15",
        "PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW": "10",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
        "PREFECT_LOGGING_LEVEL": "WARNING",
        # A day of events is enough to see what happened; the ledger is the record.
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P1D",
        # Automations are not used: clocks are the timekeeper's, and each event would be matched against none.
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        # Nothing here is ever suspended with a time-out, and this service pages through every waiting run.
        "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_LATE_RUNS_LOOP_SECONDS": "15",
        "PREFECT_SERVER_SERVICES_SCHEDULER_RECENT_DEPLOYMENTS_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_CLEANUP_RECONCILER_LOOP_SECONDS": "60",
        "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "60",
    }


def machine() -> dict[str, str]:
    """The surroundings of this process without any Prefect or MASH setting of its user."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "MASH_"))}
    return {**own, "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}


def without_owner(environment: Mapping[str, str]) -> dict[str, str]:
    """For parts that work on the record: they never own it."""
    return {name: value for name, value in environment.items() if name != "MASH_OWNER_DATABASE_URL"}


def backstage(environment: Mapping[str, str]) -> dict[str, str]:
    """For parts that work on the record and that nobody signs in to: they hold no key to a sign-in service."""
    return {name: value for name, value in without_owner(environment).items() if not name.startswith("MASH_OIDC_")}


def of_worker(environment: Mapping[str, str]) -> dict[str, str]:
    """For the worker and its children, which sign nothing: checkpoints are the timekeeper's, evidence the portal's."""
    return {name: value for name, value in backstage(environment).items() if not name.startswith("MASH_SIGNING_KEY")}


def without_engine(environment: Mapping[str, str]) -> dict[str, str]:
    """For parts that never call the engine, so they hold no key to it."""
    return {name: value for name, value in without_owner(environment).items() if not name.startswith("PREFECT_")}


def _record(ports: Ports, credentials: Credentials) -> dict[str, str]:
    users = {
        "MASH_DATABASE_URL": (databases.RECORD_USER, credentials.mash_app),
        "MASH_OWNER_DATABASE_URL": (databases.RECORD_OWNER, credentials.mash_owner),
    }
    return {
        name: databases.url(role, password, ports.postgres, databases.RECORD, "psycopg")
        for name, (role, password) in users.items()
    }


def _rest_of_mash(home: Path, ports: Ports, credentials: Credentials) -> dict[str, str]:
    return {
        "MASH_KEY_FILE": str(home / FILE),
        "MASH_SIGNING_KEY": credentials.signing_key,
        "MASH_CHECKPOINTS": str(home / "checkpoints"),
        "MASH_PROFILE": str(HOUSE / "profiles" / "bnes.toml"),
        "MASH_PORTAL_URL": f"http://{LOOPBACK}:{ports.portal}",
        "MASH_MAIL_URL": f"mailto://{LOOPBACK}:{ports.smtp}?from={quote(SENDER)}&mode=insecure",
    }


def _prefect_client(home: Path, ports: Ports, credentials: Credentials, given: Mapping[str, str]) -> dict[str, str]:
    if "PREFECT_API_URL" in given:
        return {name: value for name, value in given.items() if name.startswith("PREFECT_")}
    return {
        **_prefect_home(home),
        "PREFECT_API_URL": f"http://{LOOPBACK}:{ports.prefect}/api",
        "PREFECT_UI_URL": f"http://{LOOPBACK}:{ports.prefect}",
        "PREFECT_API_AUTH_STRING": operator_of(credentials),
        "PREFECT_LOGGING_LEVEL": "WARNING",
        # Server and clients are of one installation: no need to compare versions at every start.
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    }


def _prefect_home(home: Path) -> dict[str, str]:
    """Everything of Prefect under our own home: no profile of the user is ever read."""
    folder = home / "prefect"
    return {"PREFECT_HOME": str(folder), "PREFECT_PROFILES_PATH": str(folder / "profiles.toml")}


def operator_of(credentials: Credentials) -> str:
    """What an operator types into the Prefect UI, and every client sends: `user:password`."""
    return f"operator:{credentials.operator}"
