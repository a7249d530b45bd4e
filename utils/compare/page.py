"""A web page from parts: every text is escaped where it becomes HTML, so that no document can become markup.

The page brings all it needs along.  Its policy forbids scripts and every connection, whatever a text should contain.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #111; background: #fff; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: bold; padding: 0.3rem 0; }
th, td { border: 1px solid #555; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
blockquote { border-left: 3px solid #555; margin: 0.5rem 0; padding-left: 1rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
td, dd { overflow-wrap: anywhere; }
dt { font-weight: bold; }
img { max-width: 100%; height: auto; }
""".strip()
# They change the order in which a text is shown.
_UNSEEN = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}

Content = str | Element


def element(tag: str, *content: Content, **attributes: str) -> Element:
    """An HTML element.  content: texts, which are escaped, and elements.  attributes: a trailing _ is cut (`for_`)."""
    made = Element(tag, {name.rstrip("_"): printable(value) for name, value in attributes.items()})
    for part in content:
        if isinstance(part, Element):
            made.append(part)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + printable(part)
        else:
            made.text = (made.text or "") + printable(part)
    return made


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    """A table whose first column names the row."""
    head = element("tr", *(element("th", name, scope="col") for name in header))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    return element("table", element("caption", caption), element("thead", head), element("tbody", *body))


def bullets(lines: Iterable[Content]) -> Element:
    """A list."""
    return element("ul", *(element("li", line) for line in lines))


def image(picture: bytes, words: str) -> Element:
    """A PNG with its alternative text, within the page itself."""
    return element("img", alt=words, src=f"data:image/png;base64,{base64.b64encode(picture).decode()}")


def page(title: str, *content: Element) -> str:
    """The whole document."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", **{"http-equiv": "Content-Security-Policy", "content": POLICY}),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", STYLE),
    )
    document = element("html", head, element("body", element("main", *content)), lang="en")
    return f"<!doctype html>\n{ElementTree.tostring(document, encoding='unicode', method='html')}\n"


def printable(text: str) -> str:
    """A text without characters that a page cannot show or that hide what it says."""
    return "".join(
        one for one in text if one in "\n\t" or (unicodedata.category(one) not in ("Cc", "Cs") and one not in _UNSEEN)
    )
