"""A delivery address in Sage's fields: nothing of it is lost, nothing is too long, and no error repeats it."""

import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.sage.delivery_address import AddressDoesNotFit, FittedAddress, fit

# Sage's own lengths, in characters as its database counts them.
LIMITS = {
    "postal_name": 60, "address_1": 60, "address_2": 60, "address_3": 60, "address_4": 60, "city": 60, "county": 60,
    "country": 60, "postcode": 10, "contact": 235, "telephone_number": 30,
}  # fmt: skip
COMMENT = 1000
IN_ORDER = ("postal_name", "address_1", "address_2", "address_3", "address_4")
# What a Western European Windows can show, but for the soft hyphen, which nobody sees.
WESTERN = "".join(
    character for n in range(33, 256) if (character := bytes([n]).decode("cp1252", "ignore")).isprintable()
)


def whom(**different: Any) -> Recipient:
    usual = Recipient(
        order_id="202-0000001-0000001",
        name="Vera Lightfoot",
        company="",
        lines=("9 Lantern Row",),
        city="Leeds",
        county="West Yorkshire",
        postcode="LS1 1AA",
        country="GB",
        phone="07700 900123",
    )
    return replace(usual, **different)


def length(text: str) -> int:
    """UTF-16 units, worked out from the code points: those beyond the first plane are two."""
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def flowing(fitted: FittedAddress) -> str:
    """The fields that run one into another, and what is left over, one after the other."""
    return " ".join(filter(None, (*(fitted.fields.get(name, "") for name in IN_ORDER), fitted.comment)))


def bare(text: str) -> str:
    """Only what is read: no spaces, and no commas, which the lines are joined by."""
    return re.sub(r"[\s,]", "", text)


def fitted_or_code(recipient: Recipient) -> FittedAddress | str:
    try:
        return fit(recipient)
    except AddressDoesNotFit as error:
        return error.code


def within_limits(fitted: FittedAddress) -> bool:
    assert set(fitted.fields) <= set(LIMITS)
    return all(0 < length(text) <= LIMITS[name] for name, text in fitted.fields.items())


# --- addresses that fit ---------------------------------------------------------------------------------------------


def test_an_address_that_fits_goes_in_as_it_is_written() -> None:
    fitted = fit(whom(company="Calm Kettle Ltd", lines=("Unit 4", "9 Lantern Row")))
    assert fitted.fields == {
        "postal_name": "Vera Lightfoot",
        "address_1": "Calm Kettle Ltd",
        "address_2": "Unit 4",
        "address_3": "9 Lantern Row",
        "city": "Leeds",
        "county": "West Yorkshire",
        "postcode": "LS1 1AA",
        "country": "United Kingdom",
        "contact": "Vera Lightfoot",
        "telephone_number": "07700 900123",
    }
    assert fitted.comment == ""


@pytest.mark.parametrize(
    ("country", "name"), [("IM", "Isle of Man"), ("JE", "Jersey"), ("IE", "Ireland"), ("DE", "Germany"), ("ZZ", "ZZ")]
)
def test_a_country_is_spelt_out_where_it_is_known(country: str, name: str) -> None:
    assert fit(whom(country=country)).fields["country"] == name


def test_a_line_of_seventy_characters_goes_on_in_the_next_one_between_words() -> None:
    long = "The Old Post Office behind the Church of Saint Michael and All Angels"
    fitted = fit(whom(lines=(long,)))
    assert fitted.fields["address_1"] == "The Old Post Office behind the Church of Saint Michael and"
    assert fitted.fields["address_2"] == "All Angels"


def test_five_short_lines_are_joined_by_commas_into_four() -> None:
    fitted = fit(whom(company="Calm Kettle Ltd", lines=("Flat 2", "The Mews", "Lantern Row"), name="V" * 70))
    assert "Calm Kettle Ltd, Flat 2, The Mews, Lantern Row" in flowing(fitted)
    assert fitted.comment == ""


