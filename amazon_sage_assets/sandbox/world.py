"""The sample seller's world: both sandbox servers filled with the same history, in one folder."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from amazon_sage_assets.accounting.rules import RuleBook, load_rules
from amazon_sage_assets.amazon.reports_api import SETTLEMENT_REPORT_TYPE
from amazon_sage_assets.money import from_pence
from amazon_sage_assets.sandbox.sage200 import Books, Options
from amazon_sage_assets.sandbox.sample_seller import SampleReport, SampleSeller
from amazon_sage_assets.sandbox.seller_central import SellerCentral
from amazon_sage_assets.settings import SAMPLE_PROFILE, load_profile

CLIENT_ID = "sandbox"
EURO_RATE = Decimal("1.160000")  # euro for a pound
CUSTOMERS = {"AMZUK": ("Amazon.co.uk customers", "GBP"), "AMZDE": ("Amazon.de customers", "EUR")}
WAREHOUSES = {"HOME": "Our own warehouse", "AMAZONFBA": "Stock at Amazon"}
UNITS_IN_STOCK = 1000  # of each product in each warehouse, for each step of the scale
TAX_CODE_OF_RATE = {2000: 1, 0: 2}  # of goods sold in the UK, by basis points
KNOWN_AFTER = timedelta(days=69)  # the history and its last deposit are over
CURRENCIES = {"GBP": ("Pound Sterling", "£"), "EUR": ("Euro", "€")}

# Sage bank, the account key of its nominal code, currency.
BANKS = (
    ("MAIN", "bank_main", "GBP"),
    ("MAINEUR", "bank_main_eur", "EUR"),
    ("CARD", "bank_card", "GBP"),
    ("AMZGBP", "wallet", "GBP"),
    ("AMZEUR", "wallet_eur", "EUR"),
    ("AMZRSV", "reserve_held", "GBP"),
    ("AMZRSVE", "reserve_held_eur", "EUR"),
)
# Code, name, rate, reverse charge. 95 and 99 are the sample company's own.
TAX_CODES = (
    (0, "Exempt", "0", False),
    (1, "Standard rate", "20", False),
    (2, "Zero rated", "0", False),
    (16, "Services from abroad, reverse charge", "20", True),
    (95, "Reduced rate", "5", False),
    (99, "Outside the scope", "0", False),
)


@dataclass(frozen=True)
class World:
    """Both servers' state. `secrets` is the environment that opens them."""

    seller: SampleSeller
    central: SellerCentral
    books: Books
    secrets: Mapping[str, str]

    def close(self) -> None:
        self.central.close()
        self.books.close()


def anchor_for(today: date) -> date:
    """The first of the latest month whose sample history is over today, and young enough for Amazon to list it."""
    latest = today - KNOWN_AFTER
    return latest.replace(day=1)


