"""Passages that follow a document's structure, each small enough for the embedder.

Every passage carries the path of its headings in its title.  Tables repeat their header row, blocks of code stay whole
or keep their fences, and lists keep the sentence that leads to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from utils.documents.cutting import CODE, PROSE, SENTENCES, atoms, cut, merge
from utils.documents.structure import Block, blocks_within, sections_of
from utils.errors import CourseError
from utils.handbook import Article, Passage

PATH = " › "
MIN_TOKENS = 16

_MAX_DEPTH = 6  # of lists in lists: what is deeper is cut as plain text
_WIDEST = "\U0001f99c"  # a character that some tokenizers count as four tokens
_CELL_EDGE = re.compile(r"(?<!\\)\|")

Count = Callable[[str], int]


@dataclass(frozen=True)
class Room:
    """The space of a passage in tokens.  around: the title before its text, and what each piece of a block repeats."""

    count: Count
    tokens: int
    around: Callable[[str], str]

    def fits(self, text: str) -> bool:
        """Whether a text fits, next to all that is around it."""
        return self.count(self.around(text)) <= self.tokens

    def spares(self, text: str) -> bool:
        """Whether a text is short enough to be repeated in every piece."""
        return self.count(text) <= self.tokens // 2 and self.fits(f"{text}\n{_WIDEST}")

    def inside(self, block: Block) -> Room:
        """The space that a block's head and tail leave."""
        return replace(self, around=lambda body: self.around(block.wrap(body)))


def passages_of(article: Article, count: Count, tokens: int) -> list[Passage]:
    """An article in Markdown as passages, each of at most this many tokens together with its title.

    count: the number of tokens of a text, as the embedder counts them.
    The title of a passage is the article's, followed by the headings that the passage is under: "Benefits › Leave".
    The passages of the article "a" have the ids "a#1", "a#2", ...
    Raises ValueError when tokens < 16 or when a passage of that size has no room for a character next to its title,
    CourseError when the article has no text.
    """
    if tokens < MIN_TOKENS:
        raise ValueError(f"a passage needs {MIN_TOKENS} tokens or more, not {tokens}")
    texts = list(_titled_texts(article, count, tokens))
    if not texts:
        raise CourseError(f"The article {article.id!r} has no text: write some, or leave it out.")
    return [_passage(article, number, title, text) for number, (title, text) in enumerate(texts, start=1)]


def _titled_texts(article: Article, count: Count, tokens: int) -> Iterator[tuple[str, str]]:
    for section in sections_of(article.text):
        path = section.path[1:] if section.path[:1] == (article.title,) else section.path
        whole = PATH.join([article.title, *path])
        title = _short_title([article.title, *path], count, tokens // 3)
        room = Room(count, tokens, lambda text, title=title: f"{title}. {text}")
        # Words that the title has no room for must be found too.
        blocks = section.blocks if title == whole else [Block("paragraph", (whole,)), *section.blocks]
        yield from ((title, text) for text in _pack(blocks, room))


def _short_title(path: Sequence[str], count: Count, tokens: int) -> str:
    """The headings joined; without those in the middle, or only the beginning of the last, when they are too long."""
    for titles in (path, [path[0], "…", path[-1]], path[-1:]):
        title = PATH.join(titles)
        if count(title) <= tokens:
            return title
    return cut(path[-1], lambda text: count(text) <= tokens)[0].strip()


def _pack(blocks: Sequence[Block], room: Room, depth: int = 0) -> list[str]:
    """Blocks joined for as long as they fit; one that does not fit alone is cut."""
    texts, current = [], ""
    for block in _with_lead_ins(blocks, room):
        joined = current + block.joint + block.text if current else block.text
        if room.fits(joined):
            current = joined
            continue
        texts += [current] if current else []
        *whole, current = [block.text] if room.fits(block.text) else _cut(block, room, depth)
        texts += whole
    return [text.strip("\n").rstrip() for text in [*texts, current] if text.strip()]


def _with_lead_ins(blocks: Sequence[Block], room: Room) -> Iterator[Block]:
    """The blocks, with the last sentence before a list moved into the list, as "You need:" before a list of things.

    The same goes for a table or code after a colon.  A short sentence is repeated in each piece of what it leads to.
    """
    waiting: Block | None = None
    for block in blocks:
        if waiting and (block.kind == "list" or (block.kind in ("table", "code") and _ends_in_colon(waiting))):
            *before, lead = SENTENCES.findall(waiting.text)
            led = _led(block, f"{lead.strip()}\n\n", room, joint=" " if before else waiting.joint)
            if led:
                yield from [replace(waiting, parts=("".join(before),))] if before else []
                waiting = None
                yield led
                continue
        if waiting:
            yield waiting
        waiting = block if block.kind == "paragraph" else None
        if not waiting:
            yield block
    if waiting:
        yield waiting


def _led(block: Block, lead: str, room: Room, joint: str) -> Block | None:
    """A block with its lead-in; None when that is too long for it."""
    if room.spares(lead + block.head + block.tail):
        return replace(block, head=lead + block.head, joint=joint)
    return replace(block, parts=(lead, *block.parts), joint=joint) if not block.head else None


def _ends_in_colon(block: Block) -> bool:
    return block.text.endswith((":", "："))


def _cut(block: Block, room: Room, depth: int) -> list[str]:
    """A block that is too long, in pieces that fit."""
    if not room.spares(block.head + block.tail):
        block = replace(block, parts=(block.head, *block.parts, block.tail), head="", tail="")
    inner = room.inside(block)
    found = [atom for part in block.parts for atom in _atoms(block, part, inner, depth)]
    return [block.wrap(text) for text in merge(found, inner.fits) if text.strip()]


def _atoms(block: Block, part: str, room: Room, depth: int) -> list[str]:
    """A part of a block, such as a list's item, in pieces that fit."""
    if room.fits(part):
        return [part]
    if block.kind in ("list", "quote") and depth < _MAX_DEPTH:
        return [f"{text}\n\n" for text in _pack(blocks_within(part), room, depth + 1)]
    if block.kind == "table":
        return [atom for cell in _named_cells(part, block.head) for atom in atoms(cell, room.fits)]
    return atoms(part, room.fits, CODE if block.kind == "code" else PROSE)


def _named_cells(row: str, head: str) -> list[str]:
    """The cells of a table's row, one a line, each after the name of its column."""
    names, cells = _cells(head.strip().split("\n")[-2] if head else ""), _cells(row)
    names += [""] * (len(cells) - len(names))
    named = zip(names, cells, strict=False)
    return [f"{name}: {cell}\n" if name else f"{cell}\n" for name, cell in named if cell]


def _cells(row: str) -> list[str]:
    inner = re.sub(r"(?<!\\)\|$", "", row.strip().removeprefix("|"))  # one bar at each end: the first cell may be empty
    return [cell.strip() for cell in _CELL_EDGE.split(inner)]


def _passage(article: Article, number: int, title: str, text: str) -> Passage:
    return Passage(
        id=f"{article.id}#{number}",
        article_id=article.id,
        title=title,
        text=text,
        section=article.section,
        audience=article.audience,
        valid_from=article.valid_from,
    )
