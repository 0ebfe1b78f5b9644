"""One exchange with Amazon, strictly: what is not a whole answer of Amazon's own is an exception.

python-amazon-sp-api looks at `errors` in the body and never at the status, so an empty 429, a gateway's 503 page or a
bare 403 would pass for an empty success. This stands under it, and reads every number exactly.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from amazon_sage_assets.amazon.errors import AmazonError, AmazonRefused, AmazonThrottled, AmazonUnavailable

RATE_LIMIT = "x-amzn-RateLimit-Limit"
REQUEST_ID = "x-amzn-RequestId"


@dataclass(frozen=True)
class Answer:
    """A whole success, as the library wants to see it."""

    status_code: int
    headers: httpx.Headers
    body: dict[str, Any]

    def json(self) -> dict[str, Any]:
        return self.body


class StrictTransport:
    """Stands in for the library's own transport."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def request(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        # The library cuts the host from the endpoint as if it were always https; httpx knows it better.
        own = {name: value for name, value in (headers or {}).items() if name.lower() != "host"}
        return exchange(self._http, method, url, headers=own, **options)

    def close(self) -> None:
        self._http.close()


def exchange(http: httpx.Client, method: str, url: str, **options: Any) -> Answer:
    """Ask once. Raises AmazonThrottled, AmazonUnavailable or AmazonRefused."""
    asked = f"{method} {httpx.URL(url).path}"
    try:
        response = http.request(method, url, **options)
    except httpx.HTTPError as error:
        raise AmazonUnavailable(f"{asked} got no whole answer from Amazon ({type(error).__name__}).") from None
    body = _read(response)
    if response.is_success and body is not None and not body.get("errors"):
        return Answer(response.status_code, response.headers, body)
    raise _failure(asked, response, body)


def _read(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object of an answer, its numbers exact. None when it is anything else, cut short too."""
    try:
        body = json.loads(response.content, parse_float=Decimal, parse_constant=_refuse_constant)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _failure(asked: str, response: httpx.Response, body: dict[str, Any] | None) -> AmazonError:
    status, (code, words, details) = response.status_code, _problem(body)
    said = f"{status} {code}".strip()
    error: AmazonError
    if status == 429 or code == "QuotaExceeded":
        error = AmazonThrottled(f"Amazon wants {asked} asked less often ({said}).")
    elif status >= 500:
        error = AmazonUnavailable(f"Amazon could not answer {asked} ({said}).")
    elif status < 400 and not code:
        error = AmazonUnavailable(f"{asked} was answered with {said}, but not with Amazon's JSON.")
    else:
        error = AmazonRefused(
            asked,
            status=status,
            code=code,
            words=words,
            details=details,
            request_id=response.headers.get(REQUEST_ID),
        )
    error.rate_limit = response.headers.get(RATE_LIMIT)
    return error


def _problem(body: dict[str, Any] | None) -> tuple[str, str, str]:
    """Amazon's code, words and details, from the shapes of the Selling Partner API, its login and its gateway."""
    if not body:
        return "", "", ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        first = errors[0]
        return _text(first.get("code")) or "Error", _text(first.get("message")), _text(first.get("details"))
    if errors:
        return "Error", "", ""
    return _text(body.get("error")), _text(body.get("error_description") or body.get("message")), ""


def _text(value: object) -> str:
    """Words of Amazon without the full stop, which the sentence around them brings."""
    return value.strip().rstrip(".") if isinstance(value, str) else ""
