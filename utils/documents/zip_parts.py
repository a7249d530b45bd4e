"""Word and Excel files are zip archives: they are unpacked within bounds before a library sees them."""

from __future__ import annotations

import io
import zipfile
from xml.sax.handler import ContentHandler

from defusedxml import sax
from defusedxml.common import DefusedXmlException

MAX_UNPACKED = 100 * 10**6
MAX_PARTS = 5_000
_PIECE = 2**16


def xml_parts(data: bytes) -> io.BytesIO:
    """A copy of an Office file with its XML parts alone, not compressed.

    So no picture is unpacked, and no library meets a part that is larger than its archive says.
    Raises ValueError when the parts have more than 100 MB together or XML with entities or a document type,
    zipfile.BadZipFile when the archive is damaged.
    """
    copy = io.BytesIO()
    room = MAX_UNPACKED
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(copy, "w") as plain:
        members = [member for member in archive.infolist() if member.filename.lower().endswith((".xml", ".rels"))]
        if len(members) > MAX_PARTS:
            raise ValueError("the archive has too many parts")
        for member in members:
            part = _unpacked(archive, member, room)
            room -= len(part)
            _require_plain_xml(part)
            plain.writestr(member.filename, part)
    copy.seek(0)
    return copy


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> bytes:
    """A part's bytes, piece by piece: the size that the archive states may be a lie."""
    pieces: list[bytes] = []
    with archive.open(member) as part:
        while piece := part.read(_PIECE):
            pieces.append(piece)
            room -= len(piece)
            if room < 0:
                raise ValueError("the archive unpacks to more than 100 MB")
    return b"".join(pieces)


def _require_plain_xml(part: bytes) -> None:
    try:
        sax.parseString(part, ContentHandler(), forbid_dtd=True)
    except DefusedXmlException as error:
        raise ValueError("the XML declares entities") from error
