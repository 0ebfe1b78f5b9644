"""What the libraries under the client may log: never a token, never a pre-signed link.

At DEBUG python-amazon-sp-api writes request headers, which hold the access token; at INFO httpx writes whole addresses,
which hold the signatures of documents' links. A filter holds whatever level somebody sets. stamina prints retries to
the standard output where structlog is installed; they belong in the log.
"""

import logging

from stamina.instrumentation import LoggingOnRetryHook, set_on_retry_hooks

LEAST = {"sp_api.base.client": logging.INFO, "httpx": logging.WARNING}


class _AtLeast(logging.Filter):
    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level


def keep_secrets_out() -> None:
    """Safe to call again."""
    for name, level in LEAST.items():
        logger = logging.getLogger(name)
        if not any(isinstance(known, _AtLeast) for known in logger.filters):
            logger.addFilter(_AtLeast(level))
    set_on_retry_hooks([LoggingOnRetryHook])
    retries = logging.getLogger("stamina")
    if not retries.handlers:  # else Python writes them to the screen where nobody set logging up
        retries.addHandler(logging.NullHandler())
