"""What can be read of stock and sales order processing, by its path."""

from dataclasses import replace

from amazon_sage_assets.sandbox.sage200.bodies import Fields
from amazon_sage_assets.sandbox.sage200.columns import (
    Child,
    Column,
    Columns,
    Resource,
    flag,
    moment,
    money,
    named,
    quantity,
    rate,
    stamps,
    text,
    whole,
)
from amazon_sage_assets.sandbox.sage200.defaults import COMMENT, FULL, NONE, PART
from amazon_sage_assets.sandbox.sage200.options import Options
from amazon_sage_assets.sandbox.sage200.records import CURRENCY, CUSTOMER, NOMINAL_CODE, TAX_CODE
from amazon_sage_assets.sandbox.sage200.resources import enumeration
from amazon_sage_assets.sandbox.sage200.sop_bodies import DELIVERY, KEPT_OF_LINE, KEPT_OF_ORDER

ENUMERATED = (
    "sop_document_status_types",
    "sop_document_process_status_types",
    "sop_confirmation_intent_types",
)
_FREE_STOCK = "(select coalesce(sum(h.in_stock - h.allocated), 0) from warehouse_holdings h where h.product_id = p.id)"


def _kept(fields: Fields, place: str) -> Columns:
    """Fields that stand as JSON in one column."""
    return {
        name: Column(field.kind, f"json_extract({place}, '$.{name}')", field.size if field.kind == "number" else 0)
        for name, field in fields.items()
        if field.kind != "list" and field.kind != "object"  # noqa: PLR1714 - mypy narrows only this
    }


def _number_of(sql: str, names: str) -> str:
    return f"(select id from enumerations where list = '{names}' and value = {sql})"


def _progress(done: str, of: str = "l.quantity") -> str:
    return f"(case when {done} <= 0 then '{NONE}' when {done} >= {of} then '{FULL}' else '{PART}' end)"


# Stock

WAREHOUSE = Resource(
    "warehouses w",
    whole(id="w.id", country_code_id="13")
    | text(name="w.name", description="w.description", warehouse_type="''")
    | flag(use_for_sales_trading="1")
    | stamps("w"),
)
_HELD = "h.in_stock"
_HOLDING = (
    whole(id="h.id", warehouse_id="h.warehouse_id", product_id="h.product_id")
    | text(warehouse_name="w.name")
    | flag(is_default_manufacturing_warehouse="0")
    | quantity(
        **dict.fromkeys(("confirmed_qty_in_stock", "quantity_in_stock", "quantity_in_stock_less_reserved"), _HELD),
        **dict.fromkeys(("quantity_allocated_sop", "quantity_allocated"), "h.allocated"),
        **dict.fromkeys(("free_stock_available", "free_stock_available_less_reserved"), f"{_HELD} - h.allocated"),
        **dict.fromkeys(("reorder_level", "minimum_level", "maximum_level", "quantity_reserved"), "0"),
        **dict.fromkeys(("unconfirmed_qty_in_stock", "quantity_on_order", "quantity_allocated_stock"), "0"),
        quantity_allocated_bom="0",
    )
    | stamps("h")
)
_HOLDINGS = "warehouse_holdings h join warehouses w on w.id = h.warehouse_id"
PRODUCT = Resource(
    "products p",
    whole(
        id="p.id",
        product_group_id="34700",
        tax_code_id="p.tax_code_id",
        revenue_nominal_code_id="p.nominal_id",
    )
    | text(
        code="p.code",
        name="p.name",
        description="p.description",
        barcode="p.barcode",
        product_status_type="'Active'",
        fulfilment_method_type="'EnumFulfilmentFromStock'",
        manufacturer="''",
        part_number="''",
    )
    | quantity(free_stock_quantity=_FREE_STOCK, standard_cost="0", average_buying_price="0")
    | flag(allow_sales_order="1", use_description_on_documents="0")
    | stamps("p"),
    children={
        "tax_code": Child(TAX_CODE, "p.tax_code_id", "t.id", many=False),
        "revenue_nominal_code": Child(NOMINAL_CODE, "p.nominal_id", "c.id", many=False),
        "warehouse_holdings": Child(Resource(_HOLDINGS, _HOLDING), "p.id", "h.product_id"),
    },
)
WAREHOUSE_HOLDING = Resource(
    _HOLDINGS,
    _HOLDING,
    children={
        "product": Child(PRODUCT, "h.product_id", "p.id", many=False),
        "warehouse": Child(WAREHOUSE, "h.warehouse_id", "w.id", many=False),
    },
)

