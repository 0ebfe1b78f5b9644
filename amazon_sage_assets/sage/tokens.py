"""Sage's tokens, in one file that only its owner can read.

Each refresh gives a new refresh token and ends the old one, so the new pair is on the disk before anybody uses it. One
process refreshes at a time; the others then find the fresh pair in the file.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
from filelock import FileLock
from pydantic import SecretStr

from amazon_sage_assets.sage.outcomes import SageNotSent, SageSignInNeeded, SageUnavailable, words_of

SPARE = timedelta(minutes=2)  # refresh a little before the end
SIGN_IN = "Sign in to Sage 200 with `amazon-sage sign-in`."


@dataclass(frozen=True)
class Credentials:
    """Who we are for Sage. `refresh_token` is the one a person's sign-in gave; later ones live in the store."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


@dataclass(frozen=True)
class _Tokens:
    started_from: str  # a hash of the token of the sign-in: another one means that somebody signed in again
    refresh_token: str = field(repr=False)
    access_token: str = field(default="", repr=False)
    expires_at: str = "1970-01-01T00:00:00+00:00"

    def good_at(self, now: datetime) -> bool:
        return bool(self.access_token) and datetime.fromisoformat(self.expires_at) - SPARE > now


class TokenStore:
    """Access tokens for the client, kept in `path`, refreshed at `token_address`."""

    def __init__(
        self,
        path: Path,
        credentials: Credentials,
        token_address: str,
        http: httpx.Client,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.path = path
        self._credentials = credentials
        self._address = token_address
        self._http = http
        self._now = now
        self._held: _Tokens | None = None

    def access_token(self, *, instead_of: str = "") -> str:
        """A token that is good now. `instead_of` is one that Sage has just refused."""
        held = self._held
        if held and held.good_at(self._now()) and held.access_token != instead_of:
            return held.access_token
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(f"{self.path}.lock"):
            held = self._read()
            if not held.good_at(self._now()) or held.access_token == instead_of:
                held = self._refreshed(held)
                self._write(held)
        self._held = held
        return held.access_token

    def sign_in(self, code: str, redirect_address: str) -> None:
        """Exchange the code of a person's sign-in for tokens, and keep them."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(f"{self.path}.lock"):
            grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_address}
            self._held = self._granted(_Tokens(self._started_from, ""), grant)
            if not self._held.refresh_token:
                raise SageSignInNeeded("Sage gave no refresh token: the sign-in needs the scope offline_access.")
            self._write(self._held)

    @property
    def _started_from(self) -> str:
        return hashlib.sha256(self._credentials.refresh_token.get_secret_value().encode()).hexdigest()

    def _read(self) -> _Tokens:
        given, started_from = self._credentials.refresh_token.get_secret_value(), self._started_from
        try:
            kept = _Tokens(**json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            kept = None
        if kept and (kept.started_from == started_from or not given):
            return kept
        if not given:
            raise SageSignInNeeded(f"There is no Sage token yet. {SIGN_IN}")
        return _Tokens(started_from, given)

    def _refreshed(self, held: _Tokens) -> _Tokens:
        return self._granted(held, {"grant_type": "refresh_token", "refresh_token": held.refresh_token})

    def _granted(self, held: _Tokens, grant: dict[str, str]) -> _Tokens:
        us = {
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret.get_secret_value(),
        }
        try:
            response = self._http.post(self._address, data={**us, **grant})
        except httpx.ConnectError as error:
            raise SageNotSent(f"Sage's sign-in server cannot be reached: {error}.") from None
        except httpx.TransportError as error:
            raise SageUnavailable(f"Sage's sign-in server gave no answer ({type(error).__name__}).") from None
        if response.status_code in (400, 401, 403):
            raise SageSignInNeeded(f"Sage does not take our sign-in any more: {words_of(response)}. {SIGN_IN}")
        try:
            answer = response.json()
            expires_at = self._now() + timedelta(seconds=float(answer["expires_in"]))
            fresh = answer.get("refresh_token", held.refresh_token)
            return _Tokens(held.started_from, fresh, answer["access_token"], expires_at.isoformat())
        except (ValueError, KeyError, TypeError):
            raise SageUnavailable(
                f"Sage's sign-in server answered HTTP {response.status_code} without a token."
            ) from None

    def _write(self, tokens: _Tokens) -> None:
        fresh = self.path.with_name(f".{uuid4().hex}")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(tokens.__dict__, out)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        finally:
            fresh.unlink(missing_ok=True)
