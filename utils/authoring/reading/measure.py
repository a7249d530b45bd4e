"""How well a model reads: the course's dev questions, and real text that had no part in training or choosing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from utils.authoring.pretraining.evaluate import in_general_words, retrieved_with_gold
from utils.authoring.pretraining.probes import with_gold
from utils.datasets import load_articles, load_questions
from utils.evaluation import score
from utils.handbook import Answer, Passage, Question
from utils.matching import contains_whole
from utils.models import Generator, load_embedder
from utils.python_reference import load_python_questions, load_topics
from utils.rag import PASSAGES, answer_from
from utils.retrieval import DenseIndex, chunk
from utils.sampling import use_all

PYTHON = "the Python reference"


class Reading(NamedTuple):
    """One line of the result: shares from 0 to 1, over so many questions."""

    name: str
    questions: int
    right: float
    abstained: float
    cited: float


def measure(generator: Generator) -> Iterator[Reading]:
    """Each set of questions in turn, since they take minutes."""
    use_all()
    dev, articles = load_questions("dev"), load_articles()
    single, nothing = in_general_words(dev), [question for question in dev if not question.answerable]
    handbook = DenseIndex(articles, load_embedder())
    yield _reading("gold article", with_gold(generator, articles, single))
    yield _reading(
        "three articles, gold among them", answer_from(single, retrieved_with_gold(single, handbook), generator)
    )
    yield _reading("two passages found", answer_from(single, _found(single, handbook), generator))
    yield _reading("not in the handbook", answer_from(nothing, _found(nothing, handbook), generator))
    yield from _python(generator)


def _python(generator: Generator) -> Iterator[Reading]:
    pieces = [piece for topic in load_topics() for piece in chunk(topic, words=60, overlap=1)]
    known = [question for question in load_python_questions("test") if question.answerable]
    gold = [[piece for piece in pieces if _answers(piece, question)][:1] for question in known]
    yield _reading("Python, gold passage", answer_from(known, gold, generator, company=PYTHON))
    found = _found(known, DenseIndex(pieces, load_embedder()))
    yield _reading("Python, two passages found", answer_from(known, found, generator, company=PYTHON))


def _answers(piece: Passage, question: Question) -> bool:
    return piece.article_id in question.articles and contains_whole(piece.text, question.reference)


def _found(questions: Sequence[Question], index: DenseIndex) -> list[list[Passage]]:
    return [[hit.passage for hit in hits] for hits in index.search([q.text for q in questions], PASSAGES)]


def _reading(name: str, answers: Sequence[Answer]) -> Reading:
    scored = score(answers)
    abstained = scored["outcome"].str.startswith("abstained").mean()
    return Reading(name, len(answers), scored["right"].mean(), abstained, scored["citation_precision"].mean())
