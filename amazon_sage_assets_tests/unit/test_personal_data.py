"""Personal data: kept in one file for its owner alone, shown by nothing, and gone to the last byte when erased."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from amazon_sage_assets.amazon.orders_api import Recipient
from amazon_sage_assets.orders.personal import PersonalData, recipient_hash

# Keeps one recipient, writes another and is gone before anything is tidied away.
KILLED = """
import os, signal, sys
from amazon_sage_assets.orders.personal import PersonalData
personal = PersonalData(database=sys.argv[1])
with personal.connect() as connection:
    connection.execute("insert into main.recipients values ($1, $2)", sys.argv[2:])
    os.kill(os.getpid(), signal.SIGKILL)
"""

# Is gone when the new file is written and not yet in the place of the old one.
KILLED_ERASING = """
import os, signal, sys
from amazon_sage_assets.orders.personal import PersonalData
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
PersonalData(database=sys.argv[1]).erase(sys.argv[2:])
"""


def whom(number: int) -> Recipient:
    """Somebody whose every word is theirs alone."""
    return Recipient(
        order_id=f"202-0000001-{number:07}",
        name=f"Véra{number:04}x Lightfoot{number:04}x",
        company=f"Kettle{number:04}x Ltd",
        lines=(f"Flat{number:04}x", f"Lantern{number:04}x Row"),
        city=f"Leeds{number:04}x",
        county=f"Yorkshire{number:04}x",
        postcode=f"LS{number:04}x",
        country="GB",
        phone=f"0770{number:04}x",
    )


def words(recipient: Recipient) -> list[bytes]:
    said = (recipient.name, recipient.company, *recipient.lines, recipient.city, recipient.county, recipient.postcode)
    return [word.encode() for word in " ".join((*said, recipient.phone)).split() if word.endswith("x")]


def on_disk(personal: PersonalData) -> bytes:
    """Every byte of the file and of whatever lies beside it."""
    return b"".join(path.read_bytes() for path in sorted(personal.path.parent.rglob("*")) if path.is_file())


def found(personal: PersonalData, recipient: Recipient) -> list[bytes]:
    content = on_disk(personal)
    return [word for word in (*words(recipient), recipient.order_id.encode()) if word in content]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def personal(tmp_path: Path) -> PersonalData:
    return PersonalData(database=str(tmp_path / "home" / "personal" / "recipients.duckdb"))


@pytest.fixture
def careless_umask() -> Iterator[None]:
    """Files would be readable by everybody."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


# --- keeping --------------------------------------------------------------------------------------------------------


def test_a_recipient_is_kept_whole(personal: PersonalData) -> None:
    personal.keep([whom(1), whom(2)])
    assert personal.of([whom(1).order_id]) == {whom(1).order_id: whom(1)}
    assert personal.of([whom(2).order_id, "202-0000009-0000009"]) == {whom(2).order_id: whom(2)}