def test_a_company_without_a_person_is_whom_it_goes_to() -> None:
    fields = fit(whom(name="", company="Calm Kettle Ltd")).fields
    assert (fields["postal_name"], fields["address_1"]) == ("Calm Kettle Ltd", "9 Lantern Row")
    assert "address_2" not in fields
    assert "contact" not in fields


def test_a_company_with_a_long_name_and_without_a_person_is_not_cut() -> None:
    company = "The Worshipful and Most Honourable Company of Kettle Makers and Tea Blenders of Leeds"
    fitted = fit(whom(name="", company=company))
    assert within_limits(fitted)
    assert bare(flowing(fitted)) == bare(company + "9 Lantern Row")


def test_a_name_of_seventy_characters_goes_on_in_the_first_line_and_is_whole_in_the_contact() -> None:
    name = "Vera Alexandra Josephine Lightfoot-Featherstonehaugh of Lantern Row, Leeds"
    fields = fit(whom(name=name)).fields
    assert f"{fields['postal_name']} {fields['address_1']}" == name
    assert fields["contact"] == name


def test_a_telephone_number_that_is_too_long_is_told_in_the_comment() -> None:
    phone = "+44 7700 900123 ext. 4567 ask for Vera"
    fitted = fit(whom(phone=phone))
    assert "telephone_number" not in fitted.fields
    assert phone in fitted.comment


# --- long addresses -------------------------------------------------------------------------------------------------


def test_an_address_of_three_hundred_characters_runs_over_into_the_comment() -> None:
    lines = tuple(" ".join([f"{word}{number}" for number in range(16)]) for word in ("Floor", "House", "Court"))
    assert sum(map(len, lines)) > 300
    fitted = fit(whom(lines=lines))
    assert within_limits(fitted)
    assert fitted.comment
    assert re.findall(r"\w+", flowing(fitted)) == re.findall(r"\w+", " ".join(("Vera Lightfoot", *lines)))


def test_a_word_of_two_hundred_characters_is_broken_and_every_character_kept() -> None:
    word = "".join(chr(ord("a") + number % 26) for number in range(200))
    fitted = fit(whom(lines=(word,)))
    assert within_limits(fitted)
    assert bare(flowing(fitted)) == bare("Vera Lightfoot" + word)


def test_an_emoji_counts_twice_as_it_does_in_sages_database() -> None:
    fitted = fit(whom(lines=("🏡" * 31,)))
    assert within_limits(fitted)
    assert length(fitted.fields["address_1"]) == 60
    assert flowing(fitted).count("🏡") == 31


def test_an_emoji_that_is_newer_than_this_python_is_kept() -> None:
    newer = "\U0001fae8"
    assert fit(whom(lines=(f"{newer} Lantern Row",))).fields["address_1"] == f"{newer} Lantern Row"


def test_an_emoji_of_several_people_stays_one() -> None:
    family = "👨\u200d👩\u200d👧"
    assert fit(whom(name=f"Lightfoot {family}")).fields["postal_name"] == f"Lightfoot {family}"


def test_right_to_left_text_is_kept_in_its_order() -> None:
    fitted = fit(whom(name="ورا لايتفوت", lines=("شارع الفانوس ٩", "רחוב הפנס 9")))
    assert fitted.fields["postal_name"] == "ورا لايتفوت"
    assert (fitted.fields["address_1"], fitted.fields["address_2"]) == ("شارع الفانوس ٩", "רחוב הפנס 9")


def test_marks_of_direction_do_not_break_a_word() -> None:
    assert fit(whom(name="Ve\u200fra\u202e Light\u00adfoot")).fields["postal_name"] == "Vera Lightfoot"


def test_a_letter_joiner_inside_a_persian_word_is_kept() -> None:
    name = "می\u200cخواهم"
    assert fit(whom(name=name)).fields["postal_name"] == name


