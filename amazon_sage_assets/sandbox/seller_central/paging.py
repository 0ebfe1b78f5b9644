"""Page tokens: opaque to clients, good for one seller and one question, and alive after a restart."""

import base64
import hashlib
import json
from typing import Any

from amazon_sage_assets.sandbox.seller_central.answers import invalid
from amazon_sage_assets.sandbox.seller_central.store import SellerCentral


def seal(store: SellerCentral, seller: str, operation: str, content: Any) -> str:
    body = json.dumps(content)
    signature = store.sign(f"{seller}/{operation}/{body}")
    return base64.urlsafe_b64encode(f"{signature}{body}".encode()).decode()


def unseal(store: SellerCentral, seller: str, operation: str, token: str) -> Any:
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise invalid("Invalid nextToken.") from None
    signature, body = text[:64], text[64:]
    if signature != store.sign(f"{seller}/{operation}/{body}"):
        raise invalid("Invalid nextToken.")
    return json.loads(body)


def page(
    store: SellerCentral, seller: str, operation: str, question: dict[str, Any], token: str | None, rows: list[Any]
) -> tuple[list[Any], str | None]:
    """One page of the finance APIs and the token of the next. Before the last page comes an empty one.

    The token goes with the same question; the clients' rule not to stop at an empty page is put to the test.
    """
    asked = hashlib.sha256(json.dumps(question).encode()).hexdigest()
    start, pauses = 0, False
    if token is not None:
        kept = unseal(store, seller, operation, token)
        if kept["asked"] != asked:
            raise invalid("nextToken must come with the arguments it was made for.")
        start, pauses = kept["start"], kept["pauses"]
    if pauses:
        return [], seal(store, seller, operation, {"asked": asked, "start": start, "pauses": False})
    end = start + store.page_size
    if end >= len(rows):
        return rows[start:], None
    is_last_but_one = end + store.page_size >= len(rows)
    following = {"asked": asked, "start": end, "pauses": is_last_but_one}
    return rows[start:end], seal(store, seller, operation, following)
