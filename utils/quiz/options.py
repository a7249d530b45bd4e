"""The parts of a quiz question: the options of each kind, and where its evidence is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, model_validator

LETTERS = "abcdef"
LEDGER_KEY = r"^[a-z0-9_]+(\.[a-z0-9_]+)+$"
NOTEBOOK = r"^(\d\d|A\d)$"
VAGUE = ("all of the above", "none of the above", "both of the above", "all of these", "none of these")

Text = Annotated[str, Field(min_length=1)]
Key = Annotated[str, Field(pattern=LEDGER_KEY)]
NotebookNumber = Annotated[str, Field(pattern=NOTEBOOK)]


class Strict(BaseModel):
    """A part of a quiz file: every field known, none changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Evidence(Strict):
    """Where the evidence is: a notebook ("02"), the heading of a section there, a cell, or a measurement.

    The learner is told the `section` or the `ledger` key.  `cell` is the id of a cell, which the lint checks.
    """

    notebook: NotebookNumber
    section: Text | None = None
    cell: Text | None = None
    ledger: Key | None = None

    @model_validator(mode="after")
    def _check(self) -> Evidence:
        if self.section is None and self.ledger is None:
            raise ValueError("name the `section` of the notebook with the evidence, or the `ledger` key")
        return self

    def __str__(self) -> str:
        section = f'"{self.section}"' if self.section else ""
        measurement = f"your measurement {self.ledger}" if self.ledger else ""
        return ", ".join(filter(None, [f"notebook {self.notebook}", section, measurement]))


class Bounded(Strict):
    """Holds from `low` (included) to `high` (excluded); a missing bound is open."""

    low: float | None = None
    high: float | None = None

    def holds_for(self, number: float) -> bool:
        """True when `number` lies between the bounds."""
        return self.meets(number, number)

    def meets(self, low: float, high: float) -> bool:
        """True when some number from `low` to `high`, both included, lies between the bounds."""
        return _lowest(self) <= high and low < _highest(self)


class Choice(Strict):
    """One option of a decision or knowledge check: its text, why it is right or not, and whether it is right."""

    text: Text
    feedback: Text
    right: bool = False


class Expectation(Bounded):
    """One option of a prediction: its text, and what it would mean.

    It holds between its bounds, or `key` names its own ledger value and the option with the highest value holds.
    """

    text: Text
    feedback: Text
    key: Key | None = None


class Step(Strict):
    """One step of an ordering: its text, why it has its place, and the place, counted from 1."""

    text: Text
    feedback: Text
    place: int = Field(ge=1)


class Range(Bounded):
    """The numbers between two bounds: the feedback on them, and whether they are right."""

    feedback: Text
    right: bool = False


class HasText(Protocol):
    """Anything that learners read."""

    text: str


def check_one_right(options: Sequence[Choice | Range]) -> None:
    """Raises ValueError unless exactly one option is right."""
    right = sum(option.right for option in options)
    if right != 1:
        raise ValueError(f"exactly one option must have `right: true`, and {right} have it")


def check_texts(options: Sequence[HasText]) -> None:
    """Raises ValueError when two options have the same text, or when one refers to the others."""
    texts = [" ".join(option.text.lower().split()) for option in options]
    if len(set(texts)) != len(texts):
        raise ValueError("two options have the same text")
    for text in texts:
        if any(vague in text for vague in VAGUE):
            raise ValueError(f"an option must make sense on its own, and {text!r} does not")


def check_bounds(options: Sequence[Bounded]) -> None:
    """Raises ValueError unless every possible number belongs to exactly one option."""
    steps = sorted((_lowest(option), _highest(option)) for option in options)
    edges = [-math.inf, *(high for _, high in steps)]
    if edges[-1] != math.inf or any(low != edge for (low, _), edge in zip(steps, edges, strict=False)):
        raise ValueError("the bounds of the options must follow each other without gap or overlap, open at both ends")
    if any(low >= high for low, high in steps):
        raise ValueError("an option's `low` must be below its `high`")


def _lowest(option: Bounded) -> float:
    return -math.inf if option.low is None else option.low


def _highest(option: Bounded) -> float:
    return math.inf if option.high is None else option.high
