"""The worked examples settled once, for every test that looks at them: one company per place of establishment."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from amazon_sage_assets.settlements import arrivals
from amazon_sage_assets_tests.conftest import Seller
from amazon_sage_assets_tests.golden.worked_examples import Case, File

ZERO = Decimal("0.00")
Amounts = dict[Any, Decimal]

ACCOUNT = """
[[accounts]]
name = "{account}"
marketplaces = [{marketplaces}]
currency = "{currency}"
"""
ROUTE = """
[[routes]]
account = "{account}"
marketplace = "{marketplace}"
fulfilment = "{fulfilment}"
owner = "{owner}"
vat_treatment = "{sale_vat}"
valid_from = 2024-01-01
"""


class Books:
    """What a seller published, read once."""

    def __init__(self, seller: Seller) -> None:
        self.seller = seller
        self._relations: dict[str, list[dict[str, Any]]] = {}

    def rows(self, relation: str) -> list[dict[str, Any]]:
        if relation not in self._relations:
            self._relations[relation] = self.seller.query(f"select * from {relation}")
        return self._relations[relation]


@dataclass(frozen=True)
class Settled:
    """One settlement of a case, in the books of its seller."""

    books: Books
    account: str
    settlement_id: str
    file: File

    def of(self, relation: str) -> list[dict[str, Any]]:
        """Rows of a published relation that belong to this settlement."""
        return [r for r in self.books.rows(relation) if r["settlement_id"] == self.settlement_id]


def account_name(number: int) -> str:
    return f"case{number:02d}"


def profile_of(cases: Iterable[tuple[int, Case]]) -> str:
    """Each case as a seller account with its one route."""
    parts = []
    for number, case in cases:
        names = ", ".join(f'"{name}"' for name in case.marketplaces)
        parts.append(ACCOUNT.format(account=account_name(number), marketplaces=names, currency=case.currency))
        parts += [
            ROUTE.format(
                account=account_name(number),
                marketplace=name,
                fulfilment=case.fulfilment,
                owner=case.owner,
                sale_vat=case.sale_vat,
            )
            for name in case.marketplaces
        ]
    return "".join(parts)


def moment(day: date) -> str:
    return f"{day:%d.%m.%Y} 06:00:00 UTC"


def land(books: Books, number: int, case: Case) -> list[Settled]:
    """Write and land the files of a case. They are worked out when the seller next settles."""
    company, settled = books.seller.company, []
    for place, file in enumerate(case.files):
        settlement_id = f"26{number:04d}{place:05d}"
        path = books.seller.file(
            f"{settlement_id}.txt",
            case.written(file),
            file.total,
            settlement_id=settlement_id,
            settlement_start_date=moment(file.start),
            settlement_end_date=moment(file.end),
            deposit_date=moment(file.deposit),
            currency=case.currency,
        )
        arrivals.land_report(company, path, "file", account_name(number))
        settled.append(Settled(books, account_name(number), settlement_id, file))
    return settled


def without_nil(amounts: Amounts) -> Amounts:
    return {key: amount for key, amount in amounts.items() if amount}


def stated(figures: Any) -> Amounts:
    """Expected figures as {(period, account or box): amount}."""
    return without_nil({(period, key): Decimal(v) for period, some in figures.items() for key, v in some.items()})


def last_day_of(period: str) -> date:
    first = date.fromisoformat(f"{period}-01")
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