# Orders

DELIVERY_ADDRESS = Resource("sop_documents o", whole(id="o.id") | _kept(DELIVERY, "o.delivery") | stamps("o"))
_STOCK_UNITS = {
    "line_quantity": "l.quantity",
    "to_allocate_quantity": "0",
    "allocated_quantity": "l.allocated",
    "available_for_despatch": "l.allocated",
    "despatch_receipt_quantity": "l.despatched",
    "invoice_credit_quantity": "l.invoiced",
    "posted_invoice_credit_quantity": "l.invoiced",
}


def _line(kind: str) -> Resource:
    return Resource(
        "sop_lines l join sop_documents o on o.id = l.document_id left join nominal_codes k on k.id = l.nominal_id",
        whole(
            id="l.id",
            line_number="l.line_number",
            product_id="l.product_id",
            warehouse_id="l.warehouse_id",
            tax_code_id="l.tax_code_id",
            **{f"sop_{kind}_id": "l.document_id"},
        )
        | named("line_type", "l.line_type", "sop_line_types")
        | text(
            code="l.code",
            description="l.description",
            nominal_reference="k.reference",
            nominal_cost_centre="k.cost_centre",
            nominal_department="k.department",
            allocation_status=_progress("l.allocated"),
            despatch_receipt_status=_progress("l.despatched"),
            invoice_credit_status=_progress("l.invoiced"),
        )
        | quantity(
            **_STOCK_UNITS,
            **{f"stock_unit_{name}": sql for name, sql in _STOCK_UNITS.items()},
            selling_unit_price="l.price",
        )
        | money(
            line_total_value="l.total",
            line_tax_value="l.tax",
            discounted_unit_price="cast(round(l.price / 1000.0) as integer)",
            unit_discount_percent="0",
        )
        | flag(is_complete=f"(l.line_type <> '{COMMENT}' and l.invoiced >= l.quantity)", has_pop_order="0")
        | moment(requested_delivery_date="l.requested", promised_delivery_date="l.promised")
        | _kept(KEPT_OF_LINE, "l.more")
        | stamps("l"),
        where=f"o.kind = '{kind}'",
        children={
            "product": Child(PRODUCT, "l.product_id", "p.id", many=False),
            "warehouse": Child(WAREHOUSE, "l.warehouse_id", "w.id", many=False),
            "tax_code": Child(TAX_CODE, "l.tax_code_id", "t.id", many=False),
            "nominal_code": Child(NOMINAL_CODE, "l.nominal_id", "c.id", many=False),
        },
    )