@pytest.mark.parametrize(
    "gap", ["\t", "\n", "\r\n", "\x00", "\x1f", "\x7f", "\x85", "\u2028", "\u00a0", "\u3000", "  "]
)
def test_tabs_newlines_and_control_characters_part_words_and_are_not_sent(gap: str) -> None:
    fields = fit(whom(name=f"Vera{gap}Lightfoot", lines=(f"{gap}9 Lantern{gap}{gap}Row{gap}",))).fields
    assert (fields["postal_name"], fields["address_1"]) == ("Vera Lightfoot", "9 Lantern Row")


def test_half_of_a_broken_emoji_cannot_stop_an_order() -> None:
    assert fit(whom(name="Vera \ud83d Lightfoot")).fields["postal_name"] == "Vera Lightfoot"


# --- a Sage of Western European characters --------------------------------------------------------------------------


def test_what_windows_1252_has_stays_and_the_rest_is_spelt_out() -> None:
    fields = fit(whom(name="Łukasz Müller", lines=("Šárka’s Café – 9½ €",), city="Łódź"), windows_1252=True).fields
    assert fields["postal_name"] == "Lukasz Müller"
    assert fields["address_1"] == "Šárka’s Café – 9½ €"
    assert fields["city"] == "Lódz"


def test_an_accent_that_is_written_apart_is_put_on_its_letter_before_it_is_spelt_out() -> None:
    fields = fit(whom(lines=(unicodedata.normalize("NFD", "9 Café Row"),)), windows_1252=True).fields
    assert fields["address_1"] == "9 Café Row"


def test_without_that_limit_nothing_is_spelt_out() -> None:
    assert fit(whom(name="Łukasz", city="Łódź")).fields["city"] == "Łódź"


@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80))
def test_whatever_is_written_windows_1252_can_show_it(text: str) -> None:
    fitted = fit(whom(lines=("9 Lantern Row", text)), windows_1252=True)
    assert within_limits(fitted)
    told = " ".join((*fitted.fields.values(), fitted.comment))
    assert told.encode("cp1252").decode("cp1252") == told


@given(text=st.text(alphabet=WESTERN, min_size=1, max_size=60))
def test_what_windows_1252_can_show_is_left_as_it_is(text: str) -> None:
    assert fit(whom(lines=(text,)), windows_1252=True).fields["address_1"] == text


# --- what does not fit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "different", "code"),
    [
        ("town", {"city": "Llanfair" * 8}, "FIELD_TOO_LONG"),
        ("county", {"county": "Yorkshire" * 7}, "FIELD_TOO_LONG"),
        ("postcode", {"postcode": "LS1 1AA-SECRET"}, "FIELD_TOO_LONG"),
        ("country", {"country": "Ruritania" * 7}, "FIELD_TOO_LONG"),
        ("address", {"lines": ("Lantern Row " * 120,)}, "FIELD_TOO_LONG"),
        ("address", {"phone": "07700 900123 " * 90}, "FIELD_TOO_LONG"),
        ("postcode", {"postcode": ""}, "ADDRESS_INCOMPLETE"),
        ("postcode", {"postcode": " \t", "country": "DE"}, "ADDRESS_INCOMPLETE"),
        ("street", {"lines": ()}, "ADDRESS_INCOMPLETE"),
        ("street", {"lines": (" ", "\n")}, "ADDRESS_INCOMPLETE"),
        ("street", {"lines": (), "company": "Calm Kettle Ltd"}, "ADDRESS_INCOMPLETE"),
        ("name", {"name": "", "company": ""}, "ADDRESS_INCOMPLETE"),
        ("name", {"name": "\u200b", "company": " "}, "ADDRESS_INCOMPLETE"),
    ],
)
def test_what_does_not_fit_is_named_by_its_field_and_never_repeated(
    field: str, different: dict[str, Any], code: str
) -> None:
    recipient = whom(**different)
    with pytest.raises(AddressDoesNotFit) as raised:
        fit(recipient)
    said = f"{raised.value} {raised.value!r} {raised.value.args}"
    assert raised.value.code == code
    assert field in said
    words = (recipient.name, recipient.company, *recipient.lines, recipient.city, recipient.county, recipient.postcode)
    for word in re.findall(r"\w{3,}", " ".join((*words, recipient.phone))):
        assert word not in said


