"""Markdown as a reader sees it: without comments and pictures in the text, and with entities and escapes resolved."""

from __future__ import annotations

import html
import re

# Code stays as it is: between fences, between backticks, and in lines that are set in by four spaces.
_QUOTED = (
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)*?(?<!`)(?P=ticks)(?!`)"
)
_FLAGS = re.MULTILINE | re.DOTALL
_MARKED_CODE = re.compile(_QUOTED, _FLAGS)
_CODE = re.compile(rf"{_QUOTED}|^(?: {{4}}|\t)[^\n]*$", _FLAGS)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_PICTURE_DATA = re.compile(r"!\[([^\]]*)\]\(\s*data:[^)]*\)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]*|#\d+|#[xX][0-9a-fA-F]+);")
# Only within a line: at its beginning, the backslash may keep a sign from becoming a list or a heading.
_ESCAPE = re.compile(r"(?<=\S)\\([!\"#$%&'*+,\-/:;=?@^_{}~])")


def as_read(text: str) -> str:
    """Markdown whose hidden parts are gone, and whose values are written as they are shown."""
    pieces, end = [], 0
    text = _without_comments(text)
    for code in _CODE.finditer(text):
        pieces += [_resolved(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, _resolved(text[end:])])


def _without_comments(text: str) -> str:
    """Comments reach over several lines, and code may show one: those in code stay."""
    kept = [(code.start(), code.end()) for code in _MARKED_CODE.finditer(text)]

    def within(found: re.Match[str]) -> str:
        return found[0] if any(start <= found.start() < stop for start, stop in kept) else ""

    return _COMMENT.sub(within, text)


def _resolved(text: str) -> str:
    text = _PICTURE_DATA.sub(r"\1", text)
    text = _ENTITY.sub(lambda found: _one(found[0]), text)
    return _ESCAPE.sub(r"\1", text)


def _one(entity: str) -> str:
    """The sign that an entity stands for; markup stays an entity, so that no text becomes a tag."""
    sign = html.unescape(entity)
    return entity if sign in "<>" else sign
