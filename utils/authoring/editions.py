"""Notebook 09's closest comparison on other editions of the handbook: `python -m utils.authoring editions`.

An edition has the same things, and other values, wordings and questions.  Intervals on one edition draw only questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from utils.authoring.world.finetuning_sets import make_examples
from utils.authoring.world.handbooks import other_edition
from utils.authoring.world.questions import make_questions
from utils.evaluation import paired_difference, score
from utils.finetuning import LoraPlan, house_training_examples, train_lora
from utils.house_format import wrap_in_house_format
from utils.models import GENERATOR, Generator, load_embedder, load_generator
from utils.paths import DATASETS, write_atomically
from utils.rag import RagPipeline
from utils.retrieval import DenseIndex

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

FILE = DATASETS / "hybrid" / "editions.json"
EDITIONS = range(7)  # number 7 is the first that states too few facts for its questions


@dataclass(frozen=True)
class EditionResult:
    """Complete answers on one edition's test questions: shares, and template minus hybrid with its interval."""

    edition: int
    questions: int
    template: float
    hybrid: float
    difference: float
    low: float
    high: float


def measure_editions() -> Iterator[EditionResult]:
    """Each edition in turn: RAG + template, and the hybrid of notebook 09, trained on that edition's examples."""
    generator, embedder = load_generator(GENERATOR), load_embedder()
    return (_measure(edition, generator, embedder) for edition in EDITIONS)


def _measure(edition: int, generator: Generator, embedder: SentenceTransformer) -> EditionResult:
    handbook = other_edition(edition)
    articles, questions = handbook.articles, make_questions(handbook)["test"]
    index = DenseIndex(articles, embedder)
    lesson = house_training_examples(make_examples(handbook), articles, k=3)
    reader, _ = train_lora(generator, lesson, LoraPlan(seed=0))
    plain, tuned = (RagPipeline(index, model).answer(questions) for model in (generator, reader))
    wrapped = [replace(answer, text=wrap_in_house_format(answer.text)) for answer in plain]
    template, hybrid = (score(answers)["complete"] for answers in (wrapped, tuned))
    gap = paired_difference(template, hybrid)
    return EditionResult(edition, len(questions), template.mean(), hybrid.mean(), gap.mean, gap.low, gap.high)


def write_editions(path: Path = FILE) -> Iterator[EditionResult]:
    """Measures, and writes the file anew after each edition."""
    results: list[EditionResult] = []
    for result in measure_editions():
        results.append(result)
        rows = [{name: round(value, 4) for name, value in asdict(one).items()} for one in results]
        write_atomically(path, json.dumps(rows, indent=1) + "\n")
        yield result
