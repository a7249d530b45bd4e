"""The structure of Markdown: sections with their path of headings, and in them paragraphs, lists, tables and code.

Blocks are cut from the source by lines, so no word between two headings is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import zip_longest
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from utils.documents.headings import plain

Kind = Literal["paragraph", "list", "table", "code", "quote", "other"]

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # str.splitlines knows more ends of a line than Markdown
_SOFT_BREAK = re.compile(r"(?<![ \\]) ?\n[ \t]*")  # two spaces or a backslash make a hard one
# Writing without spaces between words: there, two lines join without a space.
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
_MARKER = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)")
_DASHES = re.compile("-{4,}")  # below a table's header row: each may be a token
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
    "blockquote_open": "quote",
}


@dataclass(frozen=True)
class Block:
    """A paragraph, a list, a table, a block of code, a quotation, or anything else between two headings.

    parts: where it may be cut: its items, rows or lines.  head, tail: what each piece of it begins and ends with, such
    as a table's header row.  joint: what separates it from the block before.
    """

    kind: Kind
    parts: tuple[str, ...]
    head: str = ""
    tail: str = ""
    joint: str = "\n\n"

    @property
    def text(self) -> str:
        """All of it."""
        return self.wrap("".join(self.parts))

    def wrap(self, body: str) -> str:
        """A piece of it, with its head and its tail."""
        return self.head + body.strip("\n").rstrip() + self.tail


@dataclass(frozen=True)
class Section:
    """What follows a heading, up to the next one.  path: the headings that it is under, the outermost first."""

    path: tuple[str, ...]
    blocks: tuple[Block, ...]


def sections_of(markdown: str) -> list[Section]:
    """The sections of a text, in order, without those that only have subsections.

    A heading with nothing below it is a section that repeats it as its text.
    """
    sections: list[Section] = []
    path: list[tuple[int, str]] = []
    blocks: list[Block] = []
    for group, lines, rest in _top_level(markdown):
        if group[0].type == "heading_open":
            sections.append(_section(path, blocks))
            level, blocks = int(group[0].tag[1]), []
            path = [*((above, title) for above, title in path if above < level), (level, plain(group[1].content))]
        else:
            blocks += _blocks(group, lines)
        blocks += _other(rest)
    sections.append(_section(path, blocks))
    following = [*(section.path for section in sections[1:]), ()]
    found = (_with_text(section, after) for section, after in zip(sections, following, strict=True))
    return [section for section in found if section.blocks]


def blocks_of(markdown: str) -> list[Block]:
    """The blocks of a text, with its headings as paragraphs: for what is inside a list or a quotation."""
    return [block for group, lines, rest in _top_level(markdown) for block in [*_blocks(group, lines), *_other(rest)]]


def blocks_within(part: str) -> list[Block]:
    """The blocks of a list item or a quotation, without its indentation.  An item keeps its marker."""
    if re.match(r" {0,3}>", part):
        return blocks_of(re.sub(r"^ {0,3}> ?", "", part, flags=re.MULTILINE))
    marker = _MARKER.match(part)
    width = marker.end() if marker else 0
    first, *others = _LINE.findall(part)
    blocks = blocks_of(first[width:] + "".join(re.sub(rf"^[ \t]{{0,{width}}}", "", line) for line in others))
    if blocks and blocks[0].kind == "paragraph":
        blocks[0] = replace(blocks[0], parts=(part[:width].lstrip() + blocks[0].parts[0],))
    return blocks


def _top_level(markdown: str) -> Iterator[tuple[list[Token], list[str], list[str]]]:
    """The tokens of each heading and block, its lines, and lines after it that belong to none (usually blank)."""
    markdown = markdown.replace("\r\n", "\n").replace("\r", "\n")
    lines = _LINE.findall(markdown)
    tokens = _parser().parse(markdown)
    starts = [at for at, token in enumerate(tokens) if token.level == 0 and token.map and token.nesting >= 0]
    for at, after in zip_longest(starts, starts[1:]):
        start, end = tokens[at].map
        yield tokens[at:after], lines[start:end], lines[end : tokens[after].map[0] if after else None]


@cache
def _parser() -> MarkdownIt:
    """Blocks alone: what is within a line stays as it is, and so do definitions of links and footnotes."""
    parser = MarkdownIt("commonmark").enable("table").disable("reference")
    parser.core.ruler.disable(["inline", "text_join"])
    return parser


def _section(path: Sequence[tuple[int, str]], blocks: Sequence[Block]) -> Section:
    return Section(tuple(title for _, title in path if title), tuple(blocks))


def _with_text(section: Section, after: tuple[str, ...]) -> Section:
    """The section, with its heading as text where it has neither text nor subsections.  after: the next one's path."""
    path = section.path
    has_subsections = len(after) > len(path) and after[: len(path)] == path
    if section.blocks or has_subsections or not path:
        return section
    return Section(path, (Block("paragraph", (path[-1],)),))


def _blocks(group: list[Token], lines: list[str]) -> list[Block]:
    token, kind = group[0], _KINDS.get(group[0].type, "other")
    if token.type == "hr":
        return []
    if kind == "paragraph" or token.type == "heading_open":
        text = _unwrapped("".join(lines).strip())  # empty where Markdown sees a line and Python none, as of a form feed
        return [Block("paragraph", (text,))] if text else []
    if kind == "list":
        return [Block(kind, _items(group, lines))]
    if kind == "table" and len(lines) > 2:
        return [Block(kind, tuple(lines[2:]), head=lines[0] + _DASHES.sub("---", lines[1]))]
    if token.type == "fence":
        content = tuple(_LINE.findall(token.content))
        return [Block(kind, content, head=f"{token.markup}{token.info}\n", tail=f"\n{token.markup}")]
    kind = "other" if kind == "table" else kind  # a header row alone: there is nothing to repeat it for
    return [Block(kind, ("".join(lines),) if kind == "quote" else tuple(lines))]


def _other(lines: list[str]) -> list[Block]:
    return [Block("other", tuple(lines))] if "".join(lines).strip() else []


def _items(group: list[Token], lines: list[str]) -> tuple[str, ...]:
    first = group[0].map[0]
    starts = [token.map[0] - first for token in group if token.type == "list_item_open" and token.level == 1]
    return tuple("".join(lines[start:end]) for start, end in zip_longest(starts, starts[1:]))


def _unwrapped(text: str) -> str:
    """A paragraph in one line, but for its hard line breaks."""

    def joint(found: re.Match[str]) -> str:
        around = text[found.start() - 1], text[found.end() : found.end() + 1]
        return "" if all(map(_SPACELESS.match, around)) else " "

    return _SOFT_BREAK.sub(joint, text)
