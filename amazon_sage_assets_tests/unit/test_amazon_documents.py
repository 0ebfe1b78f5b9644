"""A document arrives whole or not at all."""

import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpx
import pytest

from amazon_sage_assets.amazon import documents
from amazon_sage_assets.amazon.errors import AmazonRefused, AmazonUnavailable, LinkExpired
from amazon_sage_assets_tests.seller_central import packed

LINK = "https://documents.invalid/one?X-Amz-Signature=secret"


def fetch(answer: Callable[[httpx.Request], httpx.Response], *, gzipped: bool = True) -> tuple[bytes, str | None]:
    """What lands in a spool that a broken attempt has used before."""
    spool = io.BytesIO(b"left over from an attempt that broke off, and longer than what comes now")
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        charset = documents.fetch(http, LINK, gzipped=gzipped, into=spool)
    return spool.getvalue(), charset


def sends(body: bytes, status: int = 200, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: httpx.Response(status, headers=given, stream=httpx.ByteStream(body))


@pytest.mark.parametrize("body", [packed(b"one\n"), packed(b"on", b"e\n"), packed(b"one\n") + bytes(512)])
def test_gzip_is_undone_with_every_member_and_padding_behind(body: bytes) -> None:
    assert fetch(sends(body)) == (b"one\n", None)


def test_a_plain_document_is_taken_as_it_is() -> None:
    assert fetch(sends(b"\xef\xbb\xbfone", content_type="text/plain; charset=UTF-8"), gzipped=False) == (
        b"\xef\xbb\xbfone",
        "utf-8",
    )


def test_gzip_on_the_wire_is_undone_once_and_gzip_in_the_document_not_twice() -> None:
    wire = sends(packed(b"one"), content_encoding="gzip")
    assert fetch(wire, gzipped=False)[0] == b"one"
    assert fetch(wire, gzipped=True)[0] == b"one"


def test_the_document_is_asked_for_as_it_lies() -> None:
    seen: list[httpx.Headers] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return sends(b"one")(request)

    fetch(answer, gzipped=False)
    assert seen[0]["accept-encoding"] == "identity"
    assert "x-amz-access-token" not in seen[0]


@pytest.mark.parametrize("length", [0, 1, 9, 15, 20])
def test_gzip_that_ends_too_early_is_no_document(length: int) -> None:
    with pytest.raises(AmazonUnavailable):
        fetch(sends(packed(b"settlement")[:length]))


def test_a_second_member_that_ends_too_early_is_no_document() -> None:
    with pytest.raises(AmazonUnavailable, match="ends too early"):
        fetch(sends(packed(b"one", b"two")[:-4]))


@pytest.mark.parametrize("body", [b"<Error/>", packed(b"one")[:-8] + bytes(8), packed(b"one") + b"junk"])
def test_damaged_gzip_is_no_document(body: bytes) -> None:
    with pytest.raises(AmazonUnavailable, match="damaged"):
        fetch(sends(body))


def test_fewer_bytes_than_announced_are_no_document() -> None:
    with pytest.raises(AmazonUnavailable, match="3 bytes of a document of 5"):
        fetch(sends(b"one", content_length="5"), gzipped=False)


def test_a_broken_connection_is_no_document_and_shows_no_link() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"broken at {request.url}")

    with pytest.raises(AmazonUnavailable) as failure:
        fetch(answer)
    assert "secret" not in str(failure.value)


def test_an_expired_link_is_told_from_other_refusals() -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    with pytest.raises(LinkExpired, match="403 AccessDenied: Request has expired"):
        fetch(sends(body, 403))
    with pytest.raises(AmazonRefused) as refusal:
        fetch(sends(b"", 404))
    assert not isinstance(refusal.value, LinkExpired)


@pytest.mark.parametrize("status", [204, 302, 429, 500, 503])
def test_any_other_status_is_trouble_that_may_pass(status: int) -> None:
    with pytest.raises(AmazonUnavailable, match=str(status)):
        fetch(sends(b"<html>busy</html>", status))


def test_a_document_of_any_size_passes_through_a_little_memory() -> None:
    size, piece = 64 << 20, bytes(1 << 20)

    def compressed() -> Iterator[bytes]:
        packer = zlib.compressobj(1, wbits=31)
        for _ in range(size // len(piece)):
            yield packer.compress(piece)
        yield packer.flush()

    class Nowhere(io.BytesIO):
        written = 0

        def write(self, data: object) -> int:
            assert isinstance(data, bytes)
            self.written += len(data)
            return len(data)

    body, spool = b"".join(compressed()), Nowhere()
    with httpx.Client(transport=httpx.MockTransport(sends(body))) as http:
        tracemalloc.start()
        documents.fetch(http, LINK, gzipped=True, into=spool)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert spool.written == size
    assert most < 16 << 20
