"""What a request to Sage came to, as far as it can be known, and Sage's own words read from any shape of answer."""

from typing import Any

import httpx
import simplejson

_WORDS = 600  # of a long HTML page nobody reads more
# Answers that Sage itself gives to a request it has understood and will not do.
REFUSALS = frozenset({400, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422})


class SageError(Exception):
    """Something between us and Sage. The message is a sentence for people and never holds a token."""


class SageRefused(SageError):
    """Sage understood and said no, or would: nothing was booked. Only a person can clear it."""


class SageNotSent(SageError):
    """The request never left: nothing was booked, sending it later is safe."""


class SageUncertain(SageError):
    """The answer is lost or is none of Sage's own: the document may be booked, now or in a moment."""


class SageUnavailable(SageError):
    """A read could not be done although it was tried several times. Nothing changed in Sage."""


class SageSignInNeeded(SageError):
    """The tokens are no longer good: a person must sign in to Sage again."""


def words_of(response: httpx.Response) -> str:
    """Sage's message, whatever shape the body has."""
    text = response.text.strip()
    try:
        said = _from_json(simplejson.loads(text))
    except ValueError:
        said = " ".join(text.split()) if "<" not in text else ""
    return (said or f"HTTP {response.status_code} without a message")[:_WORDS]


def _from_json(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "; ".join(filter(None, map(_from_json, content)))
    if isinstance(content, dict):
        named = {str(name).lower(): value for name, value in content.items()}
        parts = [
            _from_json(named[name])
            for name in (
                "message",
                "exceptionmessage",
                "messagedetail",
                "error_description",
                "error",
                "title",
                "detail",
            )
            if named.get(name)
        ]
        for field, problems in (named.get("modelstate") or named.get("errors") or {}).items():
            parts.append(f"{field}: {_from_json(problems)}")
        return "; ".join(dict.fromkeys(filter(None, parts)))
    return ""
