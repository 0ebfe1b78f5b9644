"""Erases personal data that no order needs any more. Every figure and proof stays, and the hash of what was erased.

Names, addresses and telephone numbers go a set number of days after the goods went, and when an order was cancelled.
The daily reports about orders hold towns and buyers' comments, so their bytes go after the same time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from amazon_sage_assets.company import Company
from amazon_sage_assets.orders.intake import personal_data
from amazon_sage_assets.orders.reports import ORDER_REPORT
from amazon_sage_assets.tables import insert_rows, plain

# Orders whose recipients nobody needs: sent, or out of our hands, since before a moment; and those of orders that are
# not ours to send any more.
_OVER = """
select r.order_id from raw.recipients as r
left join core.core__orders as o on r.order_id = o.order_id
where
    r.erased_at is null
    and r.recipient_hash is not null
    and (
        o.order_id is null
        or (o.status = 'SHIPPED' and coalesce(o.shipped_at, o.updated_at) <= $1)
        or (o.status in ('CANCELLED', 'UNFULFILLABLE') and o.updated_at <= $1)
        or o.fulfilment <> 'MFN'
    )
"""


@dataclass(frozen=True)
class Purged:
    """How many recipients and report documents were erased."""

    recipients: int
    documents: int


def purge(company: Company, now: datetime, days: int | None = None) -> Purged:
    """Erase what is over. `days` after despatch; None takes the profile's number."""
    days = company.profile.privacy.erase_after_days if days is None else days
    moment = plain(now - timedelta(days=days))
    with company.warehouse.read() as connection:
        over = [order_id for (order_id,) in connection.execute(_OVER, [moment]).fetchall()]
    # First the words, then the note that they are gone: a crash between the two only repeats it.
    personal_data(company).erase(over)
    with company.warehouse.transaction() as connection:
        connection.execute(
            "update raw.recipients set erased_at = $2 where list_contains($1::varchar[], order_id)", [over, plain(now)]
        )
    documents = [
        document
        for document in company.landing.documents(ORDER_REPORT)
        if plain(datetime.fromisoformat(document.first.landed_at)) <= moment
    ]
    for document in documents:
        company.landing.erase(ORDER_REPORT, document.sha256)
        with company.warehouse.transaction() as connection:
            connection.execute("delete from control.erased_documents where document_sha256 = $1", [document.sha256])
            insert_rows(connection, "control.erased_documents", [(document.sha256, ORDER_REPORT, plain(now))])
    return Purged(len(over), len(documents))
