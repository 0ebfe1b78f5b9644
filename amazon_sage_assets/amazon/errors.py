"""What can go wrong with Amazon, in two kinds: a retry can clear it, or a person must.

No message carries a token, a secret or a pre-signed link: only the path asked for and Amazon's own words.
"""


class AmazonError(Exception):
    """Amazon did not give what was asked for. `rate_limit` is what the answer said of our quota, if it said so."""

    rate_limit: str | None = None


class AmazonUnavailable(AmazonError):
    """No answer, or not one of Amazon's own. Asking again can help."""


class AmazonThrottled(AmazonUnavailable):
    """Asked too often. Asking again later helps."""


class AmazonRefused(AmazonError):
    """Amazon understood and said no, in `code` and `words`. A person must look at it."""

    def __init__(
        self,
        asked: str,
        *,
        status: int,
        code: str = "",
        words: str = "",
        details: str = "",
        request_id: str | None = None,
    ) -> None:
        self.status, self.code, self.words, self.details, self.request_id = status, code, words, details, request_id
        said = ": ".join(part for part in (" ".join((str(status), code)).strip(), words, details) if part)
        reference = f" Amazon's request id is {request_id}." if request_id else ""
        super().__init__(f"Amazon refused {asked}. It said {said}.{reference}")

    @property
    def is_about_the_token(self) -> bool:
        """Whether a fresh access token may be all that is missing."""
        said = f"{self.words} {self.details}".lower()
        return self.status == 401 or (self.status == 403 and "access token" in said)


class LinkExpired(AmazonRefused):
    """The link to a document has outlived its five minutes."""


class AmazonUnreadable(AmazonError):
    """A whole answer of Amazon's that does not hold what Amazon documents. A person must look at it."""


class PayoutsUnavailable(AmazonError):
    """Amazon does not offer its list of payouts to this seller."""
