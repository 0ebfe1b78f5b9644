"""The Sage 200 client: one request in flight per company; reads are retried, a POST is sent once.

Money is read from the text of the answer as Decimal and written as a number with its exact digits.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import simplejson
import stamina
from filelock import FileLock

from amazon_sage_assets.sage.outcomes import (
    REFUSALS,
    SageError,
    SageNotSent,
    SageRefused,
    SageUnavailable,
    SageUncertain,
    words_of,
)
from amazon_sage_assets.sage.tokens import Credentials, TokenStore

PAGE = 500
DONE = (200, 201)
LOOPBACK = ("127.0.0.1", "::1", "localhost")

Exchange = Callable[[httpx.Request, httpx.Response], None]


@dataclass(frozen=True)
class Connection:
    """Where Sage is. `company` picks one of several companies by name; `state` is a folder for tokens and locks."""

    address: str
    token_address: str
    credentials: Credentials
    state: Path
    company: str = ""
    read_seconds: float = 120.0
    read_attempts: int = 6


class SageClient:
    """Requests to one company. `watch`, for tests, sees every request with its answer."""

    def __init__(self, connection: Connection, watch: Exchange | None = None) -> None:
        for address in (connection.address, connection.token_address):
            _refuse_open_air(address)
        self._connection = connection
        self._http = httpx.Client(
            timeout=httpx.Timeout(connection.read_seconds, connect=10.0),
            headers={"Accept": "application/json"},
            follow_redirects=False,
        )
        self._watch = watch
        connection.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._tokens = TokenStore(
            connection.state / "sage_tokens.json", connection.credentials, connection.token_address, self._http
        )
        self._turn = FileLock(connection.state / "sage_request.lock")
        self._site: dict[str, str] | None = None
        self.requests = 0

    def sign_in(self, code: str, redirect_address: str) -> None:
        """Keep the tokens of a person's sign-in."""
        self._tokens.sign_in(code, redirect_address)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "SageClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The parsed answer. Tried again while the trouble is on the way. Raises SageUnavailable, SageRefused."""
        return self._read("GET", path, parameters=parameters)

    def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """A question that Sage takes as a POST and that changes nothing, so it is tried again like a read."""
        return self._read("POST", path, body=body)

    def _read(self, method: str, path: str, **content: Any) -> Any:
        try:
            for attempt in stamina.retry_context(
                on=(SageNotSent, SageUncertain, SageUnavailable), attempts=self._connection.read_attempts,
                timeout=None, wait_initial=0.2, wait_max=20.0,
            ):  # fmt: skip
                with attempt:
                    return self._parsed(self._exchange(method, path, **content))
        except (SageNotSent, SageUncertain) as error:
            raise SageUnavailable(f"Reading {path} from Sage failed: {error}") from None
        raise AssertionError("unreachable: the retry context either returns or raises")

    def pages(
        self,
        path: str,
        condition: str = "",
        *,
        select: Sequence[str] = (),
        key: str = "id",
        expand: str = "",
        after: int = 0,
    ) -> Iterator[list[dict[str, Any]]]:
        """Every row, in pages, by rising `key`: rows that are added meanwhile are neither skipped nor doubled."""
        last = after
        while True:
            wanted = f"{key} gt {last}" + (f" and ({condition})" if condition else "")
            parameters = {"$filter": wanted, "$orderby": f"{key} asc", "$top": str(PAGE)}
            if select:
                parameters["$select"] = ",".join(select)
            if expand:
                parameters["$expand"] = expand
            rows = self.get(path, parameters)
            if rows:
                yield rows
                last = rows[-1][key]
            if len(rows) < PAGE:
                return

    def read_all(self, path: str, condition: str = "", **options: Any) -> list[dict[str, Any]]:
        return [row for page in self.pages(path, condition, **options) for row in page]

    def has(self, path: str) -> bool:
        """Whether this site has a collection, and its user may read it. Older versions of Sage lack some."""
        try:
            self.get(path, {"$top": "1"})
        except SageRefused:
            return False
        return True

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send once. Raises SageRefused (nothing booked), SageNotSent (send it later), SageUncertain (look first)."""
        return self._parsed(self._exchange("POST", path, body=body))

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        headers = self._whose() if path != "/sites" else {}
        token = self._access_token()
        response = self._once(method, path, token, headers, parameters, body)
        if response.status_code == 401:  # refused at the door, so nothing was done
            response = self._once(method, path, self._access_token(instead_of=token), headers, parameters, body)
            if response.status_code == 401:
                raise SageNotSent(f"Sage does not let us in: {words_of(response)}.")
        return response

    def _access_token(self, instead_of: str = "") -> str:
        try:
            return self._tokens.access_token(instead_of=instead_of)
        except SageUnavailable as error:
            raise SageNotSent(str(error)) from None

    def _once(
        self,
        method: str,
        path: str,
        token: str,
        headers: Mapping[str, str],
        parameters: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> httpx.Response:
        content = None if body is None else simplejson.dumps(body, use_decimal=True).encode()
        request = self._http.build_request(
            method,
            self._connection.address.rstrip("/") + path,
            params=parameters,
            content=content,
            headers={**headers, "Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with self._turn:
            self.requests += 1
            try:
                response = self._http.send(request)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                raise SageNotSent(f"Sage cannot be reached ({error}).") from None
            except httpx.TransportError as error:
                raise SageUncertain(f"Sage's answer was lost ({type(error).__name__}: {error}).") from None
        if self._watch:
            self._watch(request, response)
        return response

    def _parsed(self, response: httpx.Response) -> Any:
        if response.status_code in DONE:
            try:
                return simplejson.loads(response.text, use_decimal=True) if response.content else None
            except ValueError:
                raise SageUncertain("Sage's answer came incomplete.") from None
        if response.status_code in REFUSALS:
            raise SageRefused(words_of(response))
        raise SageUncertain(f"Instead of Sage something on the way answered: {words_of(response)} "
                            f"(HTTP {response.status_code}).")  # fmt: skip

    def _whose(self) -> dict[str, str]:
        """The headers that name the company, looked up once."""
        if self._site is None:
            sites = self.get("/sites")
            wanted = [s for s in sites if self._connection.company in ("", s["company_name"])]
            if len(wanted) != 1:
                names = ", ".join(s["company_name"] for s in sites) or "none; is the way to your Sage server up?"
                raise SageRefused(
                    f"{len(wanted)} companies in Sage fit {self._connection.company or 'an unnamed company'!r}. "
                    f"Name one as `company` under [sage] in the profile. Sage shows: {names}."
                )
            self._site = {"X-Site": str(wanted[0]["site_id"]), "X-Company": str(wanted[0]["company_id"])}
        return self._site


def _refuse_open_air(address: str) -> None:
    """Tokens and figures travel encrypted, or never leave this machine."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise SageError(f"{address} is not https. Only an address of this machine may be plain http.")


def quoted(text: str) -> str:
    """A string inside a `$filter`."""
    return "'" + text.replace("'", "''") + "'"
