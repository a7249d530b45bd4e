"""A share of the course's questions and training examples, for a model that would take hours for all of them."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from utils.errors import CourseError

VARIABLE = "COURSE_SHARE"
SMALLEST = 0.1  # with less, some cells would have nothing to train on or to compare
# Of each kind of question and example, where there are as many: a share of few would be none.
FEWEST = 2

Row = TypeVar("Row")


def chosen_share() -> float:
    """The share that COURSE_SHARE asks for, from 0.1 to 1; 1 where it is not set.

    Raises CourseError for anything else.
    """
    text = os.environ.get(VARIABLE, "").strip()
    try:
        share = float(text or 1)
    except ValueError:
        share = math.nan
    if not SMALLEST <= share <= 1:
        raise CourseError(f"{VARIABLE} is {text!r}: set it to a number from {SMALLEST} to 1, or unset it.")
    return share


def use_all() -> None:
    """Forgets COURSE_SHARE in this process: for what was measured, stored or published on all questions."""
    os.environ.pop(VARIABLE, None)


def sample(rows: Sequence[Row], share: float, kind: Callable[[Row], Hashable]) -> list[Row]:
    """That share of each kind of row, rounded up, and at least two of each; the same rows every time, in their order.

    They are taken evenly from the whole of each kind, since neighbours in a file are often alike.
    """
    places: dict[Hashable, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(kind(row), []).append(place)
    kept = []
    for those in places.values():
        wanted = math.ceil(round(len(those) * share, 6))  # 70 * 0.1 is a little more than 7
        kept += spread(those, min(len(those), max(FEWEST, wanted)))
    return [rows[place] for place in sorted(kept)]


def spread(items: Sequence[Row], count: int) -> list[Row]:
    """That many of the items, evenly spread over them, in order.  count: at most as many as there are."""
    return [items[place * len(items) // count] for place in range(count)]
