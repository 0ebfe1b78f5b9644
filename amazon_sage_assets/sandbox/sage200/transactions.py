"""What is read of posted documents: in the bank, in the sales ledger, in the nominal ledger."""

from amazon_sage_assets.sandbox.sage200.columns import (
    Child,
    Resource,
    flag,
    moment,
    money,
    named,
    rate,
    stamps,
    text,
    whole,
)
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.records import BANK, CURRENCY, CUSTOMER, PERIOD

# What hangs on a document. The nominal lines of one that waits for its period are shown too.
_LINES = (
    "(select urn, nominal_id, reference, narrative, debit - credit as value, source from nominal_entries "
    "union all select urn, nominal_id, reference, narrative, debit - credit, source from nominal_waiting)"
)
NOMINAL_ITEMS = Resource(
    f"{_LINES} n join nominal_codes k on k.id = n.nominal_id",
    text(
        code="k.reference",
        cost_centre="k.cost_centre",
        department="k.department",
        name="k.name",
        location="''",
        reference="n.reference",
        narrative="n.narrative",
        transaction_analysis_code="''",
        source="n.source",
    )
    | money(value="n.value", base_value="n.value"),
    key="",
)
TAX_ITEMS = Resource(
    "tax_entries x join tax_codes t on t.id = x.tax_code_id",
    whole(id="t.id", code="t.code")
    | text(name="t.name", entry_type="x.type")
    | money(goods_amount="x.goods", tax_amount="x.tax", tax_discount_amount="0"),
    key="",
)
BANK_ITEMS = Resource(
    "bank_entries e join banks b on b.id = e.bank_id",
    whole(statement_page_number="e.statement_page", urn="e.urn")
    | text(bank_code="b.code", name="b.name", bank_entry_type="e.type", reference="e.reference")
    | money(cheque_value="e.value")
    | moment(statement_date="e.statement_date"),
    key="",
)
TRADE_ITEMS = Resource(
    "sales_entries s join customers c on c.id = s.customer_id",
    whole(urn="s.urn")
    | text(
        account_number="c.reference",
        account_name="c.name",
        trading_entry_type="s.type",
        entry_type_string="(select description from enumerations where value = s.type)",
        reference="s.reference",
    )
    | money(gross_value="s.sign * (s.goods + s.tax)", tax_value="s.sign * s.tax")
    | moment(transaction_date="s.transaction_date"),
    key="",
)
ALLOCATION_ITEMS = Resource(
    "allocations a join sales_entries s on s.id = a.sales_entry_id",
    whole(urn="s.urn")
    | text(user_name="a.user_name", ledger_type="'LedgerSales'", reference="s.reference")
    | named("trader_transaction_type", "s.type", "trader_transaction_types")
    | money(value="s.sign * (s.goods + s.tax)", allocation_value="a.value")
    | moment(allocation_date="a.allocation_date"),
    key="",
)


def _of_document(table: str) -> dict[str, Child]:
    key = f"{table}.urn"
    return {
        "nominal_analysis_items": Child(NOMINAL_ITEMS, key, "n.urn"),
        "tax_analysis_items": Child(TAX_ITEMS, key, "x.urn"),
    }


NOMINAL_TRANSACTION = Resource(
    "nominal_entries n join periods p on p.id = n.period_id join years y on y.id = p.year_id",
    whole(
        id="n.id",
        nominal_code_id="n.nominal_id",
        period_number="p.number",
        urn="n.urn",
        accounting_period_id="p.id",
        financial_year_id="y.id",
        year_relative_to_current_year=PERIOD.columns["year_relative_to_current_year"].sql,
    )
    | text(
        reference="n.reference",
        narrative="n.narrative",
        transaction_analysis_code="''",
        user_name="n.user_name",
        source="n.source",
    )
    | money(debit="n.debit", credit="n.credit")
    | moment(transaction_date="n.transaction_date", financial_year_start_date="y.start"),
    children=_of_document("n")
    | {
        "bank_items": Child(BANK_ITEMS, "n.urn", "e.urn"),
        "trade_items": Child(TRADE_ITEMS, "n.urn", "s.urn"),
    },
)


