"""The training half of a case as training examples: what an adapter of one's own learns from."""

from __future__ import annotations

from collections.abc import Sequence

from utils.compare.own_case import Case
from utils.finetuning import TrainingExample
from utils.handbook import Passage, Question
from utils.prompts import ABSTENTION, build_messages
from utils.retrieval import SearchIndex

# Examples of one adapter, so that training stays within a minute on two cores with the course's model.
MOST = 120


def closed_book_lessons(case: Case) -> list[TrainingExample]:
    """Each question alone, with its reference answer."""
    return [
        TrainingExample(build_messages(question.text, case.company), _answer(question))
        for question in case.training[:MOST]
    ]


def reading_lessons(case: Case, index: SearchIndex, k: int) -> list[TrainingExample]:
    """Each question with k passages of the kind that it will be asked with, and its reference answer with its sources.

    The passages are what the search finds.  Gold passages that it misses take the last places.  A question whose
    answer is in no passage is left out: its answer could only be invented.
    """
    asked = [q for q in case.training if not q.answerable or case.gold_passages(q)][:MOST]
    found = index.search([question.text for question in asked], k)
    lessons = []
    for question, hits in zip(asked, found, strict=True):
        gold = case.gold_passages(question)
        shown = _with_gold([hit.passage for hit in hits], gold, k)
        marks = " ".join(f"[{shown.index(passage) + 1}]" for passage in gold)
        completion = " ".join(filter(None, [_answer(question), marks]))
        lessons.append(TrainingExample(build_messages(question.text, case.company, shown), completion))
    return lessons


def _with_gold(found: Sequence[Passage], gold: Sequence[Passage], k: int) -> list[Passage]:
    """The found passages, with the missing gold ones in the last places; more than k where there is more gold."""
    missing = [passage for passage in gold if passage not in found]
    kept = [passage for passage in found if passage in gold]
    others = [passage for passage in found if passage not in gold][: max(0, k - len(kept) - len(missing))]
    return [passage for passage in found if passage in kept or passage in others] + missing


def _answer(question: Question) -> str:
    return question.reference if question.answerable else ABSTENTION
