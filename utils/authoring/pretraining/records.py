"""Records for pre-training: a value, its kind, the quoted sentence and the passage's number under keys of their own.

Keys, their order and the layout are drawn anew for each conversation, and told or shown in it, so that they must be
read and not learned by heart.  The course's own keys are never among them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.authoring.world.phrasing import handbook_words
from utils.record import KEYS as COURSE_KEYS
from utils.record import Finding

Slot = Literal["quote", "value", "kind", "cite"]
SLOTS: tuple[Slot, ...] = ("quote", "value", "kind", "cite")
# How often a record has each of them.
SHARES = {"quote": 0.9, "value": 0.97, "kind": 0.4, "cite": 0.65}
# How often the quote, where it has one, comes right before the value: there the value is soonest learned.
QUOTE_FIRST = 0.6
# What a key may be called, and how an instruction speaks of what belongs there.
NATURAL = {
    "quote": "sentence statement text evidence excerpt line wording proof phrase support".split(),
    "value": "answer result datum fact reply figure content detail info data".split(),
    "kind": "type category class sort label group field nature".split(),
    "cite": "passage ref from id page origin where number reference based_on".split(),
}
TOLD = {
    "quote": ("the sentence", "the sentence word for word", "the full sentence", "what the passage says"),
    "value": ("the bare value", "the value alone", "the short answer", "only the value"),
    "kind": ("the kind of value", "what kind of value it is", "its kind"),
    "cite": ("the passage number", "the number of the passage", "where it was found"),
}
SEPARATORS = (": ", " = ", " - ", ": ", ": ")
Value = str | int | None


class Sought(str):
    """A part of an answer that is all choice: the bare value, whose every token must be found and not continued."""


@dataclass(frozen=True)
class Record:
    """A layout with fields.  keys: (slot, what it is called), in order.  separator: None for JSON, else of lines."""

    keys: tuple[tuple[Slot, str], ...]
    told: tuple[str, ...]
    separator: str | None = None

    def parts(self, findings: Sequence[Finding]) -> list[str]:
        """The record, cut where something new begins; joined the parts are the answer.

        Without a finding every field is null ("none" in lines); with two, every field is a list.
        """
        rows = [(slot, key, [getattr(found, slot) for found in findings]) for slot, key in self.keys]
        return list(self._lines(rows) if self.separator else self._json(rows))

    def _json(self, rows: list[tuple[Slot, str, list[Value]]]) -> Iterable[str]:
        for number, (slot, key, values) in enumerate(rows):
            yield ', "' if number else '{"'
            yield f'{key}": '
            if not values:
                yield "null"
                continue
            if len(values) > 1:
                yield "["
            for place, value in enumerate(values):
                if place:
                    yield ", "
                if isinstance(value, str):
                    yield '"'
                    ended = json.dumps(value, ensure_ascii=False)[1:]
                    yield Sought(ended) if slot == "value" else ended
                else:
                    yield str(value)
            if len(values) > 1:
                yield "]"
        yield "}"

    def _lines(self, rows: list[tuple[Slot, str, list[Value]]]) -> Iterable[str]:
        for number, (slot, key, values) in enumerate(rows):
            if number:
                yield "\n"
            yield f"{key}{self.separator}"
            if not values:
                yield "none"
            for place, value in enumerate(values):
                if place:
                    yield "; "
                yield Sought(value) if slot == "value" else str(value)

    def instruction(self) -> str:
        """The record in words, with its keys."""
        names = [f'"{key}" for {words}' for (_, key), words in zip(self.keys, self.told, strict=True)]
        listed = f"{', '.join(names[:-1])} and {names[-1]}"
        if self.separator:
            return f"Answer in lines with {listed}."
        return f"Answer in JSON with the keys {listed}."


def draw_record(rng: random.Random) -> Record:
    """Two to four fields in random order, under natural keys or words at random, in JSON or in lines."""
    slots = [slot for slot in SLOTS if rng.random() < SHARES[slot]]
    while len(slots) < 2:
        slots = rng.sample(SLOTS, 2)
    rng.shuffle(slots)
    if {"quote", "value"} <= set(slots) and rng.random() < QUOTE_FIRST:
        slots.remove("quote")
        slots.insert(slots.index("value"), "quote")
    words = [word for word in handbook_words() if word.isalpha() and word not in COURSE_KEYS]
    natural = rng.random() < 0.5
    names = [rng.choice(NATURAL[slot]) for slot in slots] if natural else rng.sample(words, len(slots))
    separator = rng.choice(SEPARATORS) if rng.random() < 0.3 else None
    if separator and rng.random() < 0.7:
        names = [name.capitalize() for name in names]
    return Record(tuple(zip(slots, names, strict=True)), tuple(rng.choice(TOLD[slot]) for slot in slots), separator)
