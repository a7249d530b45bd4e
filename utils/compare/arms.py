"""The arms of a case: each answers the test half, and what it was told is kept as it goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from utils.chat_model import ChatModel
from utils.compare.folders import ANSWERS
from utils.compare.kept_answers import KeptAnswers, KeptModel
from utils.compare.lessons import MOST, closed_book_lessons, reading_lessons
from utils.compare.own_case import Case, facts_of
from utils.errors import CourseError
from utils.evaluation import Interval, share_interval
from utils.finetuning import LoraPlan, TrainingExample, train_lora
from utils.finetuning.adapters import examples_sha256
from utils.handbook import Answer, Passage, Question
from utils.matching import contains_whole
from utils.nearest_sentence import answer_by_nearest_sentence, choose_threshold
from utils.prompts import ABSTENTION
from utils.rag import PASSAGES, answer_closed_book, answer_from
from utils.retrieval import DenseIndex

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SILENT, PROMPT, NEAREST = "always abstain", "bare question", "nearest sentence"
RAG, LORA, HYBRID = "RAG", "LoRA", "hybrid"
# What each arm is, for the report.  The cheapest come first.
ARMS = {
    SILENT: "no model and no search; says that the documents do not say, whatever the question",
    PROMPT: "the model as it is; its prompt holds the question alone",
    NEAREST: "no language model; quotes the sentence of the found passages that is nearest to the question, or "
    "abstains where none is near enough, by a threshold chosen on the training half",
    RAG: "the model as it is; its prompt holds the question and the found passages",
    LORA: f"an adapter trained on the training half (at most {MOST} questions), without passages; its prompt holds the "
    "question alone",
    HYBRID: f"an adapter trained on the training half (at most {MOST} questions), with passages; its prompt is that of "
    "RAG",
}
NO_WEIGHTS = "Training needs the model's weights, and a server gives only answers: name a folder or a model of the Hub."
NOT_WANTED = "Left out with --no-training."


class TrainingFailedError(CourseError):
    """An adapter could not be trained; the other arms can still be compared."""


@dataclass(frozen=True)
class Bench:
    """All that the arms of a case share: the search, the model, and the file of answers.

    k: passages in a prompt.  seed: of the training.  folder: where the file of answers and training runs are kept.
    """

    case: Case
    embedder: SentenceTransformer
    generator: ChatModel
    folder: Path
    k: int = PASSAGES
    seed: int = 0

    def __post_init__(self) -> None:
        if self.k < 1:
            raise CourseError(f"The number of passages is {self.k}: show 1 or more.")

    @cached_property
    def kept(self) -> KeptAnswers:
        """The file of answers."""
        return KeptAnswers(self.folder / ANSWERS)

    @cached_property
    def index(self) -> DenseIndex:
        """The passages, ready to be searched."""
        return DenseIndex(self.case.passages, self.embedder)

    @cached_property
    def found(self) -> list[list[Passage]]:
        """What the search finds for each test question."""
        return self._search(self.case.test, self.k)

    @cached_property
    def threshold(self) -> float:
        """How near a sentence has to be to its question to be quoted (a cosine), chosen on the training half."""
        return choose_threshold(self.case.training, self._search(self.case.training, self.k), self.embedder)

    def _search(self, questions: Sequence[Question], k: int) -> list[list[Passage]]:
        hits = self.index.search([question.text for question in questions], k)
        return [[hit.passage for hit in row] for row in hits]

    def recall(self) -> Interval:
        """Share of the answerable test questions whose gold values are all in the passages that the search finds.

        Where a value is in none of the question's documents word for word, finding these documents has to do.
        """
        return self._recall(self.case.test, self.found)

    def training_recall(self, k: int) -> Interval:
        """The same share on the training half and with k passages: to choose k by."""
        return self._recall(self.case.training, self._search(self.case.training, k))

    def _recall(self, questions: Sequence[Question], found: Sequence[Sequence[Passage]]) -> Interval:
        rows = zip(questions, found, facts_of(questions), strict=True)
        hits, facts = zip(*((self._is_found(q, shown), fact) for q, shown, fact in rows if q.answerable), strict=True)
        return share_interval(hits, facts)

    def _is_found(self, question: Question, found: Sequence[Passage]) -> bool:
        named = [passage for passage in found if passage.article_id in question.articles]
        if self.case.gold_passages(question):
            return all(any(contains_whole(one.text, value) for one in named) for value in question.values)
        return set(question.articles) <= {passage.article_id for passage in named}


@dataclass(frozen=True)
class Arms:
    """answers: of each arm, to the test questions in their order.  left_out: why an arm has none."""

    answers: dict[str, list[Answer]]
    left_out: dict[str, str]


def answer_arms(bench: Bench, training: bool = True, say: Callable[[str], object] = lambda line: None) -> Arms:
    """The answers of every arm.  say: is told which arm is at work.

    Without training, or with a server, the two arms that need it are left out.  Raises CourseError when the model
    cannot answer or answers cannot be kept; those so far are kept.
    """
    case, found, base = bench.case, bench.found, bench.kept.of(bench.generator)
    ask = {"company": case.company}
    steps: dict[str, Callable[[], list[Answer]]] = {
        SILENT: lambda: [Answer(question, ABSTENTION) for question in case.test],
        PROMPT: lambda: answer_closed_book(case.test, base, **ask),
        NEAREST: lambda: answer_by_nearest_sentence(case.test, found, bench.embedder, bench.threshold),
        RAG: lambda: answer_from(case.test, found, base, **ask),
        LORA: lambda: answer_closed_book(case.test, tuned(bench, closed_book_lessons(case)), **ask),
        HYBRID: lambda: answer_from(case.test, found, tuned(bench, reading_lessons(case, bench.index, bench.k)), **ask),
    }
    answers: dict[str, list[Answer]] = {}
    left_out = _left_out(bench.generator, training)
    for name in (name for name in steps if name not in left_out):
        say(name)
        try:
            answers[name] = steps[name]()
        except TrainingFailedError as problem:
            left_out[name] = str(problem)
    return Arms(answers, left_out)


def _left_out(generator: ChatModel, training: bool) -> dict[str, str]:
    reason = "" if training and hasattr(generator, "model") else NO_WEIGHTS if training else NOT_WANTED
    return {LORA: reason, HYBRID: reason} if reason else {}


def tuned(bench: Bench, lessons: Sequence[TrainingExample]) -> KeptModel:
    """A copy of the model with an adapter, which is trained once an answer of it is missing.

    Raises TrainingFailedError then, when it cannot be trained.
    """
    plan = plan_for(bench.generator, bench.seed)
    what = [bench.kept.identity_of(bench.generator), examples_sha256(lessons)[:12], asdict(plan)]
    settings = hashlib.sha256(str(what).encode()).hexdigest()[:12]

    def train() -> Any:
        try:
            return train_lora(bench.generator, lessons, plan, checkpoint=bench.folder / "training" / settings)[0]
        except CourseError as problem:
            raise TrainingFailedError(str(problem)) from problem

    return bench.kept.of(bench.generator, f"adapter {settings}", train)


def plan_for(generator: ChatModel, seed: int) -> LoraPlan:
    """The course's plan for its own model, and for others a gentler one, with half the rank of notebook 12's."""
    if getattr(generator, "was_trained_here", False):
        return LoraPlan(seed=seed)
    return LoraPlan(rank=8, alpha=16, learning_rate=1e-3, epochs=1, batch_size=4, seed=seed)
