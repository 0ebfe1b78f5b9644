"""Answers in Amazon's shapes."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from starlette.datastructures import QueryParams
from starlette.responses import JSONResponse, Response

MARKETPLACE_NAMES = ("marketplaceIds", "marketplaceId", "marketplace_ids", "MarketplaceIds", "MarketplaceId")


class Refused(Exception):
    """An error that Amazon would answer."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details

    def response(self) -> Response:
        error = {"code": self.code, "message": self.message, "details": self.details}
        return JSONResponse({"errors": [error]}, self.status)


def invalid(message: str) -> Refused:
    return Refused(400, "InvalidInput", message)


def not_found(what: str) -> Refused:
    return Refused(404, "NotFound", f"{what} was not found.")


def forbidden(details: str = "") -> Refused:
    return Refused(403, "Unauthorized", "Access to requested resource is denied.", details)


def stamped(response: Response) -> Response:
    """Amazon numbers every answer."""
    response.headers["x-amzn-RequestId"] = str(uuid4())
    return response


def listed(query: QueryParams, name: str) -> list[str]:
    """The values of a parameter that is written with commas, several times, or both."""
    return [value for written in query.getlist(name) for value in written.split(",") if value]


def marketplaces(query: QueryParams) -> list[str]:
    """The marketplaces asked for. Some clients name them under several names at once."""
    return next((found for name in MARKETPLACE_NAMES if (found := listed(query, name))), [])


def moment(query: QueryParams, name: str) -> datetime | None:
    """A moment that was asked for."""
    written = query.get(name)
    return None if written is None else read_moment(written, name)


def read_moment(written: object, name: str) -> datetime:
    try:
        read = datetime.fromisoformat(str(written))
    except ValueError:
        raise invalid(f"Invalid {name}.") from None
    if read.tzinfo is None:
        raise invalid(f"{name} needs a time zone.")
    return read


def parameters(query: QueryParams) -> dict[str, Any]:
    """What was asked, apart from the page: the same question gives the same."""
    return {name: sorted(query.getlist(name)) for name in sorted(query.keys()) if name != "nextToken"}
