"""The pipeline: question → passages → prompt → cited answer (built by hand in notebook 02)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from utils.chat_model import ChatModel
from utils.decoding import Grammar
from utils.errors import CourseError
from utils.handbook import COMPANY, Answer, Article, Passage, Question, ShownExample
from utils.prompts import ABSTENTION, Message, build_messages
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
    grammar: which tokens may follow those of an answer so far, for constrained decoding.
    allowed: who may be found, as for `DenseIndex.search`; everyone where nothing is said.
    company: whose help desk the model is.
    """

    index: SearchIndex
    generator: ChatModel
    k: int = PASSAGES
    instruction: str = ""
    examples: Sequence[ShownExample] = ()
    grammar: Grammar | None = None
    allowed: Allowed | None = None
    company: str = COMPANY

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """One answer per question, in the same order.  Shows a progress bar while the generator runs.

        Where search finds nothing, the answer is the abstention, without asking the model.
        """
        return self.timed_answers(questions)[0]

    def timed_answers(self, questions: Sequence[Question]) -> tuple[list[Answer], Timings]:
        """The same answers, and where their seconds went."""
        start = time.perf_counter()
        found = self.index.search([question.text for question in questions], self.k, self.allowed)
        searched = time.perf_counter()
        shown = [[hit.passage for hit in hits] for hits in found]
        frame = _Frame(self.company, self.instruction, self.examples)
        answers, seconds = _answer_shown(questions, shown, self.generator, frame, self.grammar, progress=True)
        rest = time.perf_counter() - searched - seconds
        return answers, Timings(searched - start, seconds, rest)


def answer_from(
    questions: Sequence[Question],
    passages: Sequence[Sequence[Article | Passage]],
    generator: ChatModel,
    instruction: str = "",
    examples: Sequence[ShownExample] = (),
    grammar: Grammar | None = None,
    company: str = COMPANY,
) -> list[Answer]:
    """Answers from given passages, one set per question; a whole article counts as one passage.

    grammar: which tokens may follow those of an answer so far, for constrained decoding.
    company: whose help desk the model is.
    Where a set is empty, the answer is the abstention, without asking the model.  Raises ValueError when the lengths
    differ, CourseError when a question alone is longer than the model reads.
    """
    shown = [as_passages(given) if given else [] for given in passages]
    return _answer_shown(questions, shown, generator, _Frame(company, instruction, examples), grammar)[0]


def answer_closed_book(
    questions: Sequence[Question],
    generator: ChatModel,
    instruction: str = "",
    examples: Sequence[ShownExample] = (),
    company: str = COMPANY,
) -> list[Answer]:
    """Answers from the model's weights alone.  company: whose help desk the model is."""
    frame = _Frame(company, instruction, examples)
    conversations = [frame.messages(question, ()) for question in questions]
    texts = generator.complete(conversations)
    return [Answer(question, text) for question, text in zip(questions, texts, strict=True)]


@dataclass(frozen=True)
class _Frame:
    """What all prompts of a run share."""

    company: str
    instruction: str
    examples: Sequence[ShownExample]

    def messages(self, question: Question, passages: Sequence[Passage]) -> list[Message]:
        return build_messages(question.text, self.company, passages, self.instruction, self.examples)


def _answer_shown(
    questions: Sequence[Question],
    shown: Sequence[Sequence[Passage]],
    generator: ChatModel,
    frame: _Frame,
    grammar: Grammar | None,
    progress: bool = False,
) -> tuple[list[Answer], float]:
    """Answers from passages, and the seconds that the generator took; without a passage, the abstention."""
    prompts = [_fit(question, passages, generator, frame) for question, passages in zip(questions, shown, strict=True)]
    _say_what_was_left_out(shown, [passages for passages, _ in prompts], generator)
    start = time.perf_counter()
    asked = [messages for passages, messages in prompts if passages]
    texts = iter(generator.complete(asked, progress=progress, grammar=grammar))
    seconds = time.perf_counter() - start
    answers = [
        Answer(question, next(texts) if passages else ABSTENTION, tuple(passages))
        for question, (passages, _) in zip(questions, prompts, strict=True)
    ]
    return answers, seconds


def _fit(
    question: Question, passages: Sequence[Passage], generator: ChatModel, frame: _Frame
) -> tuple[Sequence[Passage], list[Message]]:
    """The passages that fit into a prompt beside the question, from the first one on, and the prompt."""
    for count in range(len(passages), -1, -1):
        messages = frame.messages(question, passages[:count])
        if generator.fits(messages):
            return passages[:count], messages
    raise CourseError(
        f"The question {question.text[:40]!r}… does not fit into the {generator.prompt_room:,} tokens that the model "
        "reads, even without a passage: ask a shorter question, or show fewer examples."
    )


def _say_what_was_left_out(
    found: Sequence[Sequence[Passage]], shown: Sequence[Sequence[Passage]], generator: ChatModel
) -> None:
    left_out = sum(map(len, found)) - sum(map(len, shown))
    if left_out:
        print(
            f"{left_out} passage{'s were' if left_out > 1 else ' was'} left out, the last of a prompt first, because "
            f"prompts with them are longer than the {generator.prompt_room:,} tokens that the model reads: "
            "cut the articles into smaller passages with `chunk`."
        )
