"""The pipeline: question → passages → prompt → cited answer (built by hand in notebook 02)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from utils.handbook import COMPANY, Answer, Article, Passage, Question, ShownExample
from utils.models import Generator
from utils.prompts import Message, build_messages
from utils.retrieval import Allowed, SearchIndex, as_passages

# This many in a prompt.  Notebook 02 measures one, two and three on the dev questions.
PASSAGES = 2


@dataclass(frozen=True)
class Timings:
    """Where the seconds of a run went, over all its questions.

    search: embedding the questions and finding passages.  generate: the generator.  rest: prompts and records.
    """

    search: float
    generate: float
    rest: float

    @property
    def total(self) -> float:
        """Seconds from the questions to the answers."""
        return self.search + self.generate + self.rest


@dataclass(frozen=True)
class RagPipeline:
    """Retrieval and generation, put together.

    k: passages in the prompt.
    instruction: about the format, if any.  examples: earlier turns for few-shot prompts.
    allowed: who may be found, as for `DenseIndex.search`; everyone where nothing is said.
    """

    index: SearchIndex
    generator: Generator
    k: int = PASSAGES
    instruction: str = ""
    examples: Sequence[ShownExample] = ()
    allowed: Allowed | None = None

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer per question, in the same order.  Shows a progress bar while the generator runs."""
        return self.timed_answers(questions)[0]

    def timed_answers(self, questions: Sequence[Question]) -> tuple[list[Answer], Timings]:
        """The same answers, and where their seconds went."""
        start = time.perf_counter()
        found = self.index.search([question.text for question in questions], self.k, self.allowed)
        searched = time.perf_counter()
        shown = [[hit.passage for hit in hits] for hits in found]
        conversations = _conversations(questions, shown, self.instruction, self.examples)
        prompted = time.perf_counter()
        texts = self.generator.complete(conversations, progress=True)
        generated = time.perf_counter()
        answers = _answers(questions, texts, shown)
        rest = (prompted - searched) + (time.perf_counter() - generated)
        return answers, Timings(searched - start, generated - prompted, rest)


def answer_from(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article | Passage]],
    generator: Generator,
    instruction: str = "",
    examples: Sequence[ShownExample] = (),
) -> list[Answer]:
    """Answers from given passages, one set per question; a whole article counts as one passage.

    Raises ValueError when the lengths differ.
    """
    shown = [as_passages(given) if given else [] for given in passages]
    texts = generator.complete(_conversations(questions, shown, instruction, examples))
    return _answers(questions, texts, shown)


def answer_closed_book(questions: Sequence[Question], generator: Generator, instruction: str = "") -> list[Answer]:
    """Answers from the model's weights alone."""
    return answer_from(questions, [()] * len(questions), generator, instruction)


def _conversations(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Passage]],
    instruction: str,
    examples: Sequence[ShownExample],
) -> list[list[Message]]:
    return [
        build_messages(question.text, COMPANY, shown, instruction, examples)
        for question, shown in zip(questions, passages, strict=True)
    ]


def _answers(
    questions: Sequence[Question], texts: Sequence[str], passages: Sequence[Sequence[Passage]]
) -> list[Answer]:
    return [Answer(q, text, tuple(shown)) for q, text, shown in zip(questions, texts, passages, strict=True)]
