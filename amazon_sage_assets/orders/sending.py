"""What sending orders needs of Sage, and what follows from orders, refunds and receipts that Sage has."""

from datetime import datetime

from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.company import Company
from amazon_sage_assets.orders.allocations import plan_allocations
from amazon_sage_assets.orders.despatches import plan_despatches
from amazon_sage_assets.orders.intake import personal_data
from amazon_sage_assets.orders.planning import Planned, plan_orders, waiting_recipients
from amazon_sage_assets.orders.sage_reading import read_sales
from amazon_sage_assets.refunds.planning import plan_refunds
from amazon_sage_assets.sage.client import SageClient
from amazon_sage_assets.sage.reference_data import ReferenceData
from amazon_sage_assets.sage.sop_records import SopRecords


def read_sage(company: Company, client: SageClient, records: ReferenceData, now: datetime) -> bool:
    """Read stock items, orders and the customers' ledger. False where no route makes Sage orders."""
    if not company.profile.orders_since:
        return False
    wants_returns = company.profile.orders.refunds == "sop_return"
    read_sales(company.warehouse, client, records, now, wants_returns=wants_returns)
    return True


def plan(company: Company, now: datetime) -> Planned:
    """The outbox in step with the orders. Personal data is read first, so that no two files are open at once."""
    with company.warehouse.read() as connection:
        wanted = waiting_recipients(connection)
    recipients = personal_data(company).of(wanted)
    with company.warehouse.transaction() as connection:
        return plan_orders(connection, company, recipients, now)


def plan_more(company: Company, now: datetime) -> int:
    """What follows from what Sage has: despatches, credit notes, allocations. Returns how many can go out now."""
    if not company.profile.orders_since:
        return 0
    with company.warehouse.transaction() as connection:
        despatches = plan_despatches(connection, now)
        plan_refunds(connection, company, now)
        allocations = plan_allocations(connection, company, now)
    return despatches + allocations


def sop_records(company: Company, client: SageClient) -> SopRecords:
    """Nothing is asked where no route makes Sage orders."""
    if not company.profile.orders_since:
        return SopRecords()
    with company.warehouse.read() as connection:
        products = dict(connection.execute("select code, id from raw.sage_products").fetchall())
    personal = personal_data(company)

    def recipient(order_id: str) -> Recipient | None:
        return personal.of([order_id]).get(order_id)

    sage = company.profile.sage
    return SopRecords.read(
        client,
        products,
        sage.warehouses,
        windows_1252=sage.characters == "windows-1252",
        recipient=recipient,
    )
