"""A seller's Selling Partner API: signed in, within its quotas, asked again where that can help. It only reads."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any, ParamSpec, Self, TypeVar

import httpx
import stamina
from sp_api.base.client import Client  # type: ignore[import-untyped]

from amazon_sage_assets.amazon.access_tokens import AccessTokens
from amazon_sage_assets.amazon.connection import Connection
from amazon_sage_assets.amazon.errors import AmazonError, AmazonRefused, AmazonThrottled, AmazonUnavailable
from amazon_sage_assets.amazon.library_logs import keep_secrets_out
from amazon_sage_assets.amazon.quotas import QuotaKeeper
from amazon_sage_assets.amazon.transport import StrictTransport

__all__ = ["Connection", "Page", "SellingPartner"]

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_WAIT = 30.0
Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Page:
    payload: Mapping[str, Any]
    next_token: str | None


class SellingPartner:
    """Reads for one seller. Close it, or use it as a context.

    A read is asked `attempts` times where Amazon is unavailable, with growing pauses from `retry_wait` seconds on;
    where Amazon throttles, the quota keeper says how long to wait.
    """

    def __init__(
        self,
        connection: Connection,
        quotas: QuotaKeeper,
        *,
        timeout: float = 30.0,
        attempts: int = 5,
        retry_wait: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        keep_secrets_out()
        self.connection = connection
        self._quotas = quotas
        # Proxies of the environment lead outside; a sandbox on this machine is not behind them.
        self.http = httpx.Client(timeout=timeout, trust_env=not connection.is_local, follow_redirects=False)
        self._retrying = stamina.RetryingCaller(
            attempts=attempts, timeout=None, wait_initial=retry_wait, wait_max=LONGEST_WAIT, wait_jitter=retry_wait
        ).on(_worth_asking_again)
        self._library = self._signed_in(clock)

    def _signed_in(self, clock: Callable[[], float]) -> Any:
        connection = self.connection
        library = Client(
            marketplace=SimpleNamespace(
                endpoint=connection.endpoint, marketplace_id=connection.marketplace_id, region=connection.region
            ),
            credentials={
                "refresh_token": connection.refresh_token.get_secret_value(),
                "lwa_app_id": connection.client_id,
                "lwa_client_secret": connection.client_secret.get_secret_value(),
            },
            auth_token_client_class=partial(AccessTokens, connection.token_address, self.http, clock),
        )
        library.endpoint = connection.endpoint  # SP_API_DEFAULT_MARKETPLACE would win over the argument
        library.close()
        library._transport = StrictTransport(self.http)
        return library

    def get(self, operation: str, path: str, parameters: Parameters | None = None) -> Page:
        """One page. Raises AmazonThrottled and AmazonUnavailable when patience has run out, AmazonRefused at once."""
        return self.retrying(self._get, operation, path, {**(parameters or {}), "method": "GET"})

    def order_report(self, body: Mapping[str, Any]) -> Page:
        """Ask Amazon to make a report. It may be asked for twice: that makes a second report and changes nothing."""
        wanted = {"method": "POST", **body}
        return self.retrying(self._get, "createReport", "/reports/2021-06-30/reports", wanted)

    def pages(
        self,
        operation: str,
        path: str,
        parameters: Parameters,
        *,
        page_parameter: str = "nextToken",
        token_alone: bool = False,
    ) -> Iterator[Mapping[str, Any]]:
        """Every page, empty ones too. `token_alone`: the operation takes its page token without other parameters."""
        seen: set[str] = set()
        page = self.get(operation, path, parameters)
        yield page.payload
        while page.next_token:
            if page.next_token in seen:
                raise AmazonUnavailable(f"Amazon leads {operation} round in circles: one page token came twice.")
            seen.add(page.next_token)
            kept = {} if token_alone else dict(parameters)
            page = self.get(operation, path, {**kept, page_parameter: page.next_token})
            yield page.payload

    def retrying(self, call: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Call, and call again while Amazon is unavailable and patience lasts."""
        return self._retrying(call, *arguments, **named)

    def _get(self, operation: str, path: str, parameters: Mapping[str, Any]) -> Page:
        try:
            return self._get_once(operation, path, parameters)
        except AmazonRefused as refusal:
            if not refusal.is_about_the_token:
                raise
        self._library._auth.forget()
        return self._get_once(operation, path, parameters)

    def _get_once(self, operation: str, path: str, parameters: Mapping[str, Any]) -> Page:
        self._quotas.pace(operation)
        try:
            # Without add_marketplace=False the library adds the marketplace under four names.
            how = "data" if parameters["method"] == "POST" else "params"
            answer = self._library._request(path, **{how: dict(parameters)}, add_marketplace=False)
        except AmazonError as error:
            self._quotas.follow(operation, error.rate_limit)
            if isinstance(error, AmazonThrottled):
                self._quotas.exhausted(operation)
            raise
        self._quotas.follow(operation, answer.rate_limit)
        return Page(answer.payload, answer.next_token)

    def close(self) -> None:
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _worth_asking_again(error: Exception) -> bool | float:
    """After a throttled request the pause is the quota keeper's, not a guess."""
    return 0.0 if isinstance(error, AmazonThrottled) else isinstance(error, AmazonUnavailable)
