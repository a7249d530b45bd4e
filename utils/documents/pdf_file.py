"""PDF files: the text of their pages, with the bookmarks as headings.  Scanned pictures of text are not read."""

from __future__ import annotations

import io
import logging
import re
from collections import defaultdict
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from utils.documents.files import MAX_MEGABYTES, MEGABYTE, OTHERWISE
from utils.documents.page import Page, Unreadable

MAX_PAGES = 2_000

_HYPHENATED = re.compile(r"(?<=[^\W\d_])-\n(?=[a-zß-ÿ])")
_BULLET = re.compile(r"^[ \t]*[•▪●◦‣∙·][ \t]*", re.MULTILINE)
_MARKER = re.compile(r"^([ \t]*)(#{1,6}(?=\s)|`{3,}|~{3,})", re.MULTILINE)

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports each oddity of a file; the skipped list says enough

Bookmarks = dict[int, dict[str, int]]  # by page: title → level


def read_pdf(data: bytes) -> Page:
    """A PDF file.  Raises Unreadable when it has a password, no text or too much of it, else what pypdf raises."""
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not _opens(reader):
        raise Unreadable(f"The file {{path}} has a password: save it without one, {OTHERWISE}.")
    if len(reader.pages) > MAX_PAGES:
        raise Unreadable(f"The file {{path}} has more than {MAX_PAGES} pages: split it, {OTHERWISE}.")
    text = "\n\n".join(_pages(reader))
    if not text.strip():
        raise Unreadable(f"The file {{path}} has no text, perhaps only pictures of it: save it with text, {OTHERWISE}.")
    return Page(text=text)


def _opens(reader: PdfReader) -> bool:
    """Whether a protected file opens without a password: many only forbid to print."""
    try:
        return bool(reader.decrypt(""))
    except (PyPdfError, NotImplementedError):  # such as a cipher that needs another package
        return False


def _pages(reader: PdfReader) -> Iterator[str]:
    """The Markdown of each page with text."""
    bookmarks = _bookmarks(reader)
    room = MAX_MEGABYTES * MEGABYTE
    for number, page in enumerate(reader.pages):
        text = page.extract_text().strip()
        room -= len(text)
        if room < 0:
            raise Unreadable(f"The file {{path}} has more than {MAX_MEGABYTES} MB of text: split it, {OTHERWISE}.")
        if text:
            yield _markdown(text, bookmarks.get(number, {}))


def _markdown(text: str, bookmarks: dict[str, int]) -> str:
    text = _MARKER.sub(r"\1\\\2", _HYPHENATED.sub("", text))
    text = _BULLET.sub("- ", text)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join(_heading(line, bookmarks) for line in lines)


def _heading(line: str, bookmarks: dict[str, int]) -> str:
    level = bookmarks.pop(line, None)
    return f"\n{'#' * level} {line}\n" if level else line


def _bookmarks(reader: PdfReader) -> Bookmarks:
    """The titles of a file's outline on the pages that they lead to; none when the outline is damaged."""
    found: Bookmarks = defaultdict(dict)
    try:
        _collect(reader, reader.outline, 1, found)
    except Exception:  # an outline is a help, not the text: any damage in it costs the headings alone
        return {}
    return found


def _collect(reader: PdfReader, outline: list, level: int, found: Bookmarks) -> None:
    for one in outline:
        if isinstance(one, list):
            _collect(reader, one, level + 1, found)
        else:
            number = reader.get_destination_page_number(one)
            found[number if number is not None else -1][" ".join(str(one.title).split())] = min(level, 6)
