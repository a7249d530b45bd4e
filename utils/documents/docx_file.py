"""Word files (.docx): headings, lists, tables and text as Markdown.  Pictures, comments and macros are not read."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree.ElementTree import Element, tostring

import mammoth
from defusedxml.ElementTree import fromstring

from utils.documents.files import OTHERWISE
from utils.documents.page import Page, Unreadable
from utils.documents.web import markdown_of, parse_html
from utils.documents.zip_parts import xml_parts

MAX_PARAGRAPHS = 20_000

_PARAGRAPH = re.compile(rb"<(?:\w+:)?p[\s/>]")  # usually w:p; the prefix is the file's own choice
_STYLE_PART = "word/styles.xml"
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
    with zipfile.ZipFile(parts) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    parts.seek(0)
    if not any(b"vanish" in part for part in contents.values()):
        return parts
    hidden = _hidden_styles(fromstring(contents.get(_STYLE_PART, b"<none/>")))
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w") as plain:
        for name, part in contents.items():
            touched = name.startswith("word/") and name != _STYLE_PART and (hidden or b"vanish" in part)
            plain.writestr(name, _visible(part, hidden) if touched else part)
    copy.seek(0)
    return copy


def _visible(part: bytes, hidden: set[str]) -> bytes:
    root = fromstring(part)
    for parent in list(root.iter()):
        for run in [child for child in parent if _local(child.tag) == "r"]:
            if _vanishes(run) or _style_of(run, "r") in hidden or _style_of(parent, "p") in hidden:
                parent.remove(run)
    return tostring(root)


def _hidden_styles(root: Element) -> set[str]:
    return {_value(style, "styleId") for style in root.iter() if _local(style.tag) == "style" and _vanishes(style)}


def _vanishes(element: Element) -> bool:
    marks = [mark for each in element if _local(each.tag) == "rPr" for mark in each if _local(mark.tag) == "vanish"]
    return any(_value(mark, "val") not in ("0", "false", "off") for mark in marks)


def _style_of(element: Element, kind: str) -> str:
    """The style that a run ("r") or a paragraph ("p") names; empty where it names none."""
    marks = [mark for each in element if _local(each.tag) == f"{kind}Pr" for mark in each]
    return next((_value(mark, "val") for mark in marks if _local(mark.tag) == f"{kind}Style"), "")


def _value(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if _local(key) == name), "")


def _local(tag: str) -> str:
    """A name without its namespace, of which Word has two."""
    return tag.rpartition("}")[2]


def _require_few_paragraphs(parts: io.BytesIO) -> None:
    """A small archive can hold so many paragraphs that they take minutes."""
    with zipfile.ZipFile(parts) as archive:
        found = sum(len(_PARAGRAPH.findall(archive.read(name))) for name in archive.namelist())
    parts.seek(0)
    if found > MAX_PARAGRAPHS:
        raise Unreadable(f"The file {{path}} has more than {MAX_PARAGRAPHS:,} paragraphs: split it, {OTHERWISE}.")
