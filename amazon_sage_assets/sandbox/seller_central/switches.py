"""Ways in which Amazon can be otherwise. All are off at first."""

# ITEM, SHIPPING and the like hold their VAT; TAX still says how much. Amazon does not document which way it is.
PRICES_INCLUDE_TAX = "prices_include_tax"
# Orders are refused together with their FULFILLMENT block, as on 26 August 2026.
FULFILLMENT_REFUSED = "fulfillment_refused"
# A report that is asked for is done at once; otherwise each look at it brings it a step on.
REPORTS_AT_ONCE = "reports_at_once"
SWITCHES = frozenset({PRICES_INCLUDE_TAX, FULFILLMENT_REFUSED, REPORTS_AT_ONCE})
