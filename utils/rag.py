"""The pipeline: question → passages → prompt → cited answer (built by hand in notebook 02)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.handbook import COMPANY, Answer, Article, Question
from utils.models import Generator
from utils.prompts import build_messages
from utils.retrieval import DenseIndex

ShownExample = tuple[str, Sequence[Article], str]


@dataclass(frozen=True)
class RagPipeline:
    """Retrieval and generation, put together.

    k: passages in the prompt; the tiny generator reads one best, as notebook 02 measures.
    instruction: about the format, if any.  examples: earlier turns for few-shot prompts.
    """

    index: DenseIndex
    generator: Generator
    k: int = 1
    instruction: str = ""
    examples: Sequence[ShownExample] = ()

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer per question, in the same order."""
        found = self.index.search([question.text for question in questions], self.k)
        shown = [tuple(hit.article for hit in hits) for hits in found]
        return answer_from(questions, shown, self.generator, self.instruction, self.examples)


def answer_from(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article]],
    generator: Generator,
    instruction: str = "",
    examples: Sequence[ShownExample] = (),
) -> list[Answer]:
    """Answers from given passages, one set per question.  Raises ValueError when the lengths differ."""
    conversations = [
        build_messages(question.text, COMPANY, shown, instruction, examples)
        for question, shown in zip(questions, passages, strict=True)
    ]
    texts = generator.complete(conversations)
    return [Answer(q, text, tuple(shown)) for q, text, shown in zip(questions, texts, passages, strict=True)]


def answer_closed_book(questions: Sequence[Question], generator: Generator, instruction: str = "") -> list[Answer]:
    """Answers from the model's weights alone."""
    return answer_from(questions, [()] * len(questions), generator, instruction)
