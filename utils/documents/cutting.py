"""Cutting text to a size in tokens: between lines or sentences where that is enough, else between or within words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from utils.sentences import SPACE_BEHIND

Fits = Callable[[str], bool]

# Each matches a piece with the space that follows it, so that the pieces of a text, joined, are the text.
LINES = regex.compile(r"[^\n]*\n+|[^\n]+")
# Chinese and Japanese put no space behind their full stops.
SENTENCES = regex.compile(rf"(?s).+?(?:{SPACE_BEHIND}|[。！？｡]+[」』）”’\s]*|\n+|\Z)")
WORDS = regex.compile(r"\s*\S+\s*|\s+")
CHARACTERS = regex.compile(r"\X")
CODE_POINTS = regex.compile(r"(?s).")
PROSE = (LINES, SENTENCES, WORDS, CHARACTERS, CODE_POINTS)
CODE = (LINES, WORDS, CHARACTERS, CODE_POINTS)


def cut(text: str, fits: Fits, levels: Sequence[regex.Pattern] = PROSE) -> list[str]:
    """A text in pieces that fit, each as long as possible.  Joined, they are the text.

    Raises ValueError when not even one character fits.
    """
    return merge(atoms(text, fits, levels), fits)


def atoms(text: str, fits: Fits, levels: Sequence[regex.Pattern] = PROSE) -> list[str]:
    """A text in pieces that fit, each cut no finer than is necessary."""
    if not levels or len(text) == 1 or fits(text):
        return [text]
    return [atom for piece in levels[0].findall(text) for atom in atoms(piece, fits, levels[1:])]


def merge(pieces: Sequence[str], fits: Fits) -> list[str]:
    """Neighbouring pieces joined for as long as they fit.  Raises ValueError when a piece alone does not fit."""
    texts, start = [], 0
    while start < len(pieces):
        end = _longest(pieces, start, fits)
        texts.append("".join(pieces[start:end]))
        start = end
    return texts


def _longest(pieces: Sequence[str], start: int, fits: Fits) -> int:
    """The end of the longest run from `start` that fits, found by doubling steps and then halving them."""
    if not fits(pieces[start]):
        raise ValueError(f"a passage of this size has no room for {pieces[start]!r} next to its title")
    good, step = start + 1, 1
    while good + step <= len(pieces) and fits("".join(pieces[start : good + step])):
        good, step = good + step, step * 2
    while step := step // 2:
        if good + step <= len(pieces) and fits("".join(pieces[start : good + step])):
            good += step
    return good
