"""Landed documents: the bytes that arrived, kept exactly, under the hash of their content.

`<home>/landed/<kind>/<first two>/<sha256>.zst` holds the compressed bytes, `<sha256>.json` beside it where they came
from. The same bytes twice are one document with two origins. Nothing here opens the warehouse, so a download never
waits for a database lock.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

import zstandard

SETTLEMENT_REPORT = "settlement_report"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Origin:
    """How a document reached us: `source` is inbox, file or report; `name` the file name or Amazon's report id."""

    source: str
    name: str
    landed_at: str
    account: str | None = None
    charset: str | None = None


@dataclass(frozen=True)
class LandedDocument:
    """One document: `sha256` of the bytes as they arrived, their number, and every origin, the first one first."""

    sha256: str
    kind: str
    byte_count: int
    origins: tuple[Origin, ...]

    @property
    def first(self) -> Origin:
        return self.origins[0]

    @property
    def given_account(self) -> str | None:
        """The seller account it was said to be of, the last word counting."""
        return next((origin.account for origin in reversed(self.origins) if origin.account), None)


class Landing:
    """The folder of landed documents."""

    def __init__(self, home: Path) -> None:
        self.root = home / "landed"

    def land_file(
        self, path: Path, kind: str, source: str, landed_at: datetime, account: str | None = None
    ) -> LandedDocument:
        """Keep a file's bytes. Landing the same bytes again only adds an origin, and an equal origin not even that."""
        with path.open("rb") as stream:
            return self.land(
                stream, kind, Origin(source, path.name, landed_at.isoformat(timespec="microseconds"), account)
            )

    def land(self, stream: IO[bytes], kind: str, origin: Origin) -> LandedDocument:
        folder = self.root / kind
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{uuid4().hex}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with partial.open("wb") as raw:
                with zstandard.ZstdCompressor(level=1).stream_writer(raw, closefd=False) as packed:
                    while chunk := stream.read(_CHUNK):
                        digest.update(chunk)
                        size += len(chunk)
                        packed.write(chunk)
                raw.flush()
                os.fsync(raw.fileno())
            sha256 = digest.hexdigest()
            target = self._path(kind, sha256)
            target.parent.mkdir(exist_ok=True)
            partial.replace(target)  # also where it exists: good bytes mend a damaged file
        finally:
            partial.unlink(missing_ok=True)
        return self._note_origin(kind, sha256, size, origin)

    def _note_origin(self, kind: str, sha256: str, size: int, origin: Origin) -> LandedDocument:
        note = self._path(kind, sha256).with_suffix(".json")
        known = self._read_note(note).origins if note.exists() else ()
        seen = {(o.source, o.name, o.account) for o in known}
        said = next((o.account for o in reversed(known) if o.account), None)
        is_known = (origin.source, origin.name, origin.account) in seen and origin.account in (None, said)
        origins = known if is_known else (*known, origin)
        document = LandedDocument(sha256, kind, size, origins)
        if origins != known:
            fresh = note.with_suffix(f".{uuid4().hex}.part")
            fresh.write_text(json.dumps(asdict(document), indent=1), encoding="utf-8")
            fresh.replace(note)
        return document

    @staticmethod
    def _read_note(note: Path) -> LandedDocument:
        content = json.loads(note.read_text(encoding="utf-8"))
        origins = tuple(Origin(**origin) for origin in content.pop("origins"))
        return LandedDocument(origins=origins, **content)

    def documents(self, kind: str) -> list[LandedDocument]:
        """Every landed document of a kind, in the order of arrival."""
        notes = (self.root / kind).glob("*/*.json")
        return sorted((self._read_note(note) for note in notes), key=lambda d: (d.first.landed_at, d.sha256))

    def document(self, kind: str, sha256: str) -> LandedDocument:
        return self._read_note(self._path(kind, sha256).with_suffix(".json"))

    @contextmanager
    def open(self, kind: str, sha256: str) -> Iterator[IO[bytes]]:
        """The document's bytes as a stream. Raises FileNotFoundError when it was never landed."""
        with self._path(kind, sha256).open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
            yield stream

    def erase(self, kind: str, sha256: str) -> None:
        """Remove a document's bytes and where they came from. Only for kinds that can name people."""
        self._path(kind, sha256).unlink(missing_ok=True)
        self._path(kind, sha256).with_suffix(".json").unlink(missing_ok=True)

    def intact(self, kind: str, sha256: str) -> bool:
        """Whether the kept bytes still have the hash they are filed under."""
        digest = hashlib.sha256()
        try:
            with self.open(kind, sha256) as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
        except zstandard.ZstdError:
            return False
        return digest.hexdigest() == sha256

    def _path(self, kind: str, sha256: str) -> Path:
        return self.root / kind / sha256[:2] / f"{sha256}.zst"
