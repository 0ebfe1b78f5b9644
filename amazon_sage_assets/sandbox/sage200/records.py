"""What a company has before anything is posted: currencies, accounts, banks, customers, periods."""

from amazon_sage_assets.sandbox.sage200.columns import (
    Child,
    Resource,
    flag,
    moment,
    money,
    rate,
    setting_sql,
    stamps,
    text,
    whole,
)

CURRENCY = Resource(
    "currencies c",
    whole(id="c.id", currency_iso_code_id="c.id")
    | text(symbol="c.symbol", name="c.name", exchange_rate_type="'ExchangeRateSingle'")
    | rate(core_currency_rate="c.rate", euro_currency_rate="0")
    | flag(is_base_currency="c.is_base", is_euro_currency="c.iso = 'EUR'", use_for_new_accounts="c.is_base")
    | stamps("c"),
    children={
        "currency_iso_code": Child(
            Resource("currencies c", whole(id="c.id") | text(code="c.iso", name="c.name") | stamps("c")),
            "c.id",
            "c.id",
            many=False,
        )
    },
)
TAX_CODE = Resource(
    "tax_codes t",
    whole(id="t.id", code="t.code")
    | text(name="t.name", terms="''", terms_description="''")
    | money(tax_rate="t.rate")
    | flag(is_notional_acquisition_tax="t.notional")
    | stamps("t"),
)
_CURRENT = (
    "n.period_id in (select p.id from periods p join years y on y.id = p.year_id "
    "where substr(y.start, 1, 10) <= today() and substr(y.finish, 1, 10) >= today())"
)
_BEFORE = (
    "n.period_id in (select p.id from periods p where p.start < (select max(y.start) from years y "
    "where substr(y.start, 1, 10) <= today()))"
)


def _nominal_sum(what: str, condition: str = _CURRENT) -> str:
    return f"(select coalesce(sum({what}), 0) from nominal_entries n where n.nominal_id = c.id and {condition})"


_PARTS = {
    "cost_centre_id": "(select id from cost_centres where code = c.cost_centre)",
    "department_id": "(select id from departments where code = c.department)",
}
NOMINAL_CODE = Resource(
    "nominal_codes c",
    whole(id="c.id", report_category_id="2259", periods_to_keep_transactions="0", **_PARTS)
    | text(
        reference="c.reference",
        name="c.name",
        cost_centre_code="c.cost_centre",
        department_code="c.department",
        nominal_account_type="'Posting'",
        account_status_type="'AccountStatusActive'",
    )
    | money(
        balance_year_to_date=_nominal_sum("n.debit - n.credit"),
        debit_balance_year_to_date=_nominal_sum("n.debit"),
        credit_balance_year_to_date=_nominal_sum("n.credit"),
        brought_forward_balance=_nominal_sum("n.debit - n.credit", _BEFORE),
    )
    | flag(
        display_balances_in_selection_list="1",
        allow_manual_journal_entries="1",
        use_batch_postings="0",
    )
    | stamps("c"),
)
NOMINAL_CODE_VIEW = Resource(
    NOMINAL_CODE.source,
    {
        name: column
        for name, column in NOMINAL_CODE.columns.items()
        if name in ("id", "reference", "name", "cost_centre_id", "cost_centre_code", "department_id", "department_code")
        or name in ("balance_year_to_date", "brought_forward_balance", "report_category_id")
    },
)


def part(table: str) -> Resource:
    columns = whole(id="d.id") | text(
        code="d.code", name="d.name", contact_name="''", contact_details="''", contact_email_address="''"
    )
    return Resource(f"{table} d", columns | flag(is_to_delete="0") | stamps("d"))


