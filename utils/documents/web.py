"""Web pages: what a reader of the page sees, as Markdown.  Word files and reStructuredText come here as HTML too."""

from __future__ import annotations

import re
import warnings
from copy import copy

from bs4 import BeautifulSoup, Tag, UnusualUsageWarning
from markdownify import MarkdownConverter

from utils.documents.fields import resembles_audience
from utils.documents.page import Page

# Never text: code and pictures.  Beside the text: menus, page feet, fields to fill in.
_UNSEEN = ["script", "style", "noscript", "template", "svg", "canvas", "iframe", "object", "embed", "head", "title"]
_BESIDE = ["nav", "footer", "button", "input", "select", "textarea"]
_MAX_SPAN = 1000  # of a cell, in rows or columns: pages can claim any number
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_REFRESH = re.compile(r"""^\s*[\d.]+\s*[;,]\s*(?:url\s*=\s*)?["']?([^"']+)""", re.IGNORECASE)
_LANGUAGE = re.compile(r"^(?:language|lang|highlight|highlight-source)-([\w+#.-]+)$")
# Text that Markdown would take for a heading or the edge of a code block.
_MARKER = re.compile(r"^(\s*)(#{1,6}(?=\s|$)|`{3,}|~{3,})")


def page_of_html(html: str) -> Page:
    """A web page.  Its <meta> tags may name an audience and a date, or lead on.  Nothing is fetched or run."""
    soup = parse_html(html)
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    fields, leads_to = _meta_fields(soup), _refresh(soup)
    return Page(text=markdown_of(soup), fields=fields, title=title, leads_to=leads_to)


def parse_html(html: str) -> BeautifulSoup:
    """The tree of a page.  lxml closes what the page leaves open, such as an item of a list."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusualUsageWarning)
        return BeautifulSoup(html, "lxml")


def markdown_of(soup: BeautifulSoup) -> str:
    """The visible text of a page as Markdown: its <main> part if it has one, else all of it.  Changes the soup."""
    for tag in soup.find_all(_is_dropped):
        tag.extract()
    for table in soup.find_all("table"):
        _fill_rows(table)
    mains = soup.find_all(["main"]) or soup.find_all(attrs={"role": "main"})
    return _Converter().convert_soup(mains[0] if len(mains) == 1 else soup).strip()


class _Converter(MarkdownConverter):
    """Markdown without links' addresses and pictures, which are noise in a search."""

    class Options(MarkdownConverter.DefaultOptions):
        heading_style = "atx"
        bullets = "-"
        escape_asterisks = escape_underscores = False  # a backslash within a value would hide it from the scorer
        table_infer_header = True
        strip = ["a"]

    def escape(self, text: str, parent_tags: set[str]) -> str:
        return _MARKER.sub(r"\1\\\2", text)

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return el.get("alt") or ""

    def convert_sup(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """The mark of a footnote, or a power, must not become a digit of the number before it."""
        before = el.previous_sibling
        glued = before is not None and before.get_text()[-1:].isdigit() and text[:1].isdigit()
        return f"^{text}" if glued else text

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return super().convert_td(el, re.sub(r"(?<!\\)\|", r"\\|", text), parent_tags)

    def convert_th(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return super().convert_th(el, re.sub(r"(?<!\\)\|", r"\\|", text), parent_tags)

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        """Like the library's, with the number counted once for each list instead of once for each item."""
        marker = f"{_number(el)}. " if el.parent is not None and el.parent.name == "ol" else "- "
        lines = text.strip().splitlines()
        return marker + "\n".join(lines[:1] + [f"{' ' * len(marker)}{line}".rstrip() for line in lines[1:]]) + "\n"

    def convert_pre(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        if "_inline" in parent_tags:
            return f" {text} "
        longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
        fence = "`" * (longest + 1)
        return f"\n\n{fence}{_language(el)}\n{text.strip(chr(10))}\n{fence}\n\n"


def _fill_rows(table: Tag) -> None:
    """A cell over several rows is repeated in each: Markdown has none, and the cells after it would move left."""
    below: dict[int, tuple[int, Tag]] = {}  # by column: how many rows are still to fill, and the cell
    for row in table.find_all("tr"):
        if row.find_parent("table") is not table:
            continue
        at, before, cells = 0, None, row.find_all(["td", "th"], recursive=False)
        while cells or at in below:
            if at in below:
                left, above = below.pop(at)
                cell = copy(above)
                row.insert(0, cell) if before is None else before.insert_after(cell)
            else:
                cell = cells.pop(0)
                left = _span(cell, "rowspan")
            if left > 1:
                below[at] = (left - 1, cell)
            at, before = at + _span(cell, "colspan"), cell


def _span(cell: Tag, name: str) -> int:
    written = str(cell.get(name, ""))
    return min(int(written), _MAX_SPAN) if re.fullmatch(r"[1-9]\d{0,5}", written, re.ASCII) else 1


def _is_heading(button: Tag) -> bool:
    """Whether it is all that a heading says, as where a click unfolds the answer below."""
    heading = button.find_parent(["h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"])
    return heading is not None and heading.get_text(strip=True) == button.get_text(strip=True)


def _is_dropped(tag: Tag) -> bool:
    if tag.name == "button" and _is_heading(tag):
        return False
    if tag.name in _UNSEEN or tag.name in _BESIDE or tag.has_attr("hidden"):
        return True
    if tag.name == "a" and tag.get_text(strip=True) in ("¶", "#", "↑"):  # marks that link to the heading itself
        return True
    return bool(_HIDDEN.search(tag.get("style") or ""))


def _number(item: Tag) -> str:
    before = item.find_previous_sibling("li")
    if before is not None and "data-number" in before.attrs:
        item["data-number"] = str(int(before["data-number"]) + 1)
    else:
        start = str(item.parent.get("start", ""))
        item["data-number"] = start if re.fullmatch(r"\d{1,9}", start, re.ASCII) else "1"
    return item["data-number"]


def _language(pre: Tag) -> str:
    """The language of a code block, as its classes, its parents' or its child's name it."""
    around = [pre, *pre.find_all("code", limit=1), *list(pre.parents)[:2]]
    classes = [name for tag in around for name in tag.get("class") or ()]
    return next((found[1] for name in classes if (found := _LANGUAGE.match(name))), "")


def _meta_fields(soup: BeautifulSoup) -> dict[str, object]:
    about = {str(tag.get("name", "")): str(tag.get("content", "")) for tag in soup.find_all("meta")}
    about = {name.lower(): value for name, value in about.items()}
    return {name: value for name, value in about.items() if name == "valid_from" or resembles_audience(name)}


def _refresh(soup: BeautifulSoup) -> str:
    for tag in soup.find_all("meta"):
        if str(tag.get("http-equiv", "")).lower() == "refresh":
            found = _REFRESH.match(str(tag.get("content", "")))
            if found:
                return found[1].strip()
    return ""
