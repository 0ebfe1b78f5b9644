"""The sign-in server: a client and its refresh tokens. Each refresh ends the token it used."""

import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from amazon_sage_assets.sandbox.sage200.moments import stored
from amazon_sage_assets.sandbox.sage200.options import Options

REFRESH_LIFE = timedelta(days=90)
CODE_LIFE = timedelta(minutes=10)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
FULL_SCOPE = "openid profile email offline_access"


class NotSignedIn(Exception):
    """An OAuth refusal: the standard's error name, a sentence, the status."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def add_client(db: sqlite3.Connection, client_id: str, client_secret: str) -> None:
    db.execute("insert or replace into clients values (?, ?)", (client_id, _hash(client_secret)))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(
    db: sqlite3.Connection,
    kind: str,
    client_id: str,
    expires_at: datetime,
    *,
    family: str = "",
    scope: str = FULL_SCOPE,
    redirect_uri: str = "",
) -> str:
    """A new token or code. Those that come from one sign-in share a family."""
    token = secrets.token_urlsafe(32)
    db.execute(
        "insert into tokens (token, kind, client_id, family, scope, redirect_uri, expires_at) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        (token, kind, client_id, family or secrets.token_hex(8), scope, redirect_uri, stored(expires_at)),
    )
    return token


def authorise(db: sqlite3.Connection, asked: Mapping[str, str], now: datetime) -> str:
    """Where the browser goes next: back to the client, with a code. Nobody is asked for a password."""
    redirect_uri = asked.get("redirect_uri", "")
    if urlsplit(redirect_uri).hostname not in LOOPBACK:
        raise NotSignedIn("invalid_request", "The sandbox redirects to an address of this machine only.")
    if asked.get("response_type") != "code":
        raise NotSignedIn("unsupported_response_type", "response_type must be 'code'.")
    client_id = asked.get("client_id", "")
    if not db.execute("select 1 from clients where client_id = ?", (client_id,)).fetchone():
        raise NotSignedIn("unauthorized_client", f"There is no client '{client_id}'.")
    scope = asked.get("scope", "")
    code = issue(db, "code", client_id, now + CODE_LIFE, scope=scope, redirect_uri=redirect_uri)
    answer = {"code": code} | ({"state": asked["state"]} if "state" in asked else {})
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(answer)}"


def exchange(db: sqlite3.Connection, asked: Mapping[str, str], now: datetime, options: Options) -> dict[str, Any]:
    """An access token, and the refresh token that comes after the one that was sent.

    A refusal that ends tokens is returned as the answer's `error` so that the caller commits it.
    """
    client_id = asked.get("client_id", "")
    known = db.execute("select secret_hash from clients where client_id = ?", (client_id,)).fetchone()
    if known is None or not hmac.compare_digest(known[0], _hash(asked.get("client_secret", ""))):
        raise NotSignedIn("invalid_client", "The client is unknown or its secret is wrong.", 401)
    kinds = {"refresh_token": ("refresh", "refresh_token"), "authorization_code": ("code", "code")}
    grant = asked.get("grant_type", "")
    if grant not in kinds:
        raise NotSignedIn("unsupported_grant_type", f"'{grant}' is not a grant type of this server.")
    kind, field = kinds[grant]
    held = db.execute(
        "select * from tokens where token = ? and kind = ? and client_id = ?", (asked.get(field, ""), kind, client_id)
    ).fetchone()
    if held is None or held["expires_at"] <= stored(now) or held["state"] == "dead":
        raise NotSignedIn("invalid_grant", "The token is unknown, expired or revoked.")
    if held["state"] == "spent":
        if options.refresh_reuse_kills_family:
            db.execute("update tokens set state = 'dead' where family = ? and kind = 'refresh'", (held["family"],))
        return {"error": "invalid_grant", "error_description": "The token was used before."}
    if kind == "code" and held["redirect_uri"] != asked.get("redirect_uri", ""):
        raise NotSignedIn("invalid_grant", "redirect_uri is not the one that the code was issued for.")

    db.execute("update tokens set state = 'spent' where token = ?", (held["token"],))
    scope, family = held["scope"], held["family"]
    life = timedelta(seconds=options.access_token_seconds)
    answer: dict[str, Any] = {
        "access_token": issue(db, "access", client_id, now + life, family=family, scope=scope),
        "token_type": "Bearer",
        "expires_in": options.access_token_seconds,
        "scope": scope,
    }
    if "offline_access" in scope.split():
        answer["refresh_token"] = issue(db, "refresh", client_id, now + REFRESH_LIFE, family=family, scope=scope)
    return answer


def is_signed_in(db: sqlite3.Connection, authorization: str, now: datetime) -> bool:
    """Whether the header holds `Bearer`, one blank and a token that is good now."""
    scheme, _, token = authorization.partition(" ")
    row = db.execute(
        "select 1 from tokens where token = ? and kind = 'access' and state = 'good' and expires_at > ?",
        (token, stored(now)),
    ).fetchone()
    return scheme.lower() == "bearer" and row is not None
