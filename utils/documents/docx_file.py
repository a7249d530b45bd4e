"""Word files (.docx): headings, lists, tables and text as Markdown.  Pictures, comments and macros are not read."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree.ElementTree import tostring

import mammoth
from defusedxml.ElementTree import fromstring

from utils.documents.files import OTHERWISE
from utils.documents.page import Page, Unreadable
from utils.documents.web import markdown_of, parse_html
from utils.documents.zip_parts import xml_parts

MAX_PARAGRAPHS = 20_000

_PARAGRAPH = re.compile(rb"<(?:\w+:)?p[\s/>]")  # usually w:p; the prefix is the file's own choice
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OLE = b"\xd0\xcf\x11\xe0"  # the older container: Word puts a file with a password into it
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='Code'] => pre:separator('\\n')
p[style-name='HTML Preformatted'] => pre:separator('\\n')
p[style-name='Preformatted Text'] => pre:separator('\\n')
p[style-name='Quote'] => blockquote:fresh
"""


def read_docx(data: bytes) -> Page:
    """A Word file.

    Raises Unreadable when it has a password, unpacks to too much or has more than 20,000 paragraphs, else what the
    library raises.
    """
    if data.startswith(_OLE):
        raise Unreadable(
            f"The file {{path}} has a password or the form of Word before 2007: save it as .docx without, {OTHERWISE}."
        )
    try:
        parts = xml_parts(data)
    except ValueError as error:
        raise Unreadable(f"The file {{path}} is refused because {error}: save it again, {OTHERWISE}.") from error
    _require_few_paragraphs(parts)
    html = mammoth.convert_to_html(
        _without_hidden_text(parts), style_map=_STYLES, include_embedded_style_map=False, convert_image=lambda image: []
    ).value
    return Page(text=markdown_of(parse_html(html)))


def _without_hidden_text(parts: io.BytesIO) -> io.BytesIO:
    """The same file without text that is marked as hidden: nobody who opens it sees that."""
    copy = io.BytesIO()
    with zipfile.ZipFile(parts) as archive, zipfile.ZipFile(copy, "w") as plain:
        for name in archive.namelist():
            part = archive.read(name)
            plain.writestr(name, _visible(part) if name.startswith("word/") and b"vanish" in part else part)
    copy.seek(0)
    return copy


def _visible(part: bytes) -> bytes:
    root = fromstring(part)
    for parent in list(root.iter()):
        for run in [child for child in parent if child.tag == f"{_WORD}r"]:
            mark = run.find(f"{_WORD}rPr/{_WORD}vanish")
            if mark is not None and mark.get(f"{_WORD}val") not in ("0", "false", "off"):
                parent.remove(run)
    return tostring(root)


def _require_few_paragraphs(parts: io.BytesIO) -> None:
    """A small archive can hold so many paragraphs that they take minutes."""
    with zipfile.ZipFile(parts) as archive:
        found = sum(len(_PARAGRAPH.findall(archive.read(name))) for name in archive.namelist())
    parts.seek(0)
    if found > MAX_PARAGRAPHS:
        raise Unreadable(f"The file {{path}} has more than {MAX_PARAGRAPHS:,} paragraphs: split it, {OTHERWISE}.")