def bank_transaction(options: Options) -> Resource:
    return Resource(
        "bank_entries e join banks b on b.id = e.bank_id",
        whole(
            id="e.id",
            bank_id="e.bank_id",
            cheque_currency_id="b.currency_id",
            statement_page_number="e.statement_page",
            urn="e.urn",
        )
        | named("bank_transaction_type", "e.type", "bank_entry_types")
        | text(
            entry_description="e.description",
            reference="e.reference",
            second_reference="e.second_reference",
            source="e.source",
            user_name="e.user_name",
        )
        | money(
            cheque_value="e.direction * e.value" if options.payments_negative else "e.value",
            cheque_discount_value="0",
        )
        | rate(cheque_to_account_currency_rate="1000000", bank_cheque_to_base_currency_rate="e.rate")
        | moment(transaction_date="e.transaction_date", posted_date="e.posted", last_statement_date="e.statement_date")
        | stamps("e"),
        children=_of_document("e")
        | {
            "trade_items": Child(TRADE_ITEMS, "e.urn", "s.urn"),
            "bank": Child(BANK, "e.bank_id", "b.id", many=False),
            "cheque_currency": Child(CURRENCY, "b.currency_id", "c.id", many=False),
        },
    )


def sales_resources(options: Options) -> dict[str, Resource]:
    sign = "s.sign"
    if not options.credit_notes_negative:
        sign = "(case when s.type = 'TradingAccountEntryTypeCreditNote' then 1 else s.sign end)"
    gross, base = f"{sign} * (s.goods + s.tax)", f"{sign} * (s.base_goods + s.base_tax)"
    document = {
        "document_gross_value": gross,
        "document_discount_value": f"{sign} * s.discount",
        "document_tax_discount_value": f"{sign} * s.tax_discount",
        "document_allocated_value": f"{sign} * s.allocated",
        "document_outstanding_value": f"{sign} * (s.goods + s.tax - s.allocated)",
    }
    more = {
        "document_goods_value": f"{sign} * s.goods",
        "document_tax_value": f"{sign} * s.tax",
        "base_goods_value": f"{sign} * s.base_goods",
        "base_tax_value": f"{sign} * s.base_tax",
        "base_gross_value": base,
        "base_discount_value": "0",
        "base_tax_discount_value": "0",
        "base_allocated_value": f"{sign} * s.base_allocated",
    }
    head = (
        text(reference="s.reference", second_reference="s.second_reference", user_name="s.user_name")
        | rate(exchange_rate="s.rate")
        | flag(settled_immediately="s.settled_immediately")
        | moment(transaction_date="s.transaction_date", posted_date="s.posted", due_date="s.due_date")
    )
    settled = "(case when s.allocated = 0 then '{}' when s.allocated = s.goods + s.tax then '{}' else '{}' end)"
    children = _of_document("s") | {
        "bank_items": Child(BANK_ITEMS, "s.urn", "e.urn"),
        "allocation_session_items": Child(ALLOCATION_ITEMS, "s.id", "a.sales_entry_id"),
        "customer": Child(CUSTOMER, "s.customer_id", "c.id", many=False),
    }
    posted = Resource(
        "sales_entries s",
        whole(id="s.id", customer_id="s.customer_id", discount_days="s.discount_days", urn="s.urn")
        | named("trader_transaction_type", "s.type", "trader_transaction_types")
        | text(queried="''")
        | head
        | money(
            **document, **more, control_value_in_base_currency=base, discount_percent="s.discount_percent"
        )
        | moment(full_settlement_date="s.settled_date")
        | stamps("s"),
        children=children,
    )  # fmt: skip
    enquiry = Resource(
        "sales_entries s",
        whole(id="s.id", customer_id="s.customer_id", urn="s.urn")
        | named("trader_transaction_type", "s.type", "trader_transaction_types")
        | text(
            queried="''",
            memo_note_status="''",
            source="s.source",
            discount_days="cast(s.discount_days as text)",
            allocation_status=settled.format("AllocationStatusBlank", "AllocationStatusFull", "AllocationStatusPart"),
        )
        | head
        | money(**document)
        | flag(has_documents="0"),
        children=children,
    )
    fast = Resource(
        "sales_entries s join customers c on c.id = s.customer_id join currencies m on m.id = c.currency_id",
        whole(
            posted_customer_transaction_id="s.id",
            customer_id="s.customer_id",
            discount_days="s.discount_days",
            urn="s.urn",
        )
        | named("transaction_type", "s.type", "trader_transaction_types")
        | text(
            query="''",
            status=settled.format("Outstanding", "Settled", "Part settled"),
            ledger_type="s.source",
            customer_reference="c.reference",
            customer_name="c.name",
            currency_name="m.name",
            currency_symbol="m.symbol",
        )
        | head
        | money(
            **document,
            **more,
            base_outstanding_value=f"{sign} * (s.base_goods + s.base_tax - s.base_allocated)",
        )
        | moment(transaction_date_time_updated="s.updated"),
        key="posted_customer_transaction_id",
    )
    return {
        "sales_posted_transactions": posted,
        "sales_transaction_enquiry_views": enquiry,
        "sales_transaction_views": fast,
    }