def open_world(
    folder: Path,
    today: date,
    *,
    scale: int = 1,
    seed: int = 7,
    rate_scale: float = 1.0,
    options: Options | None = None,
) -> World:
    """The world in a folder: made when it is not there yet, the same as before when it is."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "world.json"
    if note.exists():
        kept = json.loads(note.read_text(encoding="utf-8"))
    else:
        kept = {"anchor": anchor_for(today).isoformat(), "seed": seed, "scale": scale, "secret": secrets.token_hex(16)}
    seller = SampleSeller(date.fromisoformat(kept["anchor"]), kept["seed"], kept["scale"])
    central = SellerCentral(folder / "seller_central.sqlite", rate_scale=rate_scale)
    books = Books(folder / "sage200.sqlite", options)
    environment = {
        "LWA_APP_ID": CLIENT_ID,
        "LWA_CLIENT_SECRET": kept["secret"],
        **{f"SP_API_REFRESH_TOKEN_{account.upper()}": f"{kept['secret']}-{account}" for account in seller.accounts},
        "SAGE_CLIENT_ID": CLIENT_ID,
        "SAGE_CLIENT_SECRET": kept["secret"],
    }
    if not note.exists():
        rules = load_rules(load_profile(SAMPLE_PROFILE))
        _fill_books(books, seller, rules, kept["secret"])
        _fill_central(central, seller, environment, folder)
        note.write_text(json.dumps(kept), encoding="utf-8")
    environment["SAGE_REFRESH_TOKEN"] = books.issue_refresh_token(CLIENT_ID)
    return World(seller, central, books, environment)


def _fill_books(books: Books, seller: SampleSeller, rules: RuleBook, secret: str) -> None:
    codes = {account.account_key: account for account in rules.accounts}
    with books.together():
        books.add_client(CLIENT_ID, secret)
        for iso, (name, symbol) in CURRENCIES.items():
            is_base = iso == "GBP"
            books.add_currency(iso, name, symbol, Decimal(1) if is_base else EURO_RATE, is_base=is_base)
        for account in {a.nominal_code: a for a in rules.accounts}.values():
            books.add_nominal(account.nominal_code, account.name, account.cost_centre, account.department)
        tax_ids = {
            code: books.add_tax_code(code, name, Decimal(rate), notional=notional)
            for code, name, rate, notional in TAX_CODES
        }
        bank_ids = {
            code: books.add_bank(code, codes[key].name, codes[key].nominal_code, currency)
            for code, key, currency in BANKS
        }
        for reference, (name, currency) in CUSTOMERS.items():
            books.add_customer(reference, name, currency)
        _fill_stock(books, seller, tax_ids)
        for year in (seller.anchor.year, seller.anchor.year + 1):
            books.add_year(date(year, 1, 1))
        books.change_setting("previous_year", "Normal")  # a history over New Year is no reason to stop
    nominal = {name: codes[name].nominal_code for name in ("suspense", "debtors")}
    for line in seller.bank_lines():
        bank = {"main": "MAIN", "main_eur": "MAINEUR"}[line.bank]
        said = {"transaction_date": f"{line.date.isoformat()}T00:00:00Z", "reference": line.reference}
        if line.contra in ("wallet", "wallet_eur"):  # a person moves it out of the wallet, as we would
            wallet = {"wallet": "AMZGBP", "wallet_eur": "AMZEUR"}[line.contra]
            move = {"bank_from_id": bank_ids[wallet], "bank_to_id": bank_ids[bank], "payment_value": line.amount}
            books.enter_by_hand("bank_transfer", {**said, **move})
            continue
        item = {
            "code": nominal[line.contra],
            "narrative": line.reference,
            "gross_value": line.amount,
            "goods_value": line.amount,
            "tax_value": Decimal("0.00"),
            "tax_code_id": tax_ids[99],
        }
        body = {**said, "bank_id": bank_ids[bank], "narrative": line.reference, "nominal_analysis_items": [item]}
        source = "LedgerBankFeeds" if line.source == "feed" else "LedgerCashBook"
        books.enter_by_hand("bank_receipt", body, source=source)


def _fill_stock(books: Books, seller: SampleSeller, tax_ids: Mapping[int, int]) -> None:
    """Every stock item under its own code; what nobody has matched is not in Sage."""
    for name, description in WAREHOUSES.items():
        books.add_warehouse(name, description)
    units = Decimal(UNITS_IN_STOCK * seller.scale)
    for product in seller.products():
        if product.stock_code == product.sku:
            warehouses = WAREHOUSES if "AFN" in product.fulfilments else ("HOME",)
            tax_id = tax_ids[TAX_CODE_OF_RATE[product.vat_bp["uk"]]] if product.vat_category_known else None
            books.add_product(
                product.stock_code, product.title, tax_code_id=tax_id, warehouses=dict.fromkeys(warehouses, units)
            )


def _fill_central(central: SellerCentral, seller: SampleSeller, environment: Mapping[str, str], folder: Path) -> None:
    sites = {report.account: report.marketplace_id for report in seller.reports()}
    for account, site in sites.items():
        central.add_seller(
            account,
            client_id=environment["LWA_APP_ID"],
            client_secret=environment["LWA_CLIENT_SECRET"],
            refresh_token=environment[f"SP_API_REFRESH_TOKEN_{account.upper()}"],
            marketplace_ids=[site],
        )
    scratch = folder / "report.txt"
    for report in seller.reports():
        report.write(scratch)
        for number, report_id in enumerate(report.report_ids):
            central.add_report(
                report.account,
                report_id,
                scratch,
                report_type=SETTLEMENT_REPORT_TYPE,
                marketplace_ids=[report.marketplace_id],
                data_start=_utc(report.start),
                data_end=_utc(report.end),
                created_at=_utc(report.created_at),
                compressed=number == 0,
                charset="UTF-8" if number == 0 else None,
            )
    scratch.unlink(missing_ok=True)
    for payout in seller.payouts():
        central.add_payout(
            payout.account,
            {
                "id": payout.id,
                "currentStatus": payout.status,
                "type": "SCHEDULED",
                "amount": {"currencyCode": payout.currency, "currencyAmount": payout.amount},
                "accountTail": payout.account_tail,
                "traceId": payout.trace_id,
                "creationDate": _utc(payout.created_at).isoformat(),
                "relatedIdentifiers": [
                    {"relatedIdentifierName": "SETTLEMENT_ID", "relatedIdentifierValue": payout.settlement_id}
                ],
            },
        )
    for report in seller.reports():
        central.add_summary(report.account, report.settlement_id, _summary(report))
    for account, site in sites.items():
        central.add_orders(account, seller.amazon_orders(account))
        central.add_returns(account, seller.returns(account))
        central.add_transactions(account, seller.transactions(account))
        held = sum(
            (r["totalAmount"]["currencyAmount"] for r in seller.transactions(account) if _is_held(r)), Decimal(0)
        )
        currency = next(report.currency for report in seller.reports() if report.account == account)
        central.set_balances(account, [_balance(site, currency, held)])


def _summary(report: SampleReport) -> dict[str, Any]:
    """What Amazon says a settlement came to."""
    gains = from_pence(sum(line.pence for line in report.lines() if line.pence > 0))
    costs = report.total - gains
    return {
        "partnerMetadata": _metadata(report.marketplace_id),
        "periodStart": _utc(report.start).isoformat(),
        "periodEnd": _utc(report.end).isoformat(),
        "netProceeds": _money(report.currency, report.total),
        "breakdowns": [
            {"breakdownType": name, "breakdownAmount": _money(report.currency, amount), "breakdowns": []}
            for name, amount in (("Sales", gains), ("Expenses", costs))
        ],
    }


def _is_held(record: Mapping[str, Any]) -> bool:
    return bool(record["transactionStatus"] == "DEFERRED")


def _balance(site: str, currency: str, held: Decimal) -> dict[str, Any]:
    """All that is left after the last settlement is what Amazon holds until later."""

    def node(kind: str, amount: Decimal, *parts: dict[str, Any]) -> dict[str, Any]:
        own: dict[str, Any] = {"balanceType": kind, "amount": _money(currency, amount)}
        return own | ({"balances": list(parts)} if parts else {})

    reserved = node("RESERVED", held, node("DEFERRED", held), node("ACCOUNT_LEVEL_RESERVE", Decimal("0.00")))
    total = node("TOTAL", held, node("AVAILABLE", Decimal("0.00")), reserved)
    return {"partnerMetadata": _metadata(site), **total}


def _metadata(site: str) -> dict[str, str]:
    return {"partnerId": "ASAMPLESELLER", "accountType": "Standard Orders", "marketplaceId": site}


def _money(currency: str, amount: Decimal) -> dict[str, Any]:
    return {"currencyCode": currency, "currencyAmount": amount}


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
