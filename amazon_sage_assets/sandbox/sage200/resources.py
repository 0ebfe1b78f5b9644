"""Everything that can be read, by its path."""

from amazon_sage_assets.sandbox.sage200.columns import (
    Child,
    Resource,
    flag,
    moment,
    setting_sql,
    stamps,
    text,
    whole,
)
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.records import (
    BANK,
    BANK_VIEW,
    CURRENCY,
    CUSTOMER,
    CUSTOMER_VIEW,
    NOMINAL_CODE,
    NOMINAL_CODE_VIEW,
    PERIOD,
    TAX_CODE,
    part,
)
from amazon_sage_assets.sandbox.sage200.transactions import NOMINAL_TRANSACTION, bank_transaction, sales_resources


def enumeration(name: str) -> Resource:
    columns = whole(id="e.id") | text(description="e.description", value="e.value")
    return Resource("enumerations e", columns, where=f"e.list = '{name}'")


def _company(options: Options) -> dict[str, Resource]:
    """Who and what this company is: one record each."""
    alone = "(select 1)"
    licence = ("sales", "nominal", "cash_book", "stock", "sales_orders")
    rules = {
        "closed_period_classification": "closed_period",
        "future_period_classification": "future_period",
        "previous_year_classification": "previous_year",
        "future_year_classification": "future_year",
    }
    validation = Resource(
        alone,
        whole(id="1", pre_days_normal="0", post_days_normal="0", pre_days_acceptable="0", post_days_acceptable="0")
        | text(
            transaction_date_validation_type="'AccountingPeriods'",
            **{name: setting_sql(key) for name, key in rules.items()},
        ),
    )
    return {
        "system_settings": Resource(
            alone,
            whole(
                id="1",
                number_open_periods=setting_sql("number_open_periods", "integer"),
                next_invoice_number="1",
                next_credit_note_number="1",
                next_journal_entry_number="1",
            )
            | text(next_urn=setting_sql("next_urn"), accounting_period_validation_type=setting_sql("closed_period"))
            | flag(update_nominal_online=str(int(options.nominal_online)))
            | moment(
                financial_year_end_date="(select finish from years where substr(start, 1, 10) <= today() "
                "order by start desc limit 1)"
            ),
            children={"transaction_date_validation": Child(validation, "1", "1", many=False)},
        ),
        "company_details": Resource(
            alone,
            whole(id="1", years_accounts_held_for="5", country_code_id="13")
            | text(name=setting_sql("company_name"), tax_registration_number=setting_sql("vat_number"), email="''"),
        ),
        "current_user": Resource(
            alone,
            whole(id="7") | text(logon_name="'api'", friendly_name="'API user'") | flag(is_web_user="1"),
            single=True,
        ),
        "licence": Resource(alone, flag(**{f"is_{part}_enabled": "1" for part in licence}), key="", single=True),
    }


SITES = Resource(
    "(select 1)",
    whole(company_id=setting_sql("company_id", "integer"))
    | text(**{name: setting_sql(name) for name in ("company_name", "site_id", "site_name", "site_short_name")}),
    key="company_id",
)
_CONTROLS = (
    "settings z join nominal_codes k on k.reference = z.value and k.cost_centre = '' and k.department = '' "
    "and z.key in ('debtors', 'output_vat', 'input_vat', 'exchange_differences')"
)


def catalogue(options: Options) -> dict[str, Resource]:
    """Everything that can be read, by its path."""
    return {
        "sites": SITES,
        "customers": CUSTOMER,
        "customer_views": CUSTOMER_VIEW,
        "banks": BANK,
        "bank_views": BANK_VIEW,
        "nominal_codes": NOMINAL_CODE,
        "nominal_code_views": NOMINAL_CODE_VIEW,
        "control_nominal_codes": Resource(
            _CONTROLS,
            whole(id="k.id")
            | text(name="k.name", account_number="k.reference", control_nominal_code_type="z.key")
            | stamps("k"),
        ),
        "cost_centres": part("cost_centres"),
        "departments": part("departments"),
        "tax_codes": TAX_CODE,
        "currencies": CURRENCY,
        "financial_year_period_views": PERIOD,
        "bank_posted_transactions": bank_transaction(options),
        "nominal_transaction_enquiry_views": NOMINAL_TRANSACTION,
        **sales_resources(options),
        **{name: enumeration(name) for name in _ENUMERATED},
        **_company(options),
    }


_ENUMERATED = (
    "trader_transaction_types",
    "bank_entry_types",
    "ledger_types",
    "transaction_date_validation_classifications",
)

# Paths below another record: /banks/2143/bank_posted_transactions.
BELOW = {
    ("banks", "bank_posted_transactions"): "bank_id",
    ("customers", "sales_posted_transactions"): "customer_id",
    ("customers", "sales_transaction_enquiry_views"): "customer_id",
    ("nominal_codes", "nominal_transaction_enquiry_views"): "nominal_code_id",
}
# Collections whose records have an address of their own: /banks/2143.
WITH_IDS = (
    "customers",
    "banks",
    "nominal_codes",
    "control_nominal_codes",
    "cost_centres",
    "departments",
    "tax_codes",
    "currencies",
    "bank_posted_transactions",
    "sales_posted_transactions",
    "sales_transaction_enquiry_views",
    "nominal_transaction_enquiry_views",
    "system_settings",
    "company_details",
)
