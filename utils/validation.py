"""What pydantic found wrong with a file or a value, in words that fit into a sentence."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError


class BrokenRule(NamedTuple):
    """One rule that a value breaks.  place: the way to the value, from the outside in; empty for the whole."""

    place: tuple[str | int, ...]
    rule: str

    def __str__(self) -> str:
        """As in "output_tokens, value: Input should be greater than or equal to 0"."""
        return self.within(len(self.place))

    def within(self, depth: int) -> str:
        """The same with the first `depth` steps of the place at most."""
        place = ", ".join(str(step) for step in self.place[:depth])
        return f"{place}: {self.rule}" if place else self.rule


def first_broken_rule(error: ValidationError) -> BrokenRule:
    """The first rule that is broken, on one line, without a full stop and without pydantic's own preface."""
    first = error.errors(include_url=False)[0]
    rule = " ".join(first["msg"].removeprefix("Value error, ").split()).rstrip(".")
    return BrokenRule(first["loc"], rule)
