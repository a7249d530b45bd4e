"""What the pipeline costs beyond its parts, what batches save, and what an index update saves over training."""

import time
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

import pytest
from stopwatch import seconds

from utils.authoring.world.handbooks import make_handbook
from utils.authoring.world.questions import question_on
from utils.datasets import load_articles, load_questions
from utils.evaluation import score
from utils.finetuning import LoraPlan, TrainingExample, train_lora
from utils.handbook import COMPANY
from utils.models import load_embedder, load_generator
from utils.prompts import build_messages
from utils.rag import RagPipeline, answer_closed_book
from utils.retrieval import DenseIndex

BATCHED, UPDATES = 300, 20


@pytest.fixture(scope="module")
def pipeline():
    return RagPipeline(DenseIndex(load_articles(), load_embedder()), load_generator())


@pytest.fixture(scope="module")
def questions():
    return (load_questions("dev") + load_questions("test"))[:BATCHED]


@contextmanager
def counted(thing, name, times):
    """Adds the seconds that `thing`'s method takes to `times`, from outside the pipeline."""
    method = getattr(thing, name)

    def timed(*arguments, **named):
        start = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            times.append(time.perf_counter() - start)

    setattr(thing, name, timed)
    try:
        yield
    finally:
        delattr(thing, name)  # the class's own method shows again


def test_the_pipeline_adds_little_to_its_parts(pipeline, questions, record):
    """Everything that is neither embedding and search nor the model's own `generate`: prompts, tokens, records."""
    pipeline.answer(questions[:24])
    parts = []
    with counted(pipeline.index, "search", parts), counted(pipeline.generator.model, "generate", parts):
        total = seconds(pipeline.answer, questions)
    share = 1 - sum(parts) / total
    record("pipeline_overhead_share", share, "share")
    assert share <= 0.05


def test_batches_beat_one_by_one(pipeline, questions, record):
    batched = seconds(pipeline.answer, questions)
    single = sum(seconds(pipeline.answer, [question]) for question in questions)
    record("answer_one", 1000 * single / len(questions), "ms")
    record("answer_one_of_a_batch", 1000 * batched / len(questions), "ms")
    record("batched_over_single", single / batched, "ratio")
    assert single / batched >= 3


def test_an_update_beats_a_training(pipeline, record):
    """One article replaced in an index of the whole handbook, against teaching an adapter the whole handbook's facts.

    An adapter has no rows: whatever it should still know after the change is taught again.  What it then knows is
    measured too, since a training that teaches nothing would be quick.
    """
    index = DenseIndex(load_articles(), load_embedder())
    updates = [seconds(index.replace, [replace(a, text=f"{a.text} Ask us.")]) for a in load_articles()[:UPDATES]]
    asked = [question_on(*row, row[0].fact.relation.questions[0]) for row in make_handbook().stated()]
    training = [TrainingExample(build_messages(question.text, COMPANY), question.reference) for question in asked]
    start = time.perf_counter()
    tuned, _ = train_lora(pipeline.generator, training, LoraPlan(epochs=20))
    training = time.perf_counter() - start
    knows = score(answer_closed_book(asked, tuned))["right"].mean()
    record("update_one_article", 1000 * median(updates), "ms")
    record("retrain", training, "seconds")
    record("retrained_adapter_knows", knows, "share")
    record("retrain_over_update", training / median(updates), "ratio")
    assert knows >= 0.9
    assert training / median(updates) >= 1000