def test_the_newest_word_on_a_recipient_stays_alone(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    moved = replace(whom(1), city="York")
    personal.keep([moved])
    assert personal.of([whom(1).order_id]) == {whom(1).order_id: moved}


def test_without_a_file_nobody_is_known_and_none_is_made(personal: PersonalData) -> None:
    assert personal.of(["202-0000001-0000001"]) == {}
    assert personal.erase(["202-0000001-0000001"]) == 0
    personal.keep([])
    assert not personal.path.exists()


@pytest.mark.usefixtures("careless_umask")
def test_the_file_and_its_folder_are_for_their_owner_alone_also_after_erasing(personal: PersonalData) -> None:
    personal.path.parent.mkdir(parents=True)
    personal.keep([whom(1), whom(2)])
    assert (mode(personal.path), mode(personal.path.parent)) == (0o600, 0o700)
    personal.erase([whom(1).order_id])
    assert (mode(personal.path), mode(personal.path.parent)) == (0o600, 0o700)


# --- erasing --------------------------------------------------------------------------------------------------------


def test_no_byte_of_an_erased_recipient_is_left_and_the_others_stay(personal: PersonalData) -> None:
    everybody = [whom(number) for number in range(40)]
    personal.keep(everybody)
    gone, staying = everybody[::2], everybody[1::2]
    assert all(found(personal, recipient) for recipient in gone), "the search would not find what is there"
    assert personal.erase([recipient.order_id for recipient in gone]) == 20
    assert [found(personal, recipient) for recipient in gone] == [[]] * 20
    assert personal.of([r.order_id for r in everybody]) == {r.order_id: r for r in staying}
    assert [path.name for path in personal.path.parent.iterdir()] == ["recipients.duckdb"]


def test_an_address_that_was_replaced_goes_with_the_next_erasing(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    personal.keep([replace(whom(2), order_id=whom(1).order_id)])
    personal.erase([])
    assert [word for word in found(personal, whom(1)) if word in words(whom(1))] == []
    assert personal.of([whom(1).order_id])[whom(1).order_id].city == whom(2).city


def test_erasing_everybody_leaves_a_file_that_can_be_used(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    assert personal.erase([whom(1).order_id, whom(2).order_id]) == 1
    assert personal.of([whom(1).order_id]) == {}
    personal.keep([whom(2)])
    assert personal.of([whom(2).order_id]) == {whom(2).order_id: whom(2)}


def killed_while_writing(personal: PersonalData, recipient: Recipient) -> None:
    content = '{"note": "' + " ".join(word.decode() for word in words(recipient)) + '"}'
    run = subprocess.run(
        [sys.executable, "-c", KILLED, str(personal.path), recipient.order_id, content], check=False, timeout=60
    )
    assert run.returncode == -9


def test_what_a_killed_run_had_written_is_erased_too(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    killed_while_writing(personal, whom(2))
    assert found(personal, whom(2)), "the killed run wrote nothing"
    assert personal.erase([whom(2).order_id]) == 1
    assert found(personal, whom(2)) == []
    assert personal.of([whom(1).order_id, whom(2).order_id]) == {whom(1).order_id: whom(1)}


def test_what_a_killed_erasing_had_copied_goes_with_the_next_one(personal: PersonalData) -> None:
    """It leaves a half-made file beside the old one, with the recipients that were to stay then."""
    personal.keep([whom(1), whom(2)])
    run = subprocess.run(
        [sys.executable, "-c", KILLED_ERASING, str(personal.path), whom(1).order_id], check=False, timeout=60
    )
    assert run.returncode == -9
    assert len(list(personal.path.parent.iterdir())) == 2, "the killed run copied nothing"
    assert personal.of([whom(1).order_id]) != {}
    assert personal.erase([whom(1).order_id, whom(2).order_id]) == 2
    assert found(personal, whom(1)) == found(personal, whom(2)) == []


# --- showing nothing ------------------------------------------------------------------------------------------------


def test_neither_a_recipient_nor_the_file_nor_the_hash_shows_a_word(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    shown = f"{whom(1)!r} {whom(1)} {personal!r} {personal} {recipient_hash(whom(1))} {[whom(1)]} {personal.of([])}"
    assert [word for word in words(whom(1)) if word in shown.encode()] == []


@pytest.mark.parametrize("field", [field.name for field in fields(Recipient)])
def test_a_recipient_with_another_word_has_another_hash(field: str) -> None:
    other: Any = getattr(whom(2), field) if field != "country" else "JE"
    assert recipient_hash(replace(whom(1), **{field: other})) != recipient_hash(whom(1))


def test_the_same_recipient_has_the_same_hash_before_and_after_being_kept(personal: PersonalData) -> None:
    personal.keep([whom(1)])
    (kept,) = personal.of([whom(1).order_id]).values()
    assert recipient_hash(kept) == recipient_hash(whom(1))
