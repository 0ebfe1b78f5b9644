"""Invented buyers. Names, streets and telephone numbers belong to nobody; towns are real."""

from textwrap import wrap
from typing import NamedTuple

from amazon_sage_assets.sandbox.sample_seller.chance import chance, lettered


class Buyer(NamedTuple):
    """Who ordered and where it goes. Amazon hides the real e-mail address behind one of its own."""

    name: str
    email: str
    lines: tuple[str, ...]
    city: str
    county: str
    postcode: str
    country: str
    phone: str


SAGE_ADDRESS_LINE = 60
SAGE_POSTCODE = 10

_FIRST = {
    "GB": ("Siân", "Oliver", "Zoë", "Priya", "Tomasz", "Aoife", "Chloé", "Mohammed", "Grace", "Łukasz", "Hannah"),
    "DE": ("Jürgen", "Anneliese", "Björn", "Käthe", "Deniz", "Sören", "Mareike", "Ömer", "Franziska", "Jörg"),
}  # fmt: skip
_LAST = {
    "GB": ("Wyn-Jones", "O’Leary", "Patel", "Brontë", "Kowalczyk", "Ashworth", "MacAulay", "Nguyễn", "Featherstone"),
    "DE": ("Groß", "Müller-Lüdenscheidt", "Yıldız", "Strauß", "Weißmann", "Kühn", "Schröder", "Öztürk", "Bauer"),
}
_STREETS = {
    "GB": ("Kettle Yard", "Orchard Rise", "Saint Blaise Street", "Mill Hill Lane", "Larkfield Close", "Tannery Walk"),
    "DE": ("Kesselgasse", "Lindenstraße", "Am Mühlgraben", "Große Bleiche", "Rosenweg", "Teichstraße"),
}
_TOWNS = {
    "GB": (
        ("Leeds", "West Yorkshire", "LS"), ("Exeter", "Devon", "EX"), ("Cardiff", "", "CF"),
        ("Norwich", "Norfolk", "NR"), ("Aberdeen", "", "AB"), ("Lichfield", "Staffordshire", "WS"),
    ),
    "DE": (
        ("Göttingen", "", "370"), ("Köln", "", "509"), ("Görlitz", "", "028"), ("Münster", "", "481"),
        ("Rostock", "", "180"),
    ),
}  # fmt: skip
_WAY = (
    "round the back of the Corn Exchange, through the arch, second stair on the left, third floor, brass bell plate; "
    "if nobody answers leave it with the upholsterer on the ground floor and not with the bakery, who close at noon, "
    "and please mind the low step by the goods lift"
)
_MAIL = {"GB": "marketplace.amazon.co.uk", "DE": "marketplace.amazon.de"}


def buyer(country: str, *key: object) -> Buyer:
    """The buyer of one order."""
    source = chance(*key, "buyer")
    town, county, area = source.choice(_TOWNS[country])
    street, number = source.choice(_STREETS[country]), source.randrange(1, 180)
    if country == "GB":
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        postcode = f"{area}{source.randrange(1, 20)} {source.randrange(1, 10)}"
        postcode += source.choice(letters) + source.choice(letters)
        lines: tuple[str, ...] = (f"{number} {street}",)
        phone = f"07700 900{source.randrange(1000):03d}"
    else:
        postcode = f"{area}{source.randrange(100):02d}"
        lines = (f"{street} {number}",)
        phone = f"+49 30 23125 {source.randrange(1000):03d}"
    if source.randrange(6) == 0:
        lines = (f"Flat {source.randrange(1, 40)}" if country == "GB" else "c/o Praxis am Markt", *lines)
    name = f"{source.choice(_FIRST[country])} {source.choice(_LAST[country])}"
    email = f"{lettered(source.getrandbits(80), 14).lower()}@{_MAIL[country]}"
    return Buyer(name, email, lines, town, county, postcode, country, phone)


def with_long_line(one: Buyer) -> Buyer:
    """A buyer whose first address line does not fit into Sage's."""
    line = "The Old Dye Works, Studio 14b above the Bicycle Repair Workshop, Canal Side Entrance"
    return one._replace(lines=(line, "Ring twice, then wait by the green gate", *one.lines))


def with_long_address(one: Buyer) -> Buyer:
    """A buyer who describes the way at a length of some 300 characters: more than all of Sage's address lines hold."""
    return one._replace(lines=tuple(wrap(f"{one.lines[-1]}, {_WAY}", 110)))


def with_emoji(one: Buyer) -> Buyer:
    """A buyer who writes with pictures."""
    return one._replace(name=f"{one.name} 🫖", lines=(*one.lines[:-1], f"{one.lines[-1]}, blue door 🚪💙"))


def without_postcode(one: Buyer) -> Buyer:
    """A buyer who left the postcode out."""
    return one._replace(postcode="")


def with_long_postcode(one: Buyer) -> Buyer:
    """A buyer who put two postcodes where one belongs."""
    return one._replace(postcode=f"{one.postcode} or {one.postcode}")
