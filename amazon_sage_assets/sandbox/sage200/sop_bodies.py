"""The bodies of sales order processing: orders, returns, despatches."""

from amazon_sage_assets.sandbox.sage200.bodies import (
    CODE,
    FLAG,
    ID,
    MOMENT,
    MONEY,
    NEEDED_ID,
    PART,
    RATE,
    REFERENCE,
    Field,
    Fields,
)

QUANTITY = Field("number", 5)
PLACE = Field("text", 60)
# The free fields of orders and lines.
FREE: Fields = {
    **{f"analysis_code_{number}": Field("text", 60) for number in range(1, 21)},
    **{f"spare_text_{number}": Field("text", 100) for number in range(1, 11)},
    **{f"spare_number_{number}": QUANTITY for number in range(1, 11)},
    **{f"spare_date_{number}": MOMENT for number in range(1, 6)},
    **{f"spare_bool_{number}": FLAG for number in range(1, 6)},
}
# What Sage keeps of an order and of a line, and nothing in the sandbox reckons with.
KEPT_OF_ORDER: Fields = {
    "customer_type": Field("text", 50),
    "document_created_by": Field("text", 30),
    "order_priority": Field("text", 1),
    "is_triangulated": FLAG,
    "quotation_expiry_date": MOMENT,
    "payment_reference": REFERENCE,
    **FREE,
}
KEPT_OF_LINE: Fields = {
    "use_description": FLAG,
    "selling_unit_description": REFERENCE,
    "selling_unit_price_overridden": FLAG,
    "pricing_unit_description": REFERENCE,
    "cost_price": QUANTITY,
    "retain_manual_prices": FLAG,
    "fulfilment_method": Field("text", 50),
    "confirmation_intent_type": Field("text", 50),
    "picking_list_comment": Field("text", 160),
    "despatch_note_comment": Field("text", 160),
    "show_on_customer_docs": FLAG,
    "show_on_picking_list_type": REFERENCE,
    **FREE,
}
DELIVERY: Fields = {
    **{name: PLACE for name in ("postal_name", "address_1", "address_2", "address_3", "address_4")},
    **{name: PLACE for name in ("city", "county", "country")},
    "postcode": Field("text", 10),
    "contact": Field("text", 235),
    "telephone_number": Field("text", 30),
    "fax_number": Field("text", 30),
    "email_address": Field("text", 255),
    "tax_number": Field("text", 30),
    "tax_code_id": ID,
    "country_code_id": ID,
}
# What would change the value of an order; refused rather than left out of it.
DISCOUNTS_OF_ORDER: Fields = {
    "settlement_discount_percent": MONEY,
    "document_discount_percent": MONEY,
    "payment_value": MONEY,
}
DISCOUNTS_OF_LINE: Fields = {"unit_discount_percent": MONEY, "unit_discount_value": QUANTITY}
SOP_LINE: Fields = {
    "line_type": Field("text", 20, required=True),
    "product_id": ID,
    "warehouse_id": ID,
    "code": Field("text", 30),
    "description": Field("text", 6000),
    "line_quantity": QUANTITY,
    "to_allocate_quantity": QUANTITY,
    "tax_code_id": ID,
    "nominal_reference": CODE,
    "nominal_cost_centre": PART,
    "nominal_department": PART,
    "selling_unit_price": QUANTITY,
    "requested_delivery_date": MOMENT,
    "promised_delivery_date": MOMENT,
    **DISCOUNTS_OF_LINE,
    **KEPT_OF_LINE,
}
SOP_ORDER: Fields = {
    "customer_id": NEEDED_ID,
    "is_editing": FLAG,
    "is_to_sequence_lines": FLAG,
    "override_on_hold": FLAG,
    "recalculate_prices": FLAG,
    "suppress_warnings": FLAG,
    "payment_with_order": FLAG,
    "document_no": REFERENCE,
    "document_date": MOMENT,
    "exchange_rate": RATE,
    "customer_document_no": Field("text", 30),
    "use_invoice_address": FLAG,
    "requested_delivery_date": MOMENT,
    "promised_delivery_date": MOMENT,
    "delivery_address": Field("object", items=DELIVERY),
    "lines": Field("list", items=SOP_LINE),
    **DISCOUNTS_OF_ORDER,
    **KEPT_OF_ORDER,
}
CONFIRM_DESPATCH: Fields = {
    "sop_order_return_id": NEEDED_ID,
    "despatch_receipt_date": MOMENT,
    "confirmation_intent_type": Field("text", 50),
    "items": Field("list", required=True, items={"id": NEEDED_ID, "quantity": Field("number", 5, required=True)}),
    "tracking_items": Field(
        "list",
        items={
            "sop_order_return_id": ID,
            "courier_id": ID,
            "consignment_no": PLACE,
            "weight": Field("number", 4),
            "pieces": ID,
            "notes": Field("text", 256),
        },
    ),
}
