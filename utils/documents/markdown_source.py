"""Markdown as a reader sees it: without comments and pictures in the text, and with entities and escapes resolved."""

from __future__ import annotations

import html
import re

# Code stays as it is: between fences, between backticks, and in lines that are set in by four spaces.
_QUOTED = (
    r"^ {0,3}(?P<fence>`{3,}(?=[^`\n]*$)|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n).)*?(?<!`)(?P=ticks)(?!`)"
)
_SET_IN = r"(?:\A|(?<=\n\n))(?:(?: {4}|\t)(?![ \t]*(?:[-*+]|\d+[.)])[ \t])[^\n]*(?:\n|\Z))+"
_FLAGS = re.MULTILINE | re.DOTALL
_CODE = re.compile(rf"{_QUOTED}|{_SET_IN}", _FLAGS)
_CODE_OR_COMMENT = re.compile(rf"{_QUOTED}|(?P<comment><!--.*?-->)", _FLAGS)
_PICTURE_DATA = re.compile(r"!\[([^\[\]]*)\]\(\s*data:[^)]*\)", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]*|#\d+|#[xX][0-9a-fA-F]+);")
# Only within a line: at its beginning, the backslash may keep a sign from becoming a list or a heading.
_ESCAPE = re.compile(r"(?:(?<=\S)|(?<=\S[ \t]))\\([!\"#$%&'*+,\-/:;=?@^_{}~])")


def as_read(text: str) -> str:
    """Markdown whose hidden parts are gone, and whose values are written as they are shown."""
    pieces, end = [], 0
    text = _without_comments(text)
    for code in _CODE.finditer(text):
        pieces += [_resolved(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, _resolved(text[end:])])


def _without_comments(text: str) -> str:
    if "-->" not in text:
        return text
    end = text.rindex("-->")
    # Behind the last end of a comment no other one closes, and looking for that would take minutes.
    marked = text[:end] + text[end:].replace("<!--", "\0")
    return _CODE_OR_COMMENT.sub(lambda found: "" if found["comment"] else found[0], marked).replace("\0", "<!--")


def _resolved(text: str) -> str:
    text = _PICTURE_DATA.sub(r"\1", text)
    text = _ENTITY.sub(lambda found: _one(found[0]), text)
    return _ESCAPE.sub(r"\1", text)


def _one(entity: str) -> str:
    """The sign that an entity stands for; one that would become a tag, a cell or a line stays an entity."""
    sign = html.unescape(entity)
    return entity if not sign or any(mark in sign for mark in "<>|`\n\r") else sign
