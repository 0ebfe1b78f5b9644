"""Landed documents: the bytes that arrived are kept exactly, once, whole or not at all."""

import hashlib
import io
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amazon_sage_assets.landing import SETTLEMENT_REPORT, Landing, Origin

MORNING = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FROM_INBOX = Origin("inbox", "october.txt", "2026-11-20T09:30:00.000000+00:00")


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path)


def land(landing: Landing, content: bytes, origin: Origin = FROM_INBOX) -> str:
    return landing.land(io.BytesIO(content), SETTLEMENT_REPORT, origin).sha256


def kept(landing: Landing, sha256: str) -> bytes:
    with landing.open(SETTLEMENT_REPORT, sha256) as stream:
        return stream.read()


def files_of(landing: Landing) -> list[Path]:
    return [path for path in landing.root.rglob("*") if path.is_file()]


def the_kept_file(landing: Landing) -> Path:
    (path,) = landing.root.rglob("*.zst")
    return path


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=2000))
def test_the_bytes_come_back_as_they_arrived(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    landing = Landing(tmp_path_factory.mktemp("home"))
    document = landing.land(io.BytesIO(content), SETTLEMENT_REPORT, FROM_INBOX)
    assert document.sha256 == hashlib.sha256(content).hexdigest()
    assert document.byte_count == len(content)
    assert kept(landing, document.sha256) == content
    assert landing.intact(SETTLEMENT_REPORT, document.sha256)


def test_a_document_of_several_megabytes_comes_back_as_it_arrived(landing: Landing) -> None:
    content = random.Random(1).randbytes(3_500_000)
    sha256 = land(landing, content)
    assert kept(landing, sha256) == content
    assert landing.document(SETTLEMENT_REPORT, sha256).byte_count == 3_500_000


def test_a_file_keeps_its_name_its_source_and_when_it_came(landing: Landing, tmp_path: Path) -> None:
    path = tmp_path / "october £.txt"
    path.write_bytes(b"settlement")
    document = landing.land_file(path, SETTLEMENT_REPORT, "file", MORNING, account="uk")
    assert document.first == Origin("file", "october £.txt", "2026-11-20T09:30:00.000000+00:00", "uk")
    assert landing.document(SETTLEMENT_REPORT, document.sha256) == document
    assert path.read_bytes() == b"settlement"


def test_the_same_bytes_twice_are_one_document_with_two_origins(landing: Landing) -> None:
    twin = Origin("report", "1050001", "2026-11-20T10:00:00+00:00", charset="cp1252")
    first, second = land(landing, b"same"), land(landing, b"same", twin)
    assert first == second
    (document,) = landing.documents(SETTLEMENT_REPORT)
    assert document.origins == (FROM_INBOX, twin)
    assert document.first == FROM_INBOX
    assert len(files_of(landing)) == 2


def test_the_same_origin_again_says_nothing_new(landing: Landing) -> None:
    later = Origin(FROM_INBOX.source, FROM_INBOX.name, "2026-11-21T09:30:00+00:00")
    land(landing, b"same")
    note = the_kept_file(landing).with_suffix(".json").read_bytes()
    land(landing, b"same", later)
    assert the_kept_file(landing).with_suffix(".json").read_bytes() == note


def test_documents_are_listed_in_the_order_in_which_they_came(landing: Landing, tmp_path: Path) -> None:
    for number, name in enumerate(["second", "third", "first"]):
        path = tmp_path / name
        path.write_text(name, encoding="utf-8")
        landing.land_file(path, SETTLEMENT_REPORT, "file", MORNING + timedelta(hours=(number + 1) % 3))
    assert [d.first.name for d in landing.documents(SETTLEMENT_REPORT)] == ["first", "second", "third"]
    assert landing.documents("another_kind") == []


def test_a_document_that_never_came_cannot_be_opened(landing: Landing) -> None:
    with pytest.raises(FileNotFoundError), landing.open(SETTLEMENT_REPORT, "0" * 64):
        pytest.fail("there is nothing to open")


class TornStream(io.RawIOBase):
    """A download that breaks off after its first megabytes."""

    def __init__(self) -> None:
        self.left = 3

    def read(self, size: int = -1) -> bytes:
        if self.left == 0:
            raise ConnectionError("the line went dead")
        self.left -= 1
        return bytes(size)


def test_a_download_that_breaks_off_leaves_nothing_behind(landing: Landing) -> None:
    torn: IO[bytes] = TornStream()  # type: ignore[assignment]
    with pytest.raises(ConnectionError):
        landing.land(torn, SETTLEMENT_REPORT, FROM_INBOX)
    assert files_of(landing) == []
    assert landing.documents(SETTLEMENT_REPORT) == []


LANDS_ITS_INPUT = """
import sys
from pathlib import Path
from amazon_sage_assets.landing import Landing, Origin
Landing(Path(sys.argv[1])).land(sys.stdin.buffer, "settlement_report", Origin("file", "cut.txt", "2026-11-20"))
"""


def test_a_process_killed_half_way_leaves_no_document_and_the_whole_one_can_still_come(
    landing: Landing, tmp_path: Path
) -> None:
    content = random.Random(2).randbytes(4_000_000)
    with subprocess.Popen([sys.executable, "-c", LANDS_ITS_INPUT, str(tmp_path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(content[:3_000_000])  # returns once all but a pipe's worth was read
        process.stdin.flush()
        process.kill()
        process.wait()
    assert landing.documents(SETTLEMENT_REPORT) == []
    assert list(landing.root.rglob("*.zst")) == []
    assert kept(landing, land(landing, content)) == content


def test_bytes_whose_note_was_never_written_become_a_document_when_they_come_again(landing: Landing) -> None:
    land(landing, b"whole")
    the_kept_file(landing).with_suffix(".json").unlink()
    assert landing.documents(SETTLEMENT_REPORT) == []
    land(landing, b"whole")
    (document,) = landing.documents(SETTLEMENT_REPORT)
    assert landing.intact(SETTLEMENT_REPORT, document.sha256)


def test_any_changed_byte_that_changes_the_document_is_noticed(landing: Landing) -> None:
    content = b"settlement-id\ttotal-amount\n24000000001\t19.60\n" * 20
    sha256 = land(landing, content)
    path = the_kept_file(landing)
    original = path.read_bytes()
    unnoticed = []
    for place in range(len(original)):
        path.write_bytes(original[:place] + bytes([original[place] ^ 0x10]) + original[place + 1 :])
        if landing.intact(SETTLEMENT_REPORT, sha256):
            assert kept(landing, sha256) == content
            unnoticed.append(place)
    assert len(unnoticed) <= 2, "a bit or two of the packing itself say nothing of the document"
    path.write_bytes(original)
    assert landing.intact(SETTLEMENT_REPORT, sha256)


@pytest.mark.parametrize("rest", [0, 1, 20])
def test_kept_bytes_that_were_cut_short_are_noticed(landing: Landing, rest: int) -> None:
    sha256 = land(landing, b"settlement-id\ttotal-amount\n24000000001\t19.60\n" * 20)
    path = the_kept_file(landing)
    path.write_bytes(path.read_bytes()[:rest])
    assert not landing.intact(SETTLEMENT_REPORT, sha256)