def test_the_length_in_the_message_is_sages_count() -> None:
    with pytest.raises(AddressDoesNotFit, match=r"town has 62 characters; Sage keeps 60"):
        fit(whom(city="🏡" * 31))


@pytest.mark.parametrize("country", ["IE", "JE", "AE"])
def test_countries_that_do_without_a_postcode_need_none(country: str) -> None:
    assert "postcode" not in fit(whom(postcode="", country=country)).fields


def test_neither_the_recipient_nor_the_fitted_address_shows_itself() -> None:
    recipient = whom(company="Calm Kettle Ltd")
    shown = f"{recipient!r} {recipient} {fit(recipient)!r} {fit(recipient)}"
    for word in ("Vera", "Lightfoot", "Calm", "Lantern", "Leeds", "Yorkshire", "LS1", "07700"):
        assert word not in shown


# --- whatever the address -------------------------------------------------------------------------------------------

# Words as people write them, of several scripts and lengths; no commas, by which lines are joined.
WORDS = st.one_of(
    st.text(alphabet=st.characters(categories=["L", "Nd", "Sm", "So"]), min_size=1, max_size=25),
    st.sampled_from(["9", "Lantern", "Row", "O'Neill-Smith", "c/o", "№4", "🏡", "دار", "千代田区"]),
    st.text(alphabet="abcdefghij", min_size=61, max_size=200),
)
GAPS = st.sampled_from([" ", "  ", "\t", "\n", "\u00a0"])


@st.composite
def written(draw: st.DrawFn, most: int, *, least: int = 0) -> str:
    words = draw(st.lists(WORDS, min_size=least, max_size=most))
    return draw(GAPS).join(words)


def short(most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet=st.characters(categories=["L", "Nd"], max_codepoint=0xFFFF), max_size=most)


RECIPIENTS = st.builds(
    Recipient,
    order_id=st.just("202-0000001-0000001"),
    name=written(8, least=1),
    company=written(6),
    lines=st.lists(written(8, least=1), min_size=1, max_size=3).map(tuple),
    city=short(60),
    county=short(60),
    postcode=short(10),
    country=st.sampled_from(["IE", "AE", "JE"]),
    phone=st.text(alphabet="+0123456789 ", max_size=40),
)


@settings(deadline=None, max_examples=300)
@given(recipient=RECIPIENTS)
@example(recipient=whom(name="", company="C" * 61))
def test_no_word_of_an_address_is_lost_and_no_field_is_too_long(recipient: Recipient) -> None:
    fitted = fitted_or_code(recipient)
    if isinstance(fitted, str):
        assert fitted == "FIELD_TOO_LONG"
        assert length(" ".join((recipient.name, recipient.company, *recipient.lines))) > COMMENT
        return
    assert within_limits(fitted)
    assert length(fitted.comment) <= COMMENT
    phone = " ".join(recipient.phone.split())
    told_in_comment = f"Telephone {phone}" if length(phone) > 30 else ""
    asked = " ".join((recipient.name, recipient.company, *recipient.lines, told_in_comment))
    assert bare(flowing(fitted)) == bare(asked)
    for word in asked.split():
        assert length(word) > 60 or word in re.split(r",? ", flowing(fitted))
    for field, text in (("city", recipient.city), ("county", recipient.county), ("postcode", recipient.postcode)):
        assert fitted.fields.get(field, "") == text
    assert fitted.fields.get("telephone_number", "") == ("" if told_in_comment else phone)
