"""Lessons that teach a pretrained model to read: invented passages, and up to eleven questions on them.

Such a model copies well after minutes and still picks the wrong sentence, so lessons hold many choices for each token:
shelves with many facts, many questions on each, and a share of answers that are the bare value.  What is a choice (the
first token of an answer, the place where a sentence parts from another of the same beginning, a passage's number)
weighs more in the loss.
"""

from __future__ import annotations

import os.path
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from transformers import PreTrainedTokenizerBase

from utils.authoring.pretraining.conversations import Conversations, Level
from utils.authoring.pretraining.formats import PLAIN
from utils.authoring.world.articles import Draft
from utils.chat import render
from utils.prompts import ABSTENTION, Message, spell_out, system_prompt, user_turn
from utils.record import Finding

CHOICE_WEIGHT = 4.0
VALUE_WEIGHT = 2.0  # of the other tokens of a bare value, each of which must be found
ALONE = 0.1  # share of lessons with a single question
FULLEST_OF = 4  # shelves are drawn, and the one with the most facts is used
ANY_SHELF = 0.15  # share of lessons that use the first shelf instead
REMINDED = 0.8  # share of plain lessons with the reminder behind the first question, as in use
LAID_OUT = 0.25  # share of lessons whose passages have a sentence a line
MARKS = ("\n- ", "\n* ", "\n", "\n\n", "\n| ")
BARE_ORDERS = (
    "Answer the question from the numbered passages alone, with the bare value and nothing else. "
    f"If no passage answers the question, write only: {ABSTENTION}"
)


@dataclass(frozen=True)
class Stage:
    """start: from which share of the run on.  bare: share of lessons whose answers are the bare value."""

    start: float
    level: Level
    bare: float


_FEW_KINDS = Level(passages=2, facts=5, follow_ups=10, topics=6, wordings=8, unanswerable=0.05, breadth=0.1)
_ALL_KINDS = Level(passages=3, facts=5, follow_ups=10, unanswerable=0.12, two_facts=0.02, breadth=0.35)
_FULL = replace(_ALL_KINDS, passages=4, unanswerable=0.2, two_facts=0.05, breadth=0.45)
STAGES = (Stage(0.0, _FEW_KINDS, 0.6), Stage(0.15, _ALL_KINDS, 0.55), Stage(0.5, _FULL, 0.4), Stage(0.75, _FULL, 0.15))


@dataclass(frozen=True)
class Lesson:
    """A conversation.  parts: each answer, cut where something new begins.  rivals: the sentences to choose from."""

    messages: list[Message]
    parts: list[list[str]]
    rivals: list[str]
    bare: bool


@dataclass(frozen=True)
class WeighedRow:
    """A lesson in token ids.  weight: of each token in the loss.  answer: the number of its answer, -1 for others."""

    ids: list[int]
    weight: list[float]
    answer: list[int]
    bare: bool


class BareValue:
    """The form of an answer that is the value alone."""

    def parts(self, findings: Sequence[Finding]) -> list[str]:
        """The value, or the values, or the abstention."""
        return [", ".join(found.value for found in findings) or ABSTENTION]


@dataclass(frozen=True)
class _Shown:
    title: str
    text: str


class ReadingLessons:
    """An endless, seeded stream of lessons.  The course's companies never occur in them."""

    def __init__(self, seed: int | str) -> None:
        self._conversations = Conversations(f"reading {seed}")
        self._rng = random.Random(f"reading {seed} lessons")

    def draw(self, stage: Stage) -> Lesson:
        """One lesson of a stage."""
        bare = self._rng.random() < stage.bare
        company, drafts = self._shelf(stage.level)
        turns = self._conversations.turns(drafts, stage.level, BareValue() if bare else PLAIN, ALONE)
        messages = self._opening(company, turns[0][0], self._laid_out(drafts), bare)
        for number, (question, _, parts) in enumerate(turns):
            if number:
                messages.append({"role": "user", "content": user_turn(question)})
            messages.append({"role": "assistant", "content": "".join(parts)})
        rivals = [item.sentence for draft in drafts for item in draft.stated]
        return Lesson(messages, [parts for _, _, parts in turns], rivals, bare)

    def _shelf(self, level: Level) -> tuple[str, list[Draft]]:
        count = 1 if self._rng.random() < ANY_SHELF else FULLEST_OF
        shelves = [self._conversations.shelf(level) for _ in range(count)]
        company, _, drafts = max(shelves, key=lambda shelf: sum(len(draft.stated) for draft in shelf[2]))
        return company, drafts

    def _opening(self, company: str, question: str, passages: Sequence[_Shown], bare: bool) -> list[Message]:
        user = {"role": "user", "content": user_turn(question, passages)}
        if bare:
            return [{"role": "system", "content": f"You are the help desk of {company}. {BARE_ORDERS}"}, user]
        system, reminded = spell_out([{"role": "system", "content": system_prompt(company, True)}, user])
        return [system, reminded if self._rng.random() < REMINDED else user]

    def _laid_out(self, drafts: Sequence[Draft]) -> list[_Shown]:
        """The passages as running text, or with a mark before each sentence, as in lists and tables."""
        if self._rng.random() >= LAID_OUT:
            return [_Shown(draft.title, draft.text) for draft in drafts]
        mark = self._rng.choice(MARKS)
        return [_Shown(draft.title, _marked(draft, mark)) for draft in drafts]


def _marked(draft: Draft, mark: str) -> str:
    text = draft.text
    for item in draft.stated:
        text = text.replace(item.sentence, mark + item.sentence, 1)
    return text.strip("\n")


def weigh(lesson: Lesson, tokenizer: PreTrainedTokenizerBase) -> WeighedRow:
    """The lesson as the tokenizer's chat template writes it.  The token that ends an answer belongs to it."""
    text = render(tokenizer, lesson.messages, prompt=False)
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    row = WeighedRow(
        encoded["input_ids"], [0.0] * len(encoded["input_ids"]), [-1] * len(encoded["input_ids"]), lesson.bare
    )
    answers, at = iter(enumerate(lesson.parts)), 0
    for message in lesson.messages:
        at = text.index(message["content"], at)
        end = at + len(message["content"])
        if message["role"] == "assistant":
            number, parts = next(answers)
            choices = _choices(parts, lesson.rivals, at)
            _mark(row, encoded["offset_mapping"], (at, end), choices, number)
        at = end
    return row


def _mark(
    row: WeighedRow, offsets: list[tuple[int, int]], span: tuple[int, int], choices: set[int], number: int
) -> None:
    start, end = span
    within = [index for index, (begin, stop) in enumerate(offsets) if begin < end and stop > start]
    for index in [*within, within[-1] + 1]:  # and the marker behind
        begin, stop = offsets[index]
        chosen = any(begin <= choice < stop for choice in choices)
        row.weight[index] = CHOICE_WEIGHT if chosen else VALUE_WEIGHT if row.bare else 1.0
        row.answer[index] = number


def _choices(parts: Sequence[str], rivals: Sequence[str], at: int) -> set[int]:
    """Where in the text a choice is made, for an answer that begins at `at`."""
    found, said = set(), "".join(parts)
    begin = at
    for part in parts:
        first = begin + len(part) - len(part.lstrip())
        found |= {first, first + 1} if part.strip().startswith("[") else {first}  # the bracket, and the number in it
        begin += len(part)
    shared = (len(os.path.commonprefix([said, rival])) for rival in rivals)
    return found | {at + length for length in shared if 0 < length < len(said)}