_BANK_NOMINAL = {
    "bank_account_nominal_reference": "k.reference",
    "bank_account_nominal_cost_centre": "k.cost_centre",
    "bank_account_nominal_department": "k.department",
    "exchange_diff_nominal_reference": setting_sql("exchange_differences"),
}
_BANK_MONEY = {
    "balance": "(select coalesce(sum(e.direction * e.value), 0) from bank_entries e where e.bank_id = b.id)",
    "balance_in_base": "(select coalesce(sum(e.base_value), 0) from bank_entries e where e.bank_id = b.id)",
    "statement_balance": "(select coalesce(sum(e.direction * e.value), 0) from bank_entries e "
    "where e.bank_id = b.id and e.statement_date is not null)",
    "overdraft_limit": "0",
}
_STATEMENT = "(select max(e.statement_date) from bank_entries e where e.bank_id = b.id)"
_BANK_TEXT = {
    "code": "b.code",
    "description": "b.name",
    "sort_code": "'00-00-00'",
    "account_no": "''",
    "bank_name": "''",
    "account_name": "''",
    "iban": "''",
    "bic": "''",
}
BANK = Resource(
    "banks b join nominal_codes k on k.id = b.nominal_id",
    whole(id="b.id", account_currency_id="b.currency_id")
    | text(
        **_BANK_TEXT,
        **_BANK_NOMINAL,
        account_type="'BankAccountCurrent'",
        account_status_type="'AccountStatusActive'",
    )
    | money(**_BANK_MONEY)
    | moment(statement_date=_STATEMENT)
    | stamps("b"),
    children={
        "account_currency": Child(CURRENCY, "b.currency_id", "c.id", many=False),
        "bank_account_nominal_code": Child(NOMINAL_CODE, "b.nominal_id", "c.id", many=False),
    },
)
BANK_VIEW = Resource(
    "banks b join nominal_codes k on k.id = b.nominal_id join currencies c on c.id = b.currency_id",
    whole(id="b.id", currency_id="b.currency_id", currency_iso_code_id="c.id")
    | text(
        **_BANK_TEXT,
        **_BANK_NOMINAL,
        currency_name="c.name",
        currency_symbol="c.symbol",
        currency_iso_code="c.iso",
        currency_iso_code_name="c.name",
    )
    | money(**_BANK_MONEY)
    | moment(statement_date=_STATEMENT),
)
_OWED = (
    "(select coalesce(sum(s.sign * ({})), 0) from sales_entries s where s.customer_id = c.id)"  # what is still to pay
)
_CUSTOMER_MONEY = {"balance": _OWED.format("s.goods + s.tax - s.allocated"), "credit_limit": "0"}
_DEFAULT_TAX = f"coalesce(c.tax_code_id, (select id from tax_codes where code = {setting_sql('default_tax_code')}))"
CUSTOMER = Resource(
    "customers c",
    whole(
        id="c.id",
        currency_id="c.currency_id",
        default_tax_code_id=_DEFAULT_TAX,
        payment_terms_days="30",
        default_nominal_code_id="(select id from nominal_codes where reference = c.nominal_reference "
        "and cost_centre = '' and department = '')",
    )
    | text(
        reference="c.reference",
        name="c.name",
        short_name="substr(c.name, 1, 8)",
        account_status_type="'AccountStatusActive'",
        payment_terms_basis="'DocumentDate'",
        vat_number="''",
        default_nominal_code_reference="c.nominal_reference",
        default_nominal_code_cost_centre="''",
        default_nominal_code_department="''",
    )
    | money(**_CUSTOMER_MONEY)
    | flag(on_hold="0", terms_agreed="1", use_tax_code_as_default="0")
    | stamps("c"),
    children={
        "currency": Child(CURRENCY, "c.currency_id", "c.id", many=False),
        "default_tax_code": Child(TAX_CODE, _DEFAULT_TAX, "t.id", many=False),
    },
)
CUSTOMER_VIEW = Resource(
    "customers c join currencies m on m.id = c.currency_id",
    whole(id="c.id", currency_id="c.currency_id", default_tax_rate_id=_DEFAULT_TAX)
    | text(
        reference="c.reference",
        name="c.name",
        short_name="substr(c.name, 1, 8)",
        currency_name="m.name",
        currency_symbol="m.symbol",
        currency_iso_code="m.iso",
        default_nominal_account_number="c.nominal_reference",
    )
    | money(**_CUSTOMER_MONEY, base_balance=_OWED.format("s.base_goods + s.base_tax - s.base_allocated"))
    | flag(account_is_on_hold="0", terms_agreed="1")
    | stamps("c"),
)
PERIOD = Resource(
    "periods p join years y on y.id = p.year_id",
    whole(
        financial_year_id="y.id",
        accounting_period_id="p.id",
        period_number="p.number",
        number_of_periods_in_year="12",
        year_relative_to_current_year="(select count(*) from years z where z.start <= y.start) - "
        "(select count(*) from years z where substr(z.start, 1, 10) <= today())",
    )
    | moment(
        financial_year_start_date="y.start",
        financial_year_end_date="y.finish",
        period_start_date="p.start",
        period_end_date="p.finish",
    ),
    key="accounting_period_id",
)
