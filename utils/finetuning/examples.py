"""Fine-tuning examples become prompts with their completions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from utils.datasets import numbered_lines
from utils.errors import CourseError
from utils.handbook import COMPANY, Article, Example, ShownExample, articles_by_id
from utils.house_format import format_answer
from utils.prompts import Message, build_messages
from utils.record import KEYS, Finding, format_record
from utils.validation import first_broken_rule


@dataclass(frozen=True)
class TrainingExample:
    """A conversation and the completion to learn for it."""

    messages: list[Message]
    completion: str


def house_examples(examples: Sequence[Example], articles: Sequence[Article], k: int) -> list[ShownExample]:
    """The fine-tuning examples as (question, k passages, answer in house format).

    Of an example's articles, in their order, stay the one that answers, or for an abstention the first, and the first
    of the others.  Raises ValueError when k is less than 1 or more than an example has.
    """
    return [
        (example.question, passages, format_answer(example.sentence, source))
        for example, passages, source in _shown(examples, articles, k)
    ]


def record_examples(
    examples: Sequence[Example], articles: Sequence[Article], k: int, order: Sequence[str] = KEYS
) -> list[ShownExample]:
    """The fine-tuning examples as (question, k passages, record).  order: the keys, as for `format_record`.

    Raises ValueError like `house_examples`.
    """
    return [
        (example.question, passages, _record(example, source, order))
        for example, passages, source in _shown(examples, articles, k)
    ]


def _record(example: Example, source: int | None, order: Sequence[str]) -> str:
    if source is None:
        return format_record([], order)
    return format_record([Finding(example.sentence, str(example.value), str(example.kind), source)], order)


def _shown(
    examples: Sequence[Example], articles: Sequence[Article], k: int
) -> Iterator[tuple[Example, list[Article], int | None]]:
    """Each example with its passages and the number of the one that answers, None for an abstention."""
    for example in examples:
        if not 1 <= k <= len(example.articles):
            raise ValueError(f"k is {k}: an example can show 1 to {len(example.articles)} passages")
        first = example.articles[(example.source or 1) - 1]
        others = [identifier for identifier in example.articles if identifier != first][: k - 1]
        ids = [identifier for identifier in example.articles if identifier in (first, *others)]
        yield example, articles_by_id(articles, ids), ids.index(first) + 1 if example.source else None


def few_shot_examples(examples: Sequence[Example], articles: Sequence[Article]) -> list[ShownExample]:
    """The first three for a prompt: two with an answer, and between them one whose passage does not hold it.

    One passage each.  With two, the course's generator gave fewer complete answers on the dev questions.
    """
    return house_examples(_first_three(examples), articles, k=1)


def few_shot_records(
    examples: Sequence[Example], articles: Sequence[Article], order: Sequence[str] = KEYS
) -> list[ShownExample]:
    """The same three with records.  order: the keys, as for `format_record`."""
    return record_examples(_first_three(examples), articles, k=1, order=order)


def _first_three(examples: Sequence[Example]) -> list[Example]:
    answered = [example for example in examples if example.source][:2]
    silent = [example for example in examples if not example.source][:1]
    return [*answered[:1], *silent, *answered[1:]]


def house_training_examples(
    examples: Sequence[Example], articles: Sequence[Article], k: int, company: str = COMPANY
) -> list[TrainingExample]:
    """The same examples, ready to train on, with k passages in the prompt; with none, closed-book and without a source.

    company: whose help desk the model is.  Raises ValueError like `house_examples`.
    """
    if k:
        return _to_train_on(house_examples(examples, articles, k), company)
    return [TrainingExample(build_messages(e.question, company), format_answer(e.sentence, None)) for e in examples]


def record_training_examples(
    examples: Sequence[Example],
    articles: Sequence[Article],
    k: int,
    order: Sequence[str] = KEYS,
    company: str = COMPANY,
) -> list[TrainingExample]:
    """The fine-tuning examples with records, ready to train on, with k passages in the prompt.

    order: the keys, as for `format_record`.  company: whose help desk the model is.
    Raises ValueError like `house_examples`.
    """
    return _to_train_on(record_examples(examples, articles, k, order), company)


def _to_train_on(shown: Sequence[ShownExample], company: str) -> list[TrainingExample]:
    return [TrainingExample(build_messages(asked, company, passages), answer) for asked, passages, answer in shown]


class _Turn(BaseModel):
    role: Literal["system", "user", "assistant"]
    content: str


class _Line(BaseModel):
    """One line of a file of training examples; other fields, such as an id, are ignored."""

    messages: Annotated[list[_Turn], Field(min_length=1)]
    completion: Annotated[str, StringConstraints(pattern=r"\S")]


def read_training_examples(path: Path | str) -> list[TrainingExample]:
    """Training examples of one's own, from a JSONL file: one object on each line, with `messages` and `completion`.

    messages: a list of {"role": "system", "user" or "assistant", "content": text}, the last one the user's.
    completion: what the model should say next.  Blank lines are skipped.
    Raises CourseError when the file cannot be read or holds no example, and names the line that is malformed.
    """
    path = Path(os.path.expanduser(path))
    lines = numbered_lines(path, "check its path")
    if not lines:
        raise CourseError(f"The file {path} is empty: write one training example on each line.")
    return [_training_example(line, f"Line {number} of {path}") for number, line in lines]


def _training_example(line: bytes, where: str) -> TrainingExample:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError as error:
        raise CourseError(f"{where} is not a training example ({first_broken_rule(error)}): fix that line.") from error
    if read.messages[-1].role != "user":
        raise CourseError(f"{where} has no question: end its `messages` with the user's turn.")
    return TrainingExample([turn.model_dump() for turn in read.messages], read.completion)


def refuse_overlap(training: Sequence[TrainingExample], dev: Sequence[TrainingExample]) -> None:
    """Raises CourseError when dev has a conversation that training has too, in whatever spacing or capitals.

    A score on examples that were trained on rewards learning by heart.
    """
    trained = {_conversation(example): number for number, example in enumerate(training, start=1)}
    for number, example in enumerate(dev, start=1):
        twin = trained.get(_conversation(example))
        if twin:
            raise CourseError(
                f"Dev example {number} has the same conversation as training example {twin}: remove it from one of "
                "the two."
            )


def _conversation(example: TrainingExample) -> tuple[tuple[str, str], ...]:
    return tuple((turn["role"], " ".join(turn["content"].casefold().split())) for turn in example.messages)
