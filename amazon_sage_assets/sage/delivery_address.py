"""A delivery address inside Sage's fields, without losing a character of it.

Long lines flow over Sage's four address lines, what is left goes to a comment that the despatch note shows. What has
one field alone, the postcode or the town, cannot flow: then the order waits for a person. Errors name the field and
its length, never its content.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from anyascii import anyascii

from amazon_sage_assets.amazon.orders_api import Recipient

LINE, POSTCODE, CONTACT, PHONE = 60, 10, 235, 30
LINES = 4
COMMENT = 1000
JOINERS = "\u200c\u200d"  # unseen, but they make an emoji of several, and letters of Persian
PARTING = ("Cc", "Cs", "Zl", "Zp", "Zs")
COUNTRIES = {
    "GB": "United Kingdom", "IM": "Isle of Man", "JE": "Jersey", "GG": "Guernsey", "IE": "Ireland", "DE": "Germany",
    "FR": "France", "IT": "Italy", "ES": "Spain", "NL": "Netherlands", "BE": "Belgium", "SE": "Sweden", "PL": "Poland",
    "AT": "Austria", "CH": "Switzerland", "DK": "Denmark", "FI": "Finland", "NO": "Norway", "PT": "Portugal",
    "US": "United States", "CA": "Canada", "AU": "Australia",
}  # fmt: skip
NEEDS_POSTCODE = ("GB", "DE", "FR", "IT", "ES", "NL", "BE", "SE", "PL", "AT", "US")


class AddressDoesNotFit(Exception):  # noqa: N818
    """`code` is FIELD_TOO_LONG or ADDRESS_INCOMPLETE; the message holds no personal data."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True)
class FittedAddress:
    """Sage's fields by name, and what did not fit into them."""

    fields: dict[str, str]
    comment: str = ""

    def __repr__(self) -> str:
        return "FittedAddress(...)"


def fit(recipient: Recipient, *, windows_1252: bool = False) -> FittedAddress:
    """The address in Sage's fields. Raises AddressDoesNotFit."""

    def clean(text: str) -> str:
        return _clean(text, windows_1252=windows_1252)

    name, city, county = clean(recipient.name), clean(recipient.city), clean(recipient.county)
    postcode, country = clean(recipient.postcode), clean(COUNTRIES.get(recipient.country, recipient.country))
    company, street = clean(recipient.company), [line for line in map(clean, recipient.lines) if line]
    if not street or not (name or company):
        raise AddressDoesNotFit("ADDRESS_INCOMPLETE", "Amazon tells no name or no street.")
    if not postcode and recipient.country in NEEDS_POSTCODE:
        raise AddressDoesNotFit("ADDRESS_INCOMPLETE", "Amazon tells no postcode.")
    for field, text, limit in (
        ("town", city, LINE), ("county", county, LINE), ("postcode", postcode, POSTCODE), ("country", country, LINE),
    ):  # fmt: skip
        if units(text) > limit:
            raise AddressDoesNotFit("FIELD_TOO_LONG", f"the {field} has {units(text)} characters; Sage keeps {limit}")
    head, *rest = _pieces(name or company)
    lines, left = _flowed([*rest, *([company] if name and company else []), *street])
    phone = clean(recipient.phone)
    if units(phone) > PHONE:
        left, phone = " ".join(filter(None, (left, f"Telephone {phone}"))), ""
    if units(left) > COMMENT:
        raise AddressDoesNotFit(
            "FIELD_TOO_LONG", f"{units(left)} characters of the address are left over; a comment keeps {COMMENT}"
        )
    fields = {
        "postal_name": head,
        **{f"address_{number}": line for number, line in enumerate(lines, start=1)},
        "city": city,
        "county": county,
        "postcode": postcode,
        "country": country,
        "contact": name if units(name) <= CONTACT else "",
        "telephone_number": phone,
    }
    return FittedAddress({field: text for field, text in fields.items() if text}, left)


def units(text: str) -> int:
    """Characters as Sage's database counts them: an emoji is two."""
    return len(text.encode("utf-16-le")) // 2


def _clean(text: str, *, windows_1252: bool) -> str:
    """The words of a text with single spaces; control characters part words, unseen marks go."""
    seen = "".join(map(_seen, unicodedata.normalize("NFC", text) if windows_1252 else text))
    return " ".join(("".join(map(_western, seen)) if windows_1252 else seen).split())


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category in PARTING:
        return " "
    return "" if category == "Cf" and character not in JOINERS else character


def _western(character: str) -> str:
    """A character that a Western European Windows cannot show, spelt out; a question mark where nobody can."""
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        is_mark = unicodedata.category(character)[0] == "M" or character in JOINERS
        return anyascii(character) or ("" if is_mark else "?")
    return character


def _pieces(text: str) -> list[str]:
    """A text in pieces that fit a line, broken between words; a longer word is broken where the line ends."""
    found = [""]
    for word in text.split():
        if found[-1] and units(f"{found[-1]} {word}") <= LINE:
            found[-1] += f" {word}"
        elif units(word) <= LINE:
            found.append(word)
        else:
            found.append("")
            for character in word:
                if units(found[-1] + character) > LINE:
                    found.append("")
                found[-1] += character
    return [piece for piece in found if piece]


def _flowed(given: Iterable[str]) -> tuple[list[str], str]:
    """Four lines and what is left over. Lines stay as they are where they can, else they flow one into another."""
    given = list(given)
    apart = [piece for line in given for piece in _pieces(line)]
    if len(apart) <= LINES:
        return apart, ""
    left = ", ".join(given)
    lines = _pieces(left)[:LINES]
    for line in lines:
        left = left.removeprefix(line).lstrip(" ")
    return lines, left
