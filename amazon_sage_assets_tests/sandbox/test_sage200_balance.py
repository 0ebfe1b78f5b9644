"""Whatever is booked, the books balance: many random documents, by the API and by hand, refused ones among them."""

import random
from decimal import Decimal
from typing import Any

from amazon_sage_assets.sandbox.sage200 import Refused
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany


def anything(source: random.Random, ids: dict[str, list[int]]) -> tuple[str, dict[str, Any]]:
    """A document that is right more often than not."""

    def money() -> Decimal:
        return Decimal(source.randrange(-100, 100_000)).scaleb(-2)

    kind = source.choice(
        ["bank_payment", "bank_receipt", "bank_transfer", "sales_invoices", "sales_credit_notes", "sales_receipts",
         "sales_payments"]
    )  # fmt: skip
    head: dict[str, Any] = {"transaction_date": f"2026-{source.randrange(1, 13):02d}-15T00:00:00Z"}
    if source.random() < 0.3:
        head["exchange_rate"] = Decimal(source.randrange(500_000, 2_000_000)).scaleb(-6)
    if kind == "bank_transfer":
        first, second = source.choices(ids["banks"], k=2)
        return kind, {**head, "bank_from_id": first, "bank_to_id": second, "payment_value": money()}
    if kind in ("bank_payment", "bank_receipt"):
        values = [money() for _ in range(source.randrange(1, 5))]
        lines = [{"code": source.choice(["4000", "5100", "5130", "9999"]), "gross_value": value,
                  "tax_code_id": source.choice(ids["tax_codes"])} for value in values]  # fmt: skip
        bank = source.choice(ids["banks"])
        foreign = {"cheque_value": sum(values), "cheque_tax_value": source.choice([0, 1])}
        return kind, {**head, **foreign, "bank_id": bank, "nominal_analysis_items": lines}
    head["customer_id"] = source.choice(ids["customers"])
    if kind in ("sales_receipts", "sales_payments"):
        return kind, {**head, "bank_id": source.choice(ids["banks"]), "cheque_value": money()}
    values = [money() for _ in range(3)]
    lines = [{"code": "4000", "value": value} for value in values]
    goods = sum(values) + source.choice([0, 0, 0, 1])
    return kind, {**head, "nominal_analysis_items": lines, "document_goods_value": goods, "document_tax_value": money()}


def test_the_books_balance_after_anything(sage: SageCompany) -> None:
    source = random.Random(200)
    ids = {table: [row["id"] for row in sage.get(table)] for table in ("banks", "customers", "tax_codes")}
    booked = refused = 0
    for _ in range(400):
        kind, body = anything(source, ids)
        try:
            sage.books.enter(kind, body)
            booked += 1
        except Refused:
            refused += 1
    assert booked > 150
    assert refused > 50
    moved = sage.ledger()
    assert set(moved) >= {"1100", "1200", "1250", "1251", "2200", "2201", "4000", "5100", "5130", "7900"}
    owed = sum(row["base_balance"] for row in sage.get("customer_views"))
    assert Decimal(moved["1100"]) == owed
    urns = [document["urn"] for document in sage.books.documents()]
    assert urns == list(range(1327, 1327 + booked))