def _document(kind: str) -> Resource:
    lines = _line(kind)
    return Resource(
        "sop_documents o",
        whole(id="o.id", customer_id="o.customer_id", currency_id="o.currency_id", settlement_discount_days="0")
        | named("document_status", "o.document_status", "sop_document_status_types")
        | named("despatch_receipt_status", "o.despatch_status", "sop_document_process_status_types")
        | named("invoice_credit_status", "o.invoice_status", "sop_document_process_status_types")
        | named("cancelled_status", "o.cancelled_status", "sop_document_process_status_types")
        | text(document_no="o.document_no", customer_document_no="o.customer_document_no", external_reference="''")
        | money(
            subtotal_goods_value="o.goods",
            subtotal_charge_net_value="o.charges",
            subtotal_charge_tax_value="o.charges_tax",
            subtotal_discount_value="0",
            total_net_value="o.net",
            total_tax_value="o.tax",
            total_gross_value="o.net + o.tax",
            settlement_discount_percent="0",
            document_discount_percent="0",
            payment_value="0",
        )
        | rate(exchange_rate="o.rate")
        | flag(
            is_draft="o.document_no = 'TBA'",
            is_credit_limit_exceeded="0",
            use_invoice_address="o.use_invoice_address",
            payment_with_order="0",
        )
        | moment(
            document_date="o.document_date", requested_delivery_date="o.requested", promised_delivery_date="o.promised"
        )
        | _kept(KEPT_OF_ORDER, "o.more")
        | stamps("o"),
        where=f"o.kind = '{kind}'",
        children={
            "lines": Child(lines, "o.id", "l.document_id"),
            "delivery_address": Child(DELIVERY_ADDRESS, "o.id", "o.id", many=False),
            "customer": Child(CUSTOMER, "o.customer_id", "c.id", many=False),
            "currency": Child(CURRENCY, "o.currency_id", "c.id", many=False),
        },
    )


_HEAD = {"customer_id": "c.id"}
_CUSTOMER = {"customer_reference": "c.reference", "customer_name": "c.name"}
_ADDRESS = {
    **{
        f"sop_delivery_addr_{name}": f"json_extract(o.delivery, '$.{name}')"
        for name in ("postal_name", "address_1", "address_2", "address_3", "address_4", "city", "county", "country")
    },
    "sop_delivery_addr_post_code": "json_extract(o.delivery, '$.postcode')",
    **{
        f"sop_delivery_addr_{name}": f"substr(json_extract(o.delivery, '$.{field}'), 1, 60)"
        for name, field in (
            ("contact", "contact"), ("telephone", "telephone_number"), ("fax", "fax_number"), ("email", "email_address")
        )
    },
}  # fmt: skip


def _line_view(kind: str) -> Resource:
    """One row for each line, with all that hangs on it."""
    head, line = f"sop_{kind}", f"sop_{kind}_line"
    columns = (
        whole(
            **{f"{head}_id": "o.id", f"{head}_currency_id": "o.currency_id", f"{line}_id": "l.id"},
            **{f"{line}_number": "l.line_number"},
            customer_id="c.id",
            product_id="l.product_id",
            warehouse_id="l.warehouse_id",
            tax_code_id="l.tax_code_id",
            tax_code_code="t.code",
        )
        | named(f"{head}_document_status", "o.document_status", "sop_document_status_types")
        | named(f"{line}_type", "l.line_type", "sop_line_types")
        | text(
            **{
                f"{head}_document_no": "o.document_no",
                f"{head}_customer_document_no": "o.customer_document_no",
                f"{head}_currency_name": "m.name",
                f"{head}_currency_symbol": "m.symbol",
                f"{head}_analysis_code_1": "json_extract(o.more, '$.analysis_code_1')",
                f"{line}_analysis_code_1": "json_extract(l.more, '$.analysis_code_1')",
                f"{line}_product_code": "l.code",
                f"{line}_product_description": "substr(l.description, 1, 1000)",
            },
            **_CUSTOMER,
            product_code="p.code",
            product_name="p.name",
            product_description="p.description",
            warehouse_name="w.name",
            tax_code_name="t.name",
        )
        | rate(**{f"{head}_exchange_rate": "o.rate"})
        | money(
            **{f"{line}_total_value": "l.total", f"{line}_line_tax_value": "l.tax"},
            tax_code_rate="t.rate",
        )
        | quantity(
            **{
                f"{line}_quantity": "l.quantity",
                f"{line}_despatch_receipt_quantity": "l.despatched",
                f"{line}_invoice_credit_quantity": "l.invoiced",
                f"{line}_selling_unit_price": "l.price",
                f"{line}_discounted_unit_price": "l.price",
            }
        )
        | moment(
            **{
                f"{head}_document_date": "o.document_date",
                f"{head}_requested_delivery_date": "o.requested",
                f"{head}_promised_delivery_date": "o.promised",
                f"{head}_date_time_updated": "o.updated",
                f"{line}_requested_delivery_date": "l.requested",
                f"{line}_promised_delivery_date": "l.promised",
                f"{line}_date_time_updated": "l.updated",
            }
        )
    )
    if kind == "order":
        columns |= quantity(sop_order_line_allocated_quantity="l.allocated") | text(**_ADDRESS)
        columns |= money(
            sop_order_subtotal_goods_value="o.goods",
            sop_order_subtotal_charge_net_value="o.charges",
            sop_order_subtotal_charge_tax_value="o.charges_tax",
        )
    return Resource(
        "sop_lines l join sop_documents o on o.id = l.document_id join customers c on c.id = o.customer_id "
        "join currencies m on m.id = o.currency_id left join products p on p.id = l.product_id "
        "left join warehouses w on w.id = l.warehouse_id left join tax_codes t on t.id = l.tax_code_id",
        columns,
        key=f"{line}_id",
        where=f"o.kind = '{kind}'",
    )


