"""A council's sign-in service: Canaille, a whole OpenID Connect provider, on a port of this machine."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, make_server

import httpx
from canaille import create_app
from canaille.app import models
from canaille.app.session import UserSession
from canaille.backends import Backend
from canaille.oidc.provider import AuthorizationCodeGrant, OpenIDCode
from flask import Flask, g
from joserfc.jwk import RSAKey

CLIENT, SECRET = "mash", "a secret+of/the hub's"
DOMAIN = "people.example"


class Council:
    """The running service. Who sits at its browsers, and what it says of them, is for a test to set."""

    def __init__(self, app: Flask, issuer: str) -> None:
        self.app, self.issuer = app, issuer
        self.says: dict[str, Any] = {}
        self.methods: list[str] = ["password"]
        self._sits: Any = None
        app.before_request(self._open_session)

    def seat(self, name: str, address: str, methods: tuple[str, ...] = ("password",), **says: Any) -> None:
        """Somebody of the council is signed in there; `says` is put beside what the service says of their address."""
        self.methods, self.says = list(methods), says
        with self.app.app_context():
            found = Backend.instance.get(models.User, user_name=name)
            self._sits = found or models.User(user_name=name, family_name="Rook", formatted_name="Sam Rook")
            self._sits.emails = [address]
            Backend.instance.save(self._sits)

    def answer(self, address: str) -> str:
        """The service's page at an address, as a browser there opens it: where it leads."""
        return httpx.get(address, follow_redirects=False).headers["location"]

    def _open_session(self) -> None:
        if self._sits is not None:
            g.session = UserSession(self._sits, datetime.now(UTC), self.methods)


def query(address: str) -> dict[str, str]:
    """What an address carries."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing."""


@contextmanager
def council(way_back: str) -> Iterator[Council]:
    """The service for as long as the block lasts, with the hub as its client."""
    with patch.dict("os.environ", {"AUTHLIB_INSECURE_TRANSPORT": "1"}):
        server = make_server("localhost", 0, None, handler_class=_Quiet)  # type: ignore[arg-type]
        issuer = f"http://localhost:{server.server_port}"
        app = create_app(config=_configuration(urlsplit(issuer).netloc), env_prefix="NOTHING_")
        server.set_app(app)
        running = Council(app, issuer)
        _register(app, way_back)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with (
                patch.object(OpenIDCode, "generate_user_info", _says(running)),
                patch.object(AuthorizationCodeGrant, "query_authorization_code", _code_of),
            ):
                yield running
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _says(running: Council) -> Any:
    """The provider's own place to say what is known of a person: Canaille alone says nothing of `email_verified`."""
    own = OpenIDCode.generate_user_info

    def generate(grant: OpenIDCode, user: Any, scope: str) -> Any:
        told = own(grant, user, scope)
        told.update(running.says)
        return told

    return generate


def _code_of(_grant: AuthorizationCodeGrant, code: str, client: Any) -> Any:
    """The code itself: Canaille's own search of its memory takes any code of the client, so a guess might find one."""
    found = Backend.instance.query(models.AuthorizationCode, code=code)
    return next((one for one in found if one.client == client and not one.is_expired()), None)


def _configuration(address: str) -> dict[str, Any]:
    key = RSAKey.generate_key(2048, auto_kid=True)
    return {
        "TESTING": True, "ENV_FILE": None, "SECRET_KEY": secrets.token_hex(), "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http", "SERVER_NAME": address,
        "CANAILLE": {
            "DATABASE": "memory", "JAVASCRIPT": False, "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            "LOGGING": {"version": 1, "disable_existing_loggers": False},
        },
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "TRUSTED_DOMAINS": ["hub.example"]},
    }  # fmt: skip


def _register(app: Flask, way_back: str) -> None:
    with app.app_context():
        client = models.Client(
            client_id=CLIENT, client_secret=SECRET, client_name="MASH", client_uri="https://hub.example",
            redirect_uris=[way_back], grant_types=["authorization_code"], response_types=["code"],
            scope=["openid", "email"], token_endpoint_auth_method="client_secret_basic",
            id_token_signed_response_alg="RS256", client_id_issued_at=datetime.now(UTC),
        )  # fmt: skip
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
