"""Access tokens of one seller, from Login with Amazon."""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
from sp_api.auth import AccessTokenClient, AccessTokenResponse  # type: ignore[import-untyped]

from amazon_sage_assets.amazon.errors import AmazonUnavailable
from amazon_sage_assets.amazon.transport import exchange

MARGIN = 60  # seconds before its end at which a token is no longer used


class AccessTokens(AccessTokenClient):  # type: ignore[misc]
    """The library's login with a memory of its own.

    The library remembers tokens for the whole process by refresh token alone, so two hosts would share one. It also
    keeps them for a fixed time; Amazon says in the answer how long a token lives.
    """

    def __init__(self, address: str, http: httpx.Client, clock: Callable[[], float], **given: Any) -> None:
        super().__init__(**given)
        self._transport.close()
        self._address, self._http, self._clock = address, http, clock
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def get_auth(self) -> AccessTokenResponse:
        with self._lock:
            if not self._token or self._clock() >= self._until:
                self._token, self._until = self._ask()
            return AccessTokenResponse(access_token=self._token)

    def forget(self) -> None:
        """Ask for a new token next time."""
        with self._lock:
            self._token = ""

    def _ask(self) -> tuple[str, float]:
        asked_at = self._clock()
        body = exchange(self._http, "POST", self._address + self.path, data=self.data, headers=self.headers).body
        token, lives = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lives, int | Decimal):
            raise AmazonUnavailable("Login with Amazon answered without an access token.")
        return token, asked_at + max(float(lives) - MARGIN, 1.0)
