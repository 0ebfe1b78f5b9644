"""Stock and sales orders of the simulated Sage held against Sage's own OpenAPI files: names, types and lengths."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from amazon_sage_assets.sandbox.sage200 import Options
from amazon_sage_assets.sandbox.sage200.bodies import Fields
from amazon_sage_assets.sandbox.sage200.sop_bodies import CONFIRM_DESPATCH, SOP_ORDER
from amazon_sage_assets.sandbox.sage200.sop_resources import SOP_BELOW, SOP_WITH_IDS, sop_catalogue
from amazon_sage_assets_tests.contracts.openapi import FOLDER, Contract
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed

if not FOLDER.is_dir():
    pytest.skip("Sage's OpenAPI files are not beside this repository", allow_module_level=True)

# New with 2025 R1 and not in the files; a live connector posts and reads them as orders.
RETURNS = "sop_returns"
# Sage's names of states are longer than the twenty characters that its own files give them.
SLIP = re.compile(r"'EnumDocument(Process)?Status\w+' is longer than 20$")
KINDS = {"whole": "integer", "text": "string", "number": "number", "flag": "boolean", "moment": "string",
         "list": "array", "object": "object"}  # fmt: skip


class Orders(Contract):
    """Sage's files with those of stock and sales orders."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("sop.json", "stock.json"):
            content = json.loads((FOLDER / name).read_text(encoding="utf-8"))
            self.paths |= content["paths"]
            self.schemas |= content["components"]["schemas"]

    def found(self, value: Any, schema: Any, place: str) -> list[str]:
        return [fault for fault in self.faults(value, schema, place) if not SLIP.search(fault)]


@pytest.fixture(scope="module")
def contract() -> Orders:
    return Orders()


@pytest.fixture
def busy(sage: SageCompany) -> SageCompany:
    """A shop with an order in every state, tracked, invoiced, and a return."""
    sage.open_shop()
    every = {"spare_text_1": "x" * 100, "spare_number_1": 1.5, "spare_bool_1": True, "analysis_code_20": "y" * 60,
             "spare_date_5": "2026-03-05T10:00:00Z"}  # fmt: skip
    dates = {name: "2026-03-04T00:00:00Z" for name in ("requested_delivery_date", "promised_delivery_date")}
    address = {"postal_name": "Jane", "contact": "z" * 235, "email_address": "e" * 255, "postcode": "LS1 4DT"}
    lines = [
        sage.goods("12.50", 2, **dates, **every),
        {"line_type": "EnumLineTypeFreeText", "description": "Wrap" * 500, "line_quantity": 1, "selling_unit_price": 3},
        {"line_type": "EnumLineTypeCharge", "code": "CARRIAGE"},
        {"line_type": "EnumLineTypeComment", "description": "Leave with neighbour", "show_on_customer_docs": True},
    ]
    sage.sell(*lines, delivery_address=address, number="n" * 30, **dates, **every)
    sage.sell(*lines, is_editing=True)
    order = sage.sell(*lines, number="2")
    tracking = {"courier_id": sage.id("couriers", name="Royal Mail"), "consignment_no": "c" * 60, "weight": 1.25,
                "pieces": 1, "notes": "n" * 256}  # fmt: skip
    item = {"id": order["lines"][0]["id"], "quantity": 1}
    sage.post(
        "sop_confirm_despatch", {"sop_order_return_id": order["id"], "items": [item], "tracking_items": [tracking]}
    )
    sage.books.despatch("2")
    sage.sell(sage.goods("1"), path=RETURNS, number="RMA")
    sage.books.receive_return("RMA")
    sage.books.invoice_orders()
    sage.books.credit_returns()
    return sage


def wanted(contract: Orders, path: str, method: str = "get") -> Any:
    return contract.answer(path.replace(RETURNS, "sop_orders"), method)


def as_order(value: Any) -> Any:
    """A return, whose lines say whose they are in another word."""
    said = simplejson.dumps(value, use_decimal=True).replace("sop_return_id", "sop_order_id")
    return simplejson.loads(said, use_decimal=True)


def test_every_answer_has_the_names_types_and_lengths_of_sage(busy: SageCompany, contract: Orders) -> None:
    faults = []
    for path, resource in sop_catalogue(Options()).items():
        if resource.listed:
            found = busy.get(path, **({"expand": ",".join(resource.children)} if resource.children else {}))
            assert found, path
            faults += contract.found(as_order(found) if path == RETURNS else found, wanted(contract, path), path)
    assert faults == []


