"""Headings of Markdown: the one that a text begins with, and how a heading reads without its marks."""

from __future__ import annotations

import re
from functools import cache

from markdown_it import MarkdownIt

_ATX = re.compile(r"#{1,6}[ \t]+(\S.*)")
_SETEXT = re.compile(r"(\S.*)\n {0,3}(?:=+|-+)[ \t]*(?:\n|\Z)")
_NOT_A_LINE = re.compile(r"[-*+>#`~|=]|\d+[.)]\s")  # lists, quotes, code and tables may stand above a rule
_SPACES = re.compile(r"[ \t]+")
_CLOSING = re.compile(r"[ \t]+#+[ \t]*$")
_ANCHOR = re.compile(r"[ \t]*\{#[\w:.-]+\}[ \t]*$")


def split_heading(text: str) -> tuple[str, str]:
    """The heading that a text begins with, empty when it begins otherwise, and the rest."""
    text = text.strip()
    found = _ATX.match(text) or (None if _NOT_A_LINE.match(text) else _SETEXT.match(text))
    return (plain(found[1]), text[found.end() :].strip()) if found else ("", text)


def plain(heading: str) -> str:
    """A heading without emphasis, code marks, addresses of links, closing # signs and {#anchors}."""
    spaced = _SPACES.sub(" ", heading.strip())  # in a long run of them, the next two would take minutes
    inline = _ANCHOR.sub("", _CLOSING.sub("", spaced))
    children = _inline_parser().parseInline(inline)[0].children or []
    words = (" " if child.type.endswith("break") else child.content for child in children)
    return " ".join("".join(words).split()) or inline


@cache
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark")