# Despatches and bills

_TRACKED = {
    "sop_despatch_courier_name": "r.name",
    "sop_despatch_consignment_no": "e.consignment_no",
    "sop_despatch_incoterm": "''",
    "sop_despatch_export_reason": "''",
    "sop_despatch_notes": "e.notes",
}
_TRACKING_URL = "(case when e.consignment_no = '' then '' else r.tracking_url || e.consignment_no end)"
_WEIGHT = {"sop_despatch_weight": Column("number", "(e.weight + 5) / 10", 3)}
COURIER = Resource(
    "couriers r",
    whole(id="r.id")
    | text(name="r.name", website="r.website", tracking_url="r.tracking_url")
    | flag(is_default="r.is_default", is_to_delete="0")
    | stamps("r"),
)
DESPATCH_VIEW = Resource(
    "sop_despatches e join sop_documents o on o.id = e.document_id join customers c on c.id = o.customer_id "
    "left join couriers r on r.id = e.courier_id",
    whole(
        sop_despatch_id="e.id",
        sop_despatch_courier_id="e.courier_id",
        sop_despatch_pieces="e.pieces",
        sop_order_id="o.id",
        sop_order_document_status_id=_number_of("o.document_status", "sop_document_status_types"),
        **_HEAD,
    )
    | text(
        sop_despatch_document_no="e.document_no",
        sop_despatch_user_name="e.user_name",
        sop_order_document_no="o.document_no",
        sop_order_customer_document_no="o.customer_document_no",
        **_TRACKED,
        **_CUSTOMER,
    )
    | _WEIGHT
    | moment(sop_despatch_date="e.despatch_date", sop_order_document_date="o.document_date"),
    key="sop_despatch_id",
    where="o.kind = 'order'",
)
DESPATCH_LINE_VIEW = Resource(
    "sop_despatch_lines d join sop_despatches e on e.id = d.despatch_id join sop_lines l on l.id = d.line_id "
    "join sop_documents o on o.id = l.document_id join customers c on c.id = o.customer_id "
    "left join couriers r on r.id = e.courier_id "
    "left join products p on p.id = l.product_id left join warehouses w on w.id = l.warehouse_id "
    "left join warehouse_holdings h on h.product_id = l.product_id and h.warehouse_id = l.warehouse_id",
    whole(
        sop_despatch_line_id="d.id",
        sop_despatch_id="e.id",
        sop_order_line_id="l.id",
        sop_order_line_type_id=_number_of("l.line_type", "sop_line_types"),
        sop_order_line_print_sequence_number="l.line_number",
        sop_order_id="o.id",
        product_id="l.product_id",
        warehouse_holding_id="h.id",
        warehouse_id="l.warehouse_id",
        sop_despatch_pieces="e.pieces",
        **_HEAD,
    )
    | named("sop_order_document_status_type", "o.document_status", "sop_document_status_types")
    | text(
        sop_despatch_document_no="e.document_no",
        sop_despatch_user_name="e.user_name",
        sop_order_line_item_code="case when l.code = '' then substr(l.description, 1, 30) else l.code end",
        sop_order_line_item_description="substr(l.description, 1, 60)",
        sop_order_document_no="o.document_no",
        sop_order_customer_document_no="o.customer_document_no",
        product_code="p.code",
        product_name="p.name",
        warehouse_name="w.name",
        sys_courier_tracking_url=_TRACKING_URL,
        **_TRACKED,
        **_CUSTOMER,
    )
    | quantity(
        sop_despatch_line_quantity="d.quantity",
        sop_order_line_quantity="l.quantity",
        sop_order_line_despatch_quantity="l.despatched",
    )
    | _WEIGHT
    | flag(sop_despatch_line_is_invoiced="d.bill_id is not null")
    | moment(
        sop_despatch_date="e.despatch_date", sop_order_document_date="o.document_date", date_time_updated="d.updated"
    ),
    key="sop_despatch_line_id",
    where="o.kind = 'order'",
)
DESPATCH_RECEIPT = Resource(
    "sop_despatches e left join couriers r on r.id = e.courier_id",
    whole(id="e.id", courier_id="e.courier_id", pieces="e.pieces")
    | text(
        despatch_no="e.document_no",
        despatched_by="e.user_name",
        courier_name="r.name",
        consignment_no="e.consignment_no",
        notes="e.notes",
    )
    | {"weight": Column("number", "e.weight", 4)}
    | moment(despatch_date="e.despatch_date")
    | stamps("e"),
    children={"courier": Child(COURIER, "e.courier_id", "r.id", many=False)},
)
_BILL_TYPE = "(case o.kind when 'order' then {} else {} end)"
BILL_VIEW = Resource(
    "sop_bills b join sop_documents o on o.id = b.document_id join customers c on c.id = o.customer_id",
    whole(
        sop_order_return_id="o.id",
        sop_order_return_document_type_id=_BILL_TYPE.format(0, 1),
        sop_order_return_document_status_id=_number_of("o.document_status", "sop_document_status_types"),
        sop_invoice_credit_id="b.id",
        **_HEAD,
    )
    | text(
        sop_order_return_document_no="o.document_no",
        sop_order_return_customer_document_no="o.customer_document_no",
        sop_invoice_credit_document_no="b.document_no",
        sop_invoice_credit_type_id=_BILL_TYPE.format("'Invoice'", "'Credit note'"),
        sop_invoice_credit_document_status_id="'Posted'",
        customer_short_name="substr(c.name, 1, 8)",
        **_CUSTOMER,
    )
    | money(
        sop_order_return_total_net_value="o.net",
        sop_order_return_total_tax_value="o.tax",
        sop_order_return_total_gross_value="o.net + o.tax",
        sop_invoice_credit_total_net_value="b.net",
        sop_invoice_credit_total_tax_value="b.tax",
        sop_invoice_credit_total_gross_value="b.net + b.tax",
    )
    | moment(sop_order_return_document_date="o.document_date", sop_invoice_credit_document_date="b.bill_date"),
    key="sop_invoice_credit_id",
)
BILL_LINE_VIEW = Resource(
    "sop_bill_lines i join sop_bills b on b.id = i.bill_id join sop_documents o on o.id = b.document_id",
    whole(
        sop_invoice_credit_id="b.id",
        sop_order_return_line_id="i.line_id",
        sop_invoice_credit_type_id=_BILL_TYPE.format(0, 1),
        sop_invoice_credit_document_status_id="0",
    )
    | text(sop_invoice_credit_document_no="b.document_no")
    | quantity(sop_invoice_credit_line_invoice_credit_quantity="i.quantity")
    | moment(sop_invoice_credit_document_date="b.bill_date"),
    key="sop_invoice_credit_id",
)
ADDITIONAL_CHARGE = Resource(
    "additional_charges a",
    whole(id="a.id", nominal_code_id="a.nominal_id", tax_code_id="a.tax_code_id")
    | text(code="a.code", name="a.name")
    | money(charge_value="a.value")
    | quantity(notional_cost_value="0")
    | stamps("a"),
    children={
        "nominal_code": Child(NOMINAL_CODE, "a.nominal_id", "c.id", many=False),
        "tax_code": Child(TAX_CODE, "a.tax_code_id", "t.id", many=False),
    },
)


