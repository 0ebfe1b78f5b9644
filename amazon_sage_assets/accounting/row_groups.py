"""The row groups: what kind of money each settlement row can be. Rule files use these names and no others."""

# Price, tax and discount of an order: whose revenue it is depends on the order's owner.
SALE_SIDE = ("sale", "sale_tax", "promotion", "promotion_tax", "withheld_tax")
REFUND_SIDE = ("refund", "refund_tax", "refund_promotion", "refund_promotion_tax", "refund_withheld_tax")
ORDER_GROUPS = (*SALE_SIDE, *REFUND_SIDE, "chargeback")

FEE_GROUPS = (
    "order_fee", "fba_fee", "fee_refund", "storage", "inbound", "removal", "advertising", "subscription",
    "promotion_fee", "postage", "other_fee", "fee_tax",
)  # fmt: skip
OTHER_GROUPS = (
    "reimbursement",
    "clawback",
    "liquidation",
    "liquidation_tax",
    "other_income",
    "tax_other",
    "retrocharge",
)
BALANCE_GROUPS = ("balance_reserve", "balance_debt", "balance_transfer", "balance_charge", "balance_payout")

ALL_GROUPS = frozenset({*ORDER_GROUPS, *FEE_GROUPS, *OTHER_GROUPS, *BALANCE_GROUPS})
