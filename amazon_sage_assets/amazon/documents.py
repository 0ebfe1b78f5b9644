"""A report's bytes from behind its link, whole or not at all.

The library's own download checks neither status nor length nor the end of the compression, so half a file or an error
page would pass for a document.
"""

import re
import zlib
from typing import IO

import httpx

from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnavailable, LinkExpired

_CHUNK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_XML_FIELD = "<{0}>([^<]*)</{0}>"


def fetch(http: httpx.Client, link: str, *, gzipped: bool, into: IO[bytes]) -> str | None:
    """Write the document over `into`, its compression undone, and say its charset, if the server named one.

    Raises LinkExpired for a link that is no longer good, AmazonUnavailable for anything short of the whole document.
    """
    into.seek(0)
    into.truncate()
    try:
        # Asked for as it lies there: its compression is part of the document, and checked here to its end.
        with http.stream("GET", link, headers={"Accept-Encoding": "identity"}) as response:
            _check_status(response)
            packed = gzipped or response.headers.get("content-encoding", "").lower() == "gzip"
            arrived = _gunzip(response, into) if packed else _copy(response, into)
            _check_length(response, arrived)
            return response.charset_encoding
    except httpx.HTTPError as error:
        raise AmazonUnavailable(f"The document broke off on its way ({type(error).__name__}).") from None
    except zlib.error:
        raise AmazonUnavailable("The document's compression is damaged.") from None


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status == 429 or status >= 500 or status < 400:
        raise AmazonUnavailable(f"The document's server answered {status}.")
    response.read()
    code, words = (_xml(response.text, name) for name in ("Code", "Message"))
    kind = LinkExpired if status == 403 else AmazonRefused
    raise kind("the download of a document", status=status, code=code, words=words)


def _xml(body: str, name: str) -> str:
    found = re.search(_XML_FIELD.format(name), body)
    return found[1] if found else ""


def _check_length(response: httpx.Response, arrived: int) -> None:
    said = response.headers.get("content-length")
    if said is not None and int(said) != arrived:
        raise AmazonUnavailable(f"{arrived} bytes of a document of {said} arrived.")


def _copy(response: httpx.Response, into: IO[bytes]) -> int:
    arrived = 0
    for chunk in response.iter_raw(_CHUNK):
        into.write(chunk)
        arrived += len(chunk)
    return arrived


def _gunzip(response: httpx.Response, into: IO[bytes]) -> int:
    """Undo gzip with any number of members. Never more than a chunk at a time in memory, whatever it unpacks to."""
    arrived, member, is_open = 0, zlib.decompressobj(_GZIP), True
    for chunk in response.iter_raw(_CHUNK):
        arrived += len(chunk)
        rest = chunk
        while rest:
            if not is_open:
                rest = rest.lstrip(b"\0")  # padding between and behind members is legal
                if not rest:
                    break
                member, is_open = zlib.decompressobj(_GZIP), True
            into.write(member.decompress(rest, _CHUNK))
            rest = member.unconsumed_tail
            if member.eof:
                is_open, rest = False, member.unused_data
    if is_open:
        raise AmazonUnavailable("The document's compression ends too early.")
    return arrived