def _settings(options: Options) -> Resource:
    """What a client must know before it writes an order."""
    switches = {
        name: str(int(getattr(options, name)))
        for name in (
            "auto_generate_order_return_numbers",
            "amend_nominal_codes",
            "are_prices_tax_inclusive",
            "allocate_stock_on_order_entry",
            "update_stock_on_despatch",
            "record_tracking_on_despatch",
        )
    }
    return Resource(
        "(select 1)",
        whole(id="1", cash_order_account_id="0")
        | text(order_line_item_type="'Both'", default_free_text_confirm_intent_type="'ConfirmOnDespatch'")
        | flag(
            **switches,
            amend_analysis_codes="1",
            revenue_nominal_account_same_as="1",
            allow_payment_with_order="0",
            add_invoice_credit_note_to_sales_ledger="1",
            allow_cash_orders="0",
        ),
    )


def _permissions(options: Options) -> Resource:
    may = str(int(options.price_permission == "ok"))
    return Resource(
        "(select 1)",
        whole(id="7", user_number="7")
        | text(user_name="'api'")
        | flag(override_prices_discounts=may, override_credit_holds="0", view_profit_values="0"),
    )


def sop_catalogue(options: Options) -> dict[str, Resource]:
    """Stock and sales order processing, by path."""
    returns = {"sop_returns": _document("return"), "sop_return_line_views": _line_view("return")}
    return {
        "products": PRODUCT,
        "warehouses": WAREHOUSE,
        "warehouse_holdings": WAREHOUSE_HOLDING,
        "couriers": COURIER,
        "sop_additional_charges": ADDITIONAL_CHARGE,
        "sop_settings": _settings(options),
        "current_user_sop_user_permissions": _permissions(options),
        "sop_orders": _document("order"),
        "sop_order_lines": replace(_line("order"), listed=False),
        "sop_order_line_views": _line_view("order"),
        "sop_order_despatch_views": DESPATCH_VIEW,
        "sop_order_despatch_line_views": DESPATCH_LINE_VIEW,
        "sop_despatch_receipts": DESPATCH_RECEIPT,
        "sop_order_return_invoice_credit_views": BILL_VIEW,
        "sop_order_return_line_invoice_credit_views": BILL_LINE_VIEW,
        **(returns if options.has_sop_returns else {}),
        **{name: enumeration(name) for name in ENUMERATED},
    }


# Collections whose records have an address of their own.
SOP_WITH_IDS = (
    "products",
    "warehouses",
    "warehouse_holdings",
    "couriers",
    "sop_additional_charges",
    "sop_settings",
    "sop_orders",
    "sop_order_lines",
    "sop_despatch_receipts",
    "sop_returns",
)
# Paths below another record.
SOP_BELOW = {
    ("customers", "sop_orders"): "customer_id",
    ("sop_orders", "sop_order_lines"): "sop_order_id",
    ("products", "warehouse_holdings"): "product_id",
    ("warehouses", "warehouse_holdings"): "warehouse_id",
}
