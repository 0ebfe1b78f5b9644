"""Each open question about the real Sage is a switch of the simulated one."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from amazon_sage_assets.sandbox.sage200 import BASE
from amazon_sage_assets_tests.sandbox.sage_company import SageCompany, parsed


def payment(sage: SageCompany, *values: str, reference: str = "Ref-1", bank: str = "WALLET") -> dict[str, Any]:
    lines = [{"code": "5100", "gross_value": Decimal(value)} for value in values or ("10.00",)]
    return {"bank_id": sage.bank(bank), "reference": reference, "nominal_analysis_items": lines}


def test_a_post_may_answer_created(make_sage: Any) -> None:
    sage = make_sage(post_status=201)
    assert sage.post("bank_payment", payment(sage)).status_code == 201
    question = {"date": "2026-03-12T00:00:00Z", "ledger_type": "LedgerSales"}
    assert sage.post("transaction_date_validation", question).status_code == 200


def test_an_urn_may_be_text(make_sage: Any) -> None:
    sage = make_sage(urn_as_text=True)
    assert parsed(sage.post("bank_payment", payment(sage))) == {"urn": "1327"}
    assert sage.get("bank_posted_transactions")[0]["urn"] == 1327


@pytest.mark.parametrize("shape", ["Message", "message_list", "text", "html", "model_state"])
def test_a_refusal_may_have_any_shape(make_sage: Any, shape: str) -> None:
    sage = make_sage(error_shape=shape)
    answer = sage.post("bank_payment", {**payment(sage), "bank_id": 7})
    words = "The bank with the id 7 given in 'bank_id' does not exist."
    assert answer.status_code == 400
    if shape == "text":
        assert answer.text == words
    elif shape == "html":
        assert answer.headers["content-type"].startswith("text/html")
        assert "id 7 given in" in answer.text
    else:
        bodies = {
            "Message": {"Message": words},
            "message_list": [{"message": words}],
            "model_state": {"Message": "The request is invalid.", "ModelState": {"bank_id": [words]}},
        }
        assert answer.json() == bodies[shape]


@pytest.mark.parametrize(("negative", "sign"), [(True, -1), (False, 1)])
def test_a_payment_may_have_a_negative_value(make_sage: Any, negative: bool, sign: int) -> None:
    sage = make_sage(payments_negative=negative)
    sage.book("bank_payment", payment(sage))
    sage.book("bank_receipt", payment(sage, "4.00"))
    values = [row["cheque_value"] for row in sage.get("bank_posted_transactions", orderby="id")]
    assert values == [sign * 10, 4]
    assert len(sage.get("bank_posted_transactions", filter="cheque_value lt 0")) == int(negative)
    assert sage.books.bank_balances()["WALLET"] == -6


def test_a_credit_note_may_have_positive_values(make_sage: Any) -> None:
    sage = make_sage(credit_notes_negative=False)
    sage.book("sales_credit_notes", {"customer_id": sage.customer(), "document_goods_value": 12})
    [entry] = sage.get("sales_posted_transactions")
    assert (entry["document_gross_value"], entry["document_outstanding_value"]) == (12, 12)
    assert sage.get("customers", filter="reference eq 'WEB001'")[0]["balance"] == -12


def test_a_filter_may_tell_upper_from_lower_case(make_sage: Any) -> None:
    for sensitive, hits in ((True, 0), (False, 1)):
        sage = make_sage(reference_case_sensitive=sensitive)
        sage.book("bank_payment", payment(sage))
        for text in ("reference eq 'REF-1'", "contains(reference,'REF')", "startswith(reference,'REF')"):
            assert len(sage.get("bank_posted_transactions", filter=text)) == hits
        assert len(sage.get("bank_posted_transactions", filter="reference eq 'Ref-1'")) == 1


def test_a_transfer_may_answer_an_urn_or_nothing(make_sage: Any) -> None:
    for kind in ("urn", "empty"):
        sage = make_sage(transfer_answer=kind)
        body = {"bank_from_id": sage.bank("WALLET"), "bank_to_id": sage.bank("MAIN"), "payment_value": 5}
        answer = sage.post("bank_transfer", body)
        assert answer.status_code == 200
        assert answer.text == ('{"urn": 1327}' if kind == "urn" else "")
        assert sage.books.bank_balances()["MAIN"] == 5


def test_a_long_text_may_be_cut(make_sage: Any) -> None:
    sage = make_sage(over_length="cut")
    sage.book("bank_payment", payment(sage, reference="x" * 20 + "lost"))
    assert sage.get("bank_posted_transactions")[0]["reference"] == "x" * 20


def test_a_second_document_with_a_reference_may_be_refused(make_sage: Any, sage: SageCompany) -> None:
    strict = make_sage(refuse_duplicate_reference=True)
    strict.book("bank_payment", payment(strict))
    assert "'REF-1' already exists" in strict.refuses("bank_payment", payment(strict, reference="REF-1"))
    strict.book("bank_payment", payment(strict, bank="MAIN"))
    strict.book("bank_receipt", payment(strict))
    strict.book("bank_payment", payment(strict, reference=""))
    strict.book("bank_payment", payment(strict, reference=""))
    assert [sage.book("bank_payment", payment(sage)) for _ in range(2)] == [1327, 1328]


def test_negative_lines_and_a_sum_of_nothing_may_be_taken(make_sage: Any) -> None:
    sage = make_sage(refuse_negative_lines=False)
    sage.book("bank_payment", payment(sage, "10.00", "-10.00"))
    sage.book("bank_payment", payment(sage, "-3.00"))
    assert sage.ledger() == {"1250": "3.00", "5100": "-3.00"}
    assert [row["cheque_value"] for row in sage.get("bank_posted_transactions", orderby="id")] == [0, -3]


def test_rates_may_be_the_other_way_round(make_sage: Any) -> None:
    sage = make_sage(rates_are="base_per_foreign")
    sage.book("bank_payment", {**payment(sage, "100.00", bank="WALLETE"), "cheque_value": 100})
    assert sage.ledger() == {"1251": "-125.00", "5100": "125.00"}


@pytest.mark.parametrize(
    ("options", "codes", "least"),
    [
        ({"one_at_a_time": True}, [200, 200, 200], 0.3),
        ({"one_at_a_time": False}, [200, 200, 200], 0.1),
        ({"one_at_a_time": True, "busy_answer": "504"}, [200, 504, 504], 0.1),
    ],
)
def test_a_busy_server_lets_others_wait_or_sends_them_away(
    make_sage: Any, options: dict[str, Any], codes: list[int], least: float
) -> None:
    sage = make_sage(latency_seconds=0.1, **options)
    headers = sage.headers()

    async def together() -> list[int]:
        transport = httpx.ASGITransport(app=sage.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sage.test", headers=headers) as client:
            found = await asyncio.gather(*(client.get(f"{BASE}/banks") for _ in codes))
        return sorted(answer.status_code for answer in found)

    started = time.perf_counter()
    assert asyncio.run(together()) == codes
    assert least <= time.perf_counter() - started < least + 0.19


def test_documents_sent_at_once_are_all_booked_and_balance(make_sage: Any) -> None:
    sage = make_sage(one_at_a_time=False)
    body, headers = {**payment(sage), "nominal_analysis_items": [{"code": "5100", "gross_value": 10}]}, sage.headers()

    async def together() -> set[int]:
        transport = httpx.ASGITransport(app=sage.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://sage.test", headers=headers) as client:
            found = await asyncio.gather(*(client.post(f"{BASE}/bank_payment", json=body) for _ in range(20)))
        return {answer.json()["urn"] for answer in found}

    assert asyncio.run(together()) == set(range(1327, 1347))
    assert sage.ledger() == {"1250": "-200.00", "5100": "200.00"}


def test_options_change_while_the_server_runs(sage: SageCompany) -> None:
    answer = sage.send("POST", "/_sandbox/options", json={"post_status": 201, "latency_seconds": 0})
    assert answer.json()["post_status"] == 201
    assert sage.post("bank_payment", payment(sage)).status_code == 201
    for wrong in ({"post_status": 500}, {"unknown": 1}, {"error_shape": "sphere"}, {"urn_as_text": "false"}):
        assert sage.send("POST", "/_sandbox/options", json=wrong).status_code == 400
    assert sage.send("GET", "/_sandbox/options").json()["error_shape"] == "Message"


def test_the_back_door_shows_the_ledger_the_documents_and_the_cost(sage: SageCompany) -> None:
    body = {"kind": "bank_payment", "body": {**payment(sage), "nominal_analysis_items": []}}
    assert sage.send("POST", "/_sandbox/enter_by_hand", json=body).status_code == 400
    line = {"code": "5100", "gross_value": 10.1}
    body["body"]["nominal_analysis_items"] = [line]
    done = sage.send("POST", "/_sandbox/enter_by_hand", json={**body, "source": "LedgerBankFeeds"})
    assert done.json() == {"urn": 1327}
    ledger = sage.send("GET", "/_sandbox/ledger").json()
    assert ledger["trial_balance"] == {"1250": "-10.10", "5100": "10.10"}
    assert ledger["bank_balances"]["WALLET"] == "-10.10"
    [document] = sage.send("GET", "/_sandbox/documents").json()
    assert (document["kind"], document["urn"], document["value"]) == ("bank_payment", 1327, "10.10")
    assert (document["user_name"], document["source"]) == ("SARAH", "LedgerBankFeeds")
    assert (document["date"], document["bank"]) == ("2026-03-12", "WALLET")
    assert sage.send("GET", "/_sandbox/requests").json() == {"GET /banks": 1, "POST /oauth/token": 1}
    sage.send("DELETE", "/_sandbox/requests")
    assert sage.send("GET", "/_sandbox/requests").json() == {}


def test_access_tokens_can_be_ended_for_a_drill(sage: SageCompany) -> None:
    headers = sage.headers()
    sage.send("POST", "/_sandbox/expire_tokens")
    assert sage.send("GET", f"{BASE}/sites", headers=headers).status_code == 401
    sage.access_token = ""
    assert sage.get("sites")
