"""The Sage documents a settlement becomes."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amazon_sage_assets.accounting.posting_plan import (
    DEBT_CARRY,
    DOCUMENTS,
    PAYOUT,
    REFERENCE_LENGTH,
    JournalPart,
    Ledger,
    PlanError,
    PlannedDocument,
    Settlement,
    plan,
)
from amazon_sage_assets.money import from_pence, money

LEDGER = {
    "wallet": Ledger("1250", name="Amazon wallet"),
    "bank_main": Ledger("1200", name="Main bank"),
    "bank_card": Ledger("1210", name="Company card"),
    "reserve_held": Ledger("1255", name="Reserve"),
    "debtors": Ledger("1100", name="Debtors"),
    "debt_forward": Ledger("2260", name="Debt carried forward"),
    "wallet_transfer": Ledger("1258", name="Transfers in transit"),
    "sales": Ledger("4000", "SAL", "WEB", "Sales UK"),
    "fees_fba": Ledger("5110", name="FBA fees"),
    "fees_referral": Ledger("5100", name="Referral fees"),
    "reimbursements": Ledger("4900", name="Reimbursements"),
}
TRANSFERS = {name for name, what in DOCUMENTS.items() if what.kind == "bank_transfer" and name != PAYOUT}
CUSTOMER_DOCUMENTS = {"sales_receipt", "sales_payment"}


def settlement(total: str, **changes: Any) -> Settlement:
    values = {
        "account": "uk",
        "settlement_id": "24000000001",
        "marketplace": "Amazon.co.uk",
        "currency": "GBP",
        "end_day": date(2026, 3, 14),
        "deposit_date": date(2026, 3, 16),
        "total_amount": money(total),
    }
    return Settlement(**{**values, **changes})


def part(document: str, account: str, net: str, vat: str = "0.00", **changes: Any) -> JournalPart:
    values = {
        "period": "2026-03",
        "document": document,
        "document_date": date(2026, 3, 14),
        "account_key": account,
        "vat_treatment": "fee_uk",
        "vat_code": "1",
        "amount": money(net) + money(vat),
        "net": money(net),
        "vat": money(vat),
    }
    return JournalPart(**{**values, **changes})


def planned(total: str, *parts: JournalPart, **changes: Any) -> dict[str, PlannedDocument]:
    """Documents by the end of their key, such as `fees` or `fees/2`."""
    documents = plan(settlement(total, **changes), parts, LEDGER)
    return {d.message_key.split("/", 4)[4]: d for d in documents}


def body(document: PlannedDocument) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(document.payload)
    return content


def analysis(document: PlannedDocument) -> list[tuple[str, str, str]]:
    return [(i["code"], i["goods_value"], i["tax_value"]) for i in body(document)["nominal_analysis_items"]]


# --- kinds and signs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "account", "net", "kind"),
    [
        ("sales", "sales", "10.00", "bank_receipt"),
        ("refunds", "sales", "-10.00", "bank_payment"),
        ("fees", "fees_fba", "-10.00", "bank_payment"),
        ("credits", "reimbursements", "10.00", "bank_receipt"),
        ("customer_receipts", "debtors", "10.00", "sales_receipt"),
        ("customer_refunds", "debtors", "-10.00", "sales_payment"),
        ("customer_chargebacks", "debtors", "-10.00", "sales_payment"),
        ("debt", "debt_forward", "-10.00", "bank_payment"),
    ],
)
def test_each_document_has_its_sage_kind_and_a_positive_amount(
    document: str, account: str, net: str, kind: str
) -> None:
    only = planned(net, part(document, account, net))[document]
    assert (only.kind, only.amount, only.wallet_movement) == (kind, Decimal("10.00"), money(net))
    assert body(only)["kind"] == kind


def test_a_line_that_runs_against_its_document_moves_to_a_mirror_of_the_opposite_kind() -> None:
    documents = planned("-8.00", part("fees", "fees_fba", "-10.00", "-2.00"), part("fees", "fees_referral", "4.00"))
    fees, mirror = documents["fees"], documents["fees/2"]
    assert (fees.kind, fees.amount, fees.wallet_movement) == ("bank_payment", Decimal("12.00"), Decimal("-12.00"))
    assert (mirror.kind, mirror.amount, mirror.wallet_movement) == ("bank_receipt", Decimal("4.00"), Decimal("4.00"))
    assert analysis(fees) == [("5110", "10.00", "2.00")]
    assert analysis(mirror) == [("5100", "4.00", "0.00")]


def test_a_customer_receipt_that_runs_backwards_becomes_a_customer_payment() -> None:
    only = planned("-5.00", part("customer_receipts", "debtors", "-5.00"))["customer_receipts/2"]
    assert (only.kind, only.amount, only.wallet_movement) == ("sales_payment", Decimal("5.00"), Decimal("-5.00"))


def test_net_and_vat_that_run_in_opposite_directions_become_two_lines() -> None:
    """A sale whose tax row is larger than a discount, say: neither value may be negative in Sage."""
    documents = planned("-1.00", part("sales", "sales", "3.00", "-4.00"))
    assert analysis(documents["sales"]) == [("4000", "3.00", "0.00")]
    assert analysis(documents["sales/2"]) == [("4000", "0.00", "4.00")]
    assert sum(d.wallet_movement for d in documents.values()) == Decimal("-1.00")


def test_nothing_but_vat_is_a_line_without_goods() -> None:
    assert analysis(planned("2.00", part("sales", "sales", "0.00", "2.00"))["sales"]) == [("4000", "0.00", "2.00")]


def test_reverse_charged_vat_is_told_but_moves_no_money() -> None:
    reverse = part("fees", "fees_fba", "-10.00", "-2.00", amount=money("-10.00"))
    only = planned("-10.00", reverse)["fees"]
    (line,) = body(only)["nominal_analysis_items"]
    assert only.amount == Decimal("10.00")
    assert (line["goods_value"], line["tax_value"], line["notional_tax_value"]) == ("10.00", "0.00", "2.00")


def test_a_part_that_is_nil_makes_no_document() -> None:
    assert planned("0.00", part("fees", "fees_fba", "0.00"), part("reserve_held", "reserve_held", "0.00")) == {}


def test_parts_that_cancel_out_stay_visible_as_two_documents() -> None:
    documents = planned("0.00", part("fees", "fees_fba", "-7.00"), part("fees", "fees_referral", "7.00"))
    assert {key: d.wallet_movement for key, d in documents.items()} == {
        "fees": Decimal("-7.00"),
        "fees/2": Decimal("7.00"),
    }


def test_a_customer_document_names_its_customer_and_no_nominal_account() -> None:
    content = body(planned("5.00", part("customer_receipts", "debtors", "5.00"))["customer_receipts"])
    assert content["customer"] == {"marketplace": "Amazon.co.uk", "currency": "GBP"}
    assert (content["cheque_value"], content["bank"]) == ("5.00", "1250")
    assert "nominal_analysis_items" not in content


def test_an_analysis_line_carries_cost_centre_department_and_tax_code() -> None:
    (line,) = body(planned("6.00", part("sales", "sales", "5.00", "1.00"))["sales"])["nominal_analysis_items"]
    assert (line["cost_centre"], line["department"], line["tax_code"]) == ("SAL", "WEB", "1")
    assert "Sales UK" in line["narrative"]


# --- transfers and the payout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "account", "amount", "source", "target"),
    [
        ("reserve_held", "reserve_held", "-50.00", "1250", "1255"),
        ("reserve_released", "reserve_held", "50.00", "1255", "1250"),
        ("card_charge", "bank_card", "50.00", "1210", "1250"),
        ("card_charge", "bank_card", "-50.00", "1250", "1210"),
        ("payout_returned", "bank_main", "50.00", "1200", "1250"),
    ],
)
def test_a_transfer_goes_from_the_account_that_gives(
    document: str, account: str, amount: str, source: str, target: str
) -> None:
    only = planned(amount, part(document, account, amount))[document]
    content = body(only)
    assert only.kind == "bank_transfer"
    assert (content["bank_from"], content["bank_to"], content["payment_value"]) == (source, target, "50.00")
    assert only.wallet_movement == money(amount)


def test_a_positive_total_is_paid_out_on_the_deposit_date() -> None:
    payout = planned("10.00", part("sales", "sales", "10.00"), deposit_date=date(2026, 4, 1))[PAYOUT]
    content = body(payout)
    assert (content["bank_from"], content["bank_to"], content["payment_value"]) == ("1250", "1200", "10.00")
    assert (payout.period, payout.document_date, payout.wallet_movement) == (
        "2026-04",
        date(2026, 4, 1),
        Decimal("-10.00"),
    )


def test_without_a_deposit_date_the_payout_is_dated_at_the_settlements_end() -> None:
    payout = planned("10.00", part("sales", "sales", "10.00"), deposit_date=None)[PAYOUT]
    assert payout.document_date == date(2026, 3, 14)


@pytest.mark.parametrize("total", ["0.00", "-10.00"])
def test_a_total_that_is_not_positive_is_not_paid_out(total: str) -> None:
    assert PAYOUT not in planned(total, part("fees", "fees_fba", total))


def test_the_carried_debt_is_planned_but_is_not_part_of_the_total() -> None:
    carry = part(DEBT_CARRY, "debt_forward", "9.00", period="2026-02", document_date=date(2026, 2, 28))
    documents = planned("-9.00", part("debt", "debt_forward", "-9.00"), carry)
    assert documents[DEBT_CARRY].wallet_movement == Decimal("9.00")
    assert documents[DEBT_CARRY].document_date == date(2026, 2, 28)
    assert documents["debt"].wallet_movement == Decimal("-9.00")


def test_a_settlement_over_a_month_end_has_one_document_per_month() -> None:
    march = part("fees", "fees_fba", "-1.00", document_date=date(2026, 3, 31))
    april = part("fees", "fees_fba", "-2.00", period="2026-04", document_date=date(2026, 4, 3))
    documents = plan(settlement("-3.00"), [april, march], LEDGER)
    assert [(d.period, d.document_date, d.amount) for d in documents] == [
        ("2026-03", date(2026, 3, 31), Decimal("1.00")),
        ("2026-04", date(2026, 4, 3), Decimal("2.00")),
    ]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_nothing_is_planned_when_the_wallet_would_not_move_by_the_total() -> None:
    with pytest.raises(PlanError, match=r"move the wallet by -10\.00 GBP, the header total is -10\.01"):
        planned("-10.01", part("fees", "fees_fba", "-10.00"))


def test_nothing_is_planned_when_an_account_is_missing() -> None:
    with pytest.raises(PlanError, match="'nowhere'"):
        planned("-10.00", part("fees", "nowhere", "-10.00"))


def test_a_reference_that_sage_would_cut_off_is_refused() -> None:
    with pytest.raises(PlanError, match="longer than the 20 characters"):
        planned("-1.00", part("fees", "fees_fba", "-1.00"), settlement_id="2400000000123")


# --- references, keys and payloads ----------------------------------------------------------------------------------


def test_every_document_name_has_a_letter_of_its_own() -> None:
    letters = [what.letter for what in DOCUMENTS.values()]
    assert len(set(letters)) == len(letters)
    assert all(len(letter) == 1 for letter in letters)


def everything(moment: date = date(2026, 3, 14)) -> list[JournalPart]:
    return [
        part("sales", "sales", "3.00", "-4.00", document_date=moment),
        part("fees", "fees_fba", "-10.00", "-2.00", document_date=moment),
        part("fees", "fees_referral", "4.00", document_date=moment),
        part("customer_receipts", "debtors", "40.00", document_date=moment),
        part("reserve_held", "reserve_held", "-5.00", document_date=moment),
        part("fees", "fees_fba", "-1.00", period="2026-04", document_date=date(2026, 4, 2)),
    ]


def test_references_fit_sages_field_and_stand_for_one_document_each() -> None:
    documents = plan(settlement("25.00"), everything(), LEDGER)
    references = [d.remote_reference for d in documents]
    assert len(documents) == 8
    assert all(len(reference) <= REFERENCE_LENGTH for reference in references)
    assert len(set(references)) == len(references)
    assert len({d.message_key for d in documents}) == len(documents)
    assert all(body(d)["reference"] == d.remote_reference for d in documents)


def test_keys_come_from_the_business_event_alone() -> None:
    documents = planned("-11.00", part("fees", "fees_fba", "-12.00"), part("fees", "fees_referral", "1.00"))
    assert [d.message_key for d in documents.values()] == [
        "uk/settlement/24000000001/2026-03/fees",
        "uk/settlement/24000000001/2026-03/fees/2",
    ]


def test_the_same_input_gives_the_same_documents_and_payload_hashes() -> None:
    one, other = (plan(settlement("25.00"), everything(), LEDGER) for _ in range(2))
    assert one == other
    assert [d.payload_hash for d in one] == [d.payload_hash for d in other]
    assert len({d.payload_hash for d in one}) == len(one)


def test_payloads_are_written_in_one_way_so_that_equal_content_is_equal_text() -> None:
    for document in plan(settlement("25.00"), everything(), LEDGER):
        written = json.dumps(body(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert document.payload == written


def test_another_amount_is_another_payload_under_the_same_key() -> None:
    one = planned("-10.00", part("fees", "fees_fba", "-10.00"))["fees"]
    other = planned("-10.01", part("fees", "fees_fba", "-10.01"))["fees"]
    assert one.message_key == other.message_key
    assert one.payload_hash != other.payload_hash


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


def test_every_value_of_a_payload_is_text() -> None:
    for document in plan(settlement("25.00"), everything(), LEDGER):
        assert all(isinstance(leaf, str) for leaf in leaves(body(document)))


# --- whatever the parts ---------------------------------------------------------------------------------------------

AMOUNTS = st.integers(min_value=-(10**9), max_value=10**9).map(from_pence)


@st.composite
def any_part(draw: st.DrawFn) -> JournalPart:
    document = draw(st.sampled_from(sorted(set(DOCUMENTS) - {PAYOUT})))
    what = DOCUMENTS[document]
    period = draw(st.sampled_from(["2026-03", "2026-04"]))
    net, vat = draw(AMOUNTS), draw(AMOUNTS)
    plain = what.kind == "bank_transfer" or what.kind in CUSTOMER_DOCUMENTS
    reverse_charged = not plain and draw(st.booleans())
    return JournalPart(
        period=period,
        document=document,
        document_date=date(2026, int(period[5:]), draw(st.integers(min_value=1, max_value=28))),
        account_key=draw(st.sampled_from(sorted(LEDGER))),
        vat_treatment="fee_uk",
        vat_code="1",
        amount=net if plain or reverse_charged else net + vat,
        net=net,
        vat=from_pence(0) if plain else vat,
    )


def signed(document: PlannedDocument) -> Decimal:
    """What a document does to the wallet, worked out from its payload alone."""
    content = body(document)
    if document.kind == "bank_transfer":
        value = Decimal(content["payment_value"])
        return value if content["bank_to"] == LEDGER["wallet"].nominal_code else -value
    if document.kind in CUSTOMER_DOCUMENTS:
        value = Decimal(content["cheque_value"])
    else:
        value = sum((Decimal(goods) + Decimal(tax) for _, goods, tax in analysis(document)), Decimal(0))
    return value if document.kind in ("bank_receipt", "sales_receipt") else -value


@given(
    parts=st.lists(any_part(), max_size=12, unique_by=lambda p: (p.period, p.document, p.account_key)).map(
        lambda parts: [p for p in parts if p.document not in TRANSFERS or p.account_key != "wallet"]
    )
)
def test_whatever_the_parts_the_documents_move_the_wallet_by_their_sum(parts: list[JournalPart]) -> None:
    total = sum((p.amount for p in parts if p.document != DEBT_CARRY), from_pence(0))
    documents = plan(settlement(str(total)), parts, LEDGER)
    moved = [d for d in documents if d.document not in (DEBT_CARRY, PAYOUT)]
    carried = [d for d in documents if d.document == DEBT_CARRY]
    assert sum((d.wallet_movement for d in moved), from_pence(0)) == total
    assert sum((d.wallet_movement for d in carried), from_pence(0)) == sum(
        (p.amount for p in parts if p.document == DEBT_CARRY), from_pence(0)
    )
    assert [d.wallet_movement for d in documents if d.document == PAYOUT] == ([-total] if total > 0 else [])
    for document in documents:
        assert document.amount > 0
        assert abs(document.wallet_movement) == document.amount
        assert signed(document) == document.wallet_movement
        assert len(document.remote_reference) <= REFERENCE_LENGTH
        if "nominal_analysis_items" in body(document):
            assert all(Decimal(goods) >= 0 and Decimal(tax) >= 0 for _, goods, tax in analysis(document))
    assert len({d.message_key for d in documents}) == len(documents)
    assert len({d.remote_reference for d in documents}) == len(documents)
