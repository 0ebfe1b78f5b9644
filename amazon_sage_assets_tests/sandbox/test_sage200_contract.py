"""The simulated Sage held against Sage's own OpenAPI files: names, types and lengths of all it answers and takes."""

import re
from decimal import Decimal
from typing import Any

import pytest

from amazon_sage_assets.sandbox.sage200 import Options, bodies
from amazon_sage_assets.sandbox.sage200.books import DOCUMENTS
from amazon_sage_assets.sandbox.sage200.resources import BELOW, WITH_IDS, catalogue
from amazon_sage_assets_tests.contracts.openapi import FOLDER, Contract
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed

if not FOLDER.is_dir():
    pytest.skip("Sage's OpenAPI files are not beside this repository", allow_module_level=True)


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def busy(sage: SageCompany) -> SageCompany:
    """A company with one document of each kind, an allocation and a reconciled entry."""
    bank, customer, tax = sage.bank("WALLET"), sage.customer(), sage.tax(1)
    line = {"code": "5100", "cost_centre": "LON", "department": "WEB", "gross_value": 12, "goods_value": 10,
            "tax_value": 2, "tax_code_id": tax}  # fmt: skip
    cash = {"bank_id": bank, "reference": "R", "second_reference": "S", "narrative": "N"}
    for kind in ("bank_payment", "bank_receipt"):
        sage.book(kind, {**cash, "nominal_analysis_items": [line]})
    sage.post("bank_transfer", {"bank_from_id": bank, "bank_to_id": sage.bank("MAIN"), "payment_value": 3})
    for kind in ("sales_invoices", "sales_credit_notes"):
        sage.book(kind, {"customer_id": customer, "document_goods_value": 10, "document_tax_value": 2})
    for kind in ("sales_receipts", "sales_payments"):
        sage.book(kind, {"customer_id": customer, "bank_id": bank, "cheque_value": Decimal("12.00")})
    entries = sage.get("sales_posted_transactions", orderby="id")
    lines = [{"posted_tran_id": entries[n]["id"], "value_to_allocate": 12} for n in (0, 2)]
    assert sage.post("sales_allocations", {"customer_id": customer, "allocation_lines": lines}).status_code == 200
    first = sage.get("bank_posted_transactions")[0]["id"]
    sage.send(
        "POST", "/_sandbox/reconcile", json={"entry_id": first, "statement_date": "2026-03-10", "page": 1}
    )  # fmt: skip
    return sage


def test_every_answer_has_the_names_types_and_lengths_of_sage(busy: SageCompany, contract: Contract) -> None:
    faults = []
    for path, resource in catalogue(Options()).items():
        found = busy.get(path, **({"expand": ",".join(resource.children)} if resource.children else {}))
        assert found, path
        faults += contract.faults(found, contract.answer(path), path)
    assert faults == []


def test_every_record_and_path_below_a_record_is_one_of_sage(busy: SageCompany, contract: Contract) -> None:
    faults = []
    for path in WITH_IDS:
        record = busy.get(path)[0]["id"]
        faults += contract.faults(busy.get(f"{path}/{record}"), contract.answer(f"{path}/{{Id}}"), path)
    templates = {re.sub(r"\{\w+\}", "{}", path): path for path in contract.paths}
    for (parent, child), field in BELOW.items():
        record = busy.get(child)[0][field]
        found = busy.get(f"{parent}/{record}/{child}")
        assert found
        faults += contract.faults(found, contract.answer(templates[f"/{parent}/{{}}/{child}"][1:]), f"{parent}/{child}")
    assert faults == []


def compared(fields: bodies.Fields, schema: Any, contract: Contract, place: str) -> list[str]:
    """Where our fields of a body differ from Sage's in name, type, length or need."""
    kinds = {"whole": "integer", "text": "string", "number": "number", "flag": "boolean", "moment": "string",
             "list": "array"}  # fmt: skip
    theirs = {n: contract.resolved(p) for n, p in schema["properties"].items() if not p.get("readOnly")}
    found = [f"{place}{name} is only on one side" for name in set(fields) ^ set(theirs)]
    for name in set(fields) & set(theirs):
        ours, wanted = fields[name], theirs[name]
        if kinds[ours.kind] != wanted["type"] or (ours.kind == "moment") != (wanted.get("format") == "date-time"):
            found.append(f"{place}{name} is {wanted['type']}, not {ours.kind}")
        if ours.kind == "text" and ours.size != wanted["maxLength"]:
            found.append(f"{place}{name} has {wanted['maxLength']} characters, not {ours.size}")
        if ours.kind == "number" and f"{ours.size}dp" not in wanted["format"]:
            found.append(f"{place}{name} is {wanted['format']}, not {ours.size}dp")
        if ours.required and name not in schema.get("required", []):
            found.append(f"{place}{name} is not required")
        if ours.items:
            found += compared(ours.items, contract.resolved(wanted["items"]), contract, f"{place}{name}.")
    return found


@pytest.mark.parametrize("path", [*DOCUMENTS, "sales_allocations"])
def test_every_body_has_the_fields_of_sage(contract: Contract, path: str) -> None:
    fields = DOCUMENTS[path][0] if path in DOCUMENTS else bodies.ALLOCATION
    # Sage's file gives sales_payments a rate of two decimals and sales_receipts one of six: six for both.
    slip = {"sales_payments.exchange_rate is decimal 2dp, not 6dp"}
    assert set(compared(fields, contract.body(path), contract, f"{path}.")) - slip == set()


def test_an_urn_and_a_classed_date_have_the_shape_of_sage(sage: SageCompany, contract: Contract) -> None:
    sage.send("POST", "/_sandbox/options", json={"urn_as_text": True})
    line = {"code": "5100", "gross_value": 1}
    answer = sage.post("bank_payment", {"bank_id": sage.bank("MAIN"), "nominal_analysis_items": [line]})
    assert contract.faults(parsed(answer), contract.schemas["urn"]) == []
    asked = {"date": "2026-03-12T00:00:00Z", "ledger_type": "LedgerNominal"}
    classed = parsed(sage.post("transaction_date_validation", asked))
    assert contract.faults(classed, contract.schemas["transaction_date_validation_response"]) == []


def test_the_check_itself_finds_what_is_wrong(contract: Contract) -> None:
    bank = {"code": "TOOLONGCODE", "balance": "1.00", "id": True, "statement_date": "2026-03-10", "colour": "red"}
    assert len(contract.faults([bank], contract.answer("banks"))) == 5