def test_every_record_and_path_below_a_record_is_one_of_sage(busy: SageCompany, contract: Orders) -> None:
    faults = []
    first_line = busy.get("sop_order_line_views")[0]["sop_order_line_id"]
    for path in SOP_WITH_IDS:
        record = first_line if path == "sop_order_lines" else busy.get(path)[0]["id"]
        found = busy.get(f"{path}/{record}")
        faults += contract.found(found, wanted(contract, f"{path}/{{Id}}"), path)
    templates = {re.sub(r"\{\w+\}", "{}", path): path for path in contract.paths}
    for parent, child in SOP_BELOW:
        rows = [busy.get(f"{parent}/{record['id']}/{child}") for record in busy.get(parent)]
        assert any(rows), child
        for found in rows:
            path = templates[f"/{parent}/{{}}/{child}"][1:]
            faults += contract.found(found, contract.answer(path), f"{parent}/{child}")
    assert faults == []


@pytest.mark.parametrize("path", ["sop_orders", RETURNS])
def test_a_posted_order_is_answered_as_sage_answers_it(busy: SageCompany, contract: Orders, path: str) -> None:
    answer = busy.sell(busy.goods("1.00"), path=path, delivery_address={"postal_name": "Jane"}, number="3")
    assert {"lines", "delivery_address"} <= answer.keys()
    assert contract.found(as_order(answer), wanted(contract, path, "post"), path) == []


def test_a_confirmed_despatch_is_answered_as_sage_answers_it(busy: SageCompany, contract: Orders) -> None:
    order = busy.sell(busy.goods("1.00"), number="3")
    body = {"sop_order_return_id": order["id"], "items": [{"id": order["lines"][0]["id"], "quantity": Decimal("1")}]}
    answer = parsed(busy.post("sop_confirm_despatch", body))
    assert contract.found(answer, contract.answer("sop_confirm_despatch", "post"), "despatch") == []


def differences(fields: Fields, schema: Mapping[str, Any], contract: Orders, place: str) -> list[str]:
    """Where a field that the sandbox takes is not Sage's in name, type or length, or may not be written there."""
    found = []
    for name, ours in fields.items():
        theirs = contract.resolved(schema["properties"].get(name, {}))
        if theirs.get("type") != KINDS[ours.kind] or (ours.kind == "moment") != (theirs.get("format") == "date-time"):
            found.append(f"{place}{name} is {theirs.get('type')}, not {ours.kind}")
        if ours.kind == "text" and ours.size != theirs.get("maxLength"):
            found.append(f"{place}{name} has {theirs.get('maxLength')} characters, not {ours.size}")
        if ours.kind == "number" and theirs.get("format") != f"decimal {ours.size}dp":
            found.append(f"{place}{name} is {theirs.get('format')}, not {ours.size}dp")
        if theirs.get("readOnly"):
            found.append(f"{place}{name} is only read")
        if ours.required and name not in schema.get("required", []):
            found.append(f"{place}{name} is not required")
        if ours.items:
            below = contract.resolved(theirs["items"]) if ours.kind == "list" else theirs
            found += differences(ours.items, below, contract, f"{place}{name}.")
    return found


def test_every_field_of_an_order_is_sages(contract: Orders) -> None:
    assert differences(SOP_ORDER, contract.body("sop_orders"), contract, "") == []


def test_every_field_of_a_despatch_is_sages(contract: Orders) -> None:
    # The line to despatch is only read in Sage's file, and needed: without it the item says nothing.
    found = differences(CONFIRM_DESPATCH, contract.body("sop_confirm_despatch"), contract, "")
    assert found == ["items.id is only read"]


def test_the_example_of_the_notes_is_taken_as_it_stands(sage: SageCompany) -> None:
    sage.open_shop()
    body = {
        "customer_id": sage.customer(),
        "document_date": "2026-03-02T00:00:00Z",
        "customer_document_no": "#1042",
        "requested_delivery_date": "2026-03-04T00:00:00Z",
        "use_invoice_address": False,
        "analysis_code_1": "SHOPIFY",
        "spare_text_1": "gid://shop/Order/5551042",
        "delivery_address": {"postal_name": "Jane Ames", "address_2": "", "telephone_number": "0113 496 0000"},
        "lines": [
            sage.goods("12.50", 2, tax_code_id=sage.tax(1)),
            {"line_type": "EnumLineTypeFreeText", "description": "Gift wrap", "line_quantity": 1,
             "selling_unit_price": Decimal("3.00"), "nominal_reference": "4000", "nominal_cost_centre": "",
             "nominal_department": ""},
            {"line_type": "EnumLineTypeCharge", "code": "CARRIAGE", "selling_unit_price": Decimal("4.95")},
            {"line_type": "EnumLineTypeComment", "description": "Leave with neighbour", "show_on_customer_docs": True},
        ],
    }  # fmt: skip
    answer = sage.post("sop_orders", body)
    assert answer.status_code == 200, answer.text
    assert parsed(answer)["total_gross_value"] == Decimal("39.54")
    assert len(sage.get("sop_orders", filter="customer_document_no eq '#1042'")) == 1
