"""Checkers of notebook A1."""

from __future__ import annotations

import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, shown

# One merge of a tokenizer: pieces, pair, the result by hand, and what it shows.

MERGES = [
    (["c", "o", "s", "t", "s"], ("o", "s"), ["c", "os", "t", "s"], "the pair becomes one piece, in its place"),
    (["l", "a", "l", "a"], ("l", "a"), ["la", "la"], "the pair is joined each time that it comes"),
    (["a", "b", "b", "a"], ("a", "b"), ["ab", "b", "a"], "only a followed by b counts, not b followed by a"),
    (["a", "c", "b"], ("a", "b"), ["a", "c", "b"], "both must be there, and side by side"),
    (["a", "a", "a"], ("a", "a"), ["aa", "a"], "a piece that was joined already cannot be joined again"),
    (["a", "a", "a", "a"], ("a", "a"), ["aa", "aa"], "after a pair, the search goes on behind it"),
    (["a", "bc"], ("ab", "c"), ["a", "bc"], "a and bc are other pieces than ab and c, though they spell the same"),
    (["ab", "c", "ab"], ("ab", "c"), ["abc", "ab"], "a piece can have several letters, and the last one stays"),
    (["e"], ("e", "s"), ["e"], "one piece has no neighbour"),
    ([], ("e", "s"), [], "without pieces there is nothing to join"),
    (["e", "s", " ", "e", "s"], ("e", "s"), ["es", " ", "es"], "a space is a piece like any other"),
]


def diagnose_merged(attempt: Attempt) -> str | None:
    """The first mistake in a learner's merged, or None."""
    for pieces, pair, expected, why in MERGES:
        found = list_of_pieces(attempt(pieces=pieces, pair=pair))
        if found != expected:
            return (
                f"For pieces={pieces} and pair={pair} the result should be {expected}: {why}. Yours is {shown(found)}."
            )
    return None


def list_of_pieces(result: Any) -> list[str]:
    """The returned pieces as a list.  Raises Stopped when they are something else."""
    if isinstance(result, str):
        raise Stopped(f"Return a list of pieces, not one text: {shown(result)}.")
    if not isinstance(result, (list, tuple)) or not all(isinstance(piece, str) for piece in result):
        raise Stopped(f"Return a list of pieces, not {shown(result)}.")
    return list(result)


def draw_merged(draws: random.Random) -> dict[str, Any]:
    """Up to sixteen pieces of one to three letters, and a pair that is often among them."""
    kinds = draws.sample(["a", "b", "ab", "ba", "aba"], draws.randint(2, 4))
    pieces = [draws.choice(kinds) for _ in range(draws.randint(0, 16))]
    place = draws.randrange(len(pieces) - 1) if len(pieces) > 1 and draws.random() < 0.8 else None
    pair = ("a", "b") if place is None else (pieces[place], pieces[place + 1])
    return {"pieces": pieces, "pair": pair}


merged = Exercise(
    name="merged",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_merged,
    read=list_of_pieces,
    draw=draw_merged,
    praise="Each pair becomes one piece, from left to right, and no piece is joined twice.",
    clue="Go through the pieces with a while loop and a place. Where pieces[place] and the one behind it are the pair, "
    "append them joined and go two places on; otherwise append the one piece and go one place on.",
    sources=(references.merged,),
)

# Where the number in an answer comes from.

NUMBERS_FROM = ("right", "another", "invented", "no number")
PASSAGE = "The Tavo costs 455 dollars. The Mirel lasts 72 days. The Tavo weighs 130 grams."
SOURCES = [
    ("The Tavo costs 455 dollars.", "455", "right", "it has the number that was asked about"),
    ("The Tavo costs 130 dollars.", "455", "another", "130 is in the passage, but it is the weight"),
    ("The Tavo costs 731 dollars.", "455", "invented", "731 is not in the passage"),
    ("The Tavo costs", "455", "no number", "the answer has no number"),
    ("The Tavo costs 45 dollars.", "455", "invented", "45 is a part of 455, and no number of the passage"),
    ("The Mirel lasts 7 days.", "72", "invented", "7 is a part of 72, and no number of the passage"),
    ("The Tavo costs 1455 dollars.", "455", "invented", "455 is a part of 1455, so the number is another one"),
    ("72", "72", "right", "an answer can be nothing but the number"),
    ("", "72", "no number", "an empty answer has no number"),
    ("The Tavo costs 072 dollars.", "72", "invented", "the digits must be the same, and 072 is not in the passage"),
]


def diagnose_number_from(attempt: Attempt) -> str | None:
    """The first mistake in a learner's number_from, or None."""
    for answer, value, expected, why in SOURCES:
        found = one_source(attempt(answer=answer, value=value, passage=PASSAGE))
        if found != expected:
            return (
                f"For answer={answer!r} and value={value!r} the result should be {expected!r}, since {why}. "
                f"Yours is {found!r}."
            )
    return None


def one_source(result: Any) -> str:
    """The returned name.  Raises Stopped when it is none of the four."""
    if isinstance(result, str) and result in NUMBERS_FROM:
        return result
    raise Stopped(f"Return one of {', '.join(map(repr, NUMBERS_FROM))}, not {shown(result)}.")


def draw_number_from(draws: random.Random) -> dict[str, Any]:
    """A passage with up to four numbers; an answer with one of them, a part of one, another number, or none."""
    values = [str(draws.randint(1, 9999)) for _ in range(draws.randint(1, 4))]
    given = draws.choice([draws.choice(values), draws.choice(values)[:-1], str(draws.randint(1, 9999)), ""])
    text = draws.choice(["It costs {} dollars.", "{}", "On shelf {}.", "({})", "{}, I think"])
    passage = " ".join(draws.choice(["Price: {}.", "It weighs {} grams.", "({})"]).format(value) for value in values)
    return {"answer": text.format(given), "value": draws.choice(values), "passage": passage}


number_from = Exercise(
    name="number_from",
    difficulty=2,
    minutes=6,
    diagnose=diagnose_number_from,
    read=one_source,
    draw=draw_number_from,
    praise="A wrong number that was read is now told from one that was invented.",
    clue=r're.findall(r"\d+", text) gives the whole numbers of a text, as texts. Compare those of the answer with the '
    "value first, and then with those of the passage.",
    sources=(references.number_from,),
    imports="import re",
)
