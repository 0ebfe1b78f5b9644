"""Answers as bytes: JSON with exact decimals, and refusals in any of the shapes that a real server may choose."""

import html
from decimal import Decimal
from typing import Any

import simplejson
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.refusals import Refused


def answer(content: Any, status: int = 200) -> Response:
    return Response(simplejson.dumps(content, use_decimal=True), status, media_type="application/json")


def parsed(body: bytes) -> Any:
    """A JSON body with its decimals as written. Raises Refused."""
    try:
        return simplejson.loads(body.decode("utf-8"), use_decimal=True, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Refused("The body is not JSON.") from None


def _no_number(text: str) -> Decimal:
    raise ValueError(text)


def refusal(refused: Refused, options: Options) -> Response:
    words, status = refused.message, refused.status
    match options.error_shape:
        case "message_list":
            return answer([{"message": words}], status)
        case "text":
            return PlainTextResponse(words, status)
        case "html":
            page = f"<html><head><title>{status}</title></head><body><p>{html.escape(words)}</p></body></html>"
            return HTMLResponse(page, status)
        case "model_state":
            return answer(
                {"Message": "The request is invalid.", "ModelState": {refused.field or "request": [words]}}, status
            )
    return answer({"Message": words}, status)


def urn(number: int, options: Options) -> dict[str, Any]:
    return {"urn": str(number) if options.urn_as_text else number}
