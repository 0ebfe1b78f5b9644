"""Which treatments a sale can have, and the sales account of each."""

# `by_order` is not a treatment but the request to find one: see core__settlement_lines.sql.
BY_ORDER = "by_order"

# A sale's treatment names its sales account. `outside_scope` keeps the account that the row's rule names.
SALES_ACCOUNTS = {
    "uk_standard": "sales",
    "uk_reduced": "sales_reduced",
    "uk_zero": "sales_zero",
    "exempt": "sales_exempt",
    "export_zero": "sales_export",
    "marketplace_zero": "sales_marketplace",
    "marketplace_outside": "sales_marketplace",
    "eu_local_sale": "sales_eu",
    "outside_scope": "sales",
}
