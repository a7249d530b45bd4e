"""Text files: Markdown, plain text, reStructuredText and web pages become pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bs4.dammit import EncodingDetector

from utils.documents.encodings import decode
from utils.documents.fields import split_fields
from utils.documents.files import OTHERWISE
from utils.documents.markdown_source import as_read
from utils.documents.page import Page, Unreadable
from utils.documents.rst import page_of_rst
from utils.documents.web import page_of_html


def read_text(data: bytes) -> Page:
    """A file of plain text.  Raises Unreadable when it is no text or its front matter is broken."""
    return _page(data)


def read_markdown(data: bytes) -> Page:
    """A file of Markdown.  Raises Unreadable like `read_text`."""
    page = _page(data)
    return replace(page, text=as_read(page.text))


def read_rst(data: bytes) -> Page:
    """A file of reStructuredText.  Raises Unreadable like `read_text`."""
    return _merged(_page(data), page_of_rst)


def read_html(data: bytes) -> Page:
    """A web page.  Raises Unreadable like `read_text`."""
    declared = EncodingDetector.find_declared_encoding(data, is_html=True)
    return _merged(_page(data, declared), page_of_html)


def _page(data: bytes, declared: str | None = None) -> Page:
    try:
        text, encoding = decode(data, declared)
    except ValueError as error:
        raise Unreadable(f"The file {{path}} is not plain text: save it in UTF-8, {OTHERWISE}.") from error
    try:
        return replace(split_fields(text), encoding=encoding)
    except ValueError as error:
        lines = "+++" if text.lstrip().startswith("+++") else "---"
        raise Unreadable(
            f"The front matter of {{path}} cannot be read: fix the lines between its two {lines} lines, or delete them."
        ) from error


def _merged(outer: Page, convert: Callable[[str], Page]) -> Page:
    """The page that the text below the front matter makes; front matter goes first."""
    inner = convert(outer.text)
    return replace(inner, fields={**inner.fields, **outer.fields}, top=outer.top, encoding=outer.encoding)
