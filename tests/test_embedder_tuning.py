"""Fine-tuning the embedder: no batch holds a passage twice, pairs come closer, and the original stays as it was."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.errors import CourseError
from utils.finetuning import EmbedderPlan, blend, tune_embedder
from utils.finetuning.embedder import batches_without_repeats
from utils.models import load_embedder
from utils.retrieval import embed

PAIRS = [
    ("How long is the boomerang window?", "Goods may be returned within 30 days."),
    ("When does the mule arrive?", "Standard delivery to your home takes 4 days."),
    ("Who wears the owl badge?", "The branch is managed by Dana Okafor."),
    ("How many acorns for a dollar?", "You earn 5 points for each dollar."),
]


@given(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=40), st.integers(2, 8))
def test_no_batch_holds_a_passage_twice(passages, size):
    pairs = [(f"question {number}", passage) for number, passage in enumerate(passages)]
    batches = batches_without_repeats(pairs, size, random.Random(0))
    for batch in batches:
        assert 2 <= len(batch) <= size
        assert len({passage for _, passage in batch}) == len(batch)
    used = [pair for batch in batches for pair in batch]
    assert len(used) == len(set(used)) and set(used) <= set(pairs)


def test_a_question_moves_towards_its_passage():
    embedder = load_embedder()
    questions, passages = (list(texts) for texts in zip(*PAIRS, strict=True))

    def lead(model):
        """How much nearer each question is to its own passage than to the others, on average."""
        scores = embed(questions, model) @ embed(passages, model).T
        own = np.diag(scores)
        return float((own - (scores.sum(axis=1) - own) / (len(own) - 1)).mean())

    before = lead(embedder)
    tuned = tune_embedder(embedder, PAIRS, EmbedderPlan(epochs=4, batch_size=4))
    assert lead(tuned) > before + 0.05
    assert lead(embedder) == pytest.approx(before)


def test_a_blend_lies_between():
    old, text = load_embedder(), [PAIRS[0][0]]
    new = tune_embedder(old, PAIRS, EmbedderPlan(batch_size=4))
    ends = [embed(text, model) for model in (old, new)]
    near_old, middle = (embed(text, blend(old, new, share)) for share in (0, 0.5))
    assert np.allclose(near_old, ends[0], atol=1e-6)
    assert np.allclose(embed(text, blend(old, new, 1)), ends[1], atol=1e-6)
    assert 0 < np.linalg.norm(middle - ends[0]) < np.linalg.norm(ends[1] - ends[0])
    with pytest.raises(CourseError, match="The share is 1.5: choose 0, the old embedder, to 1"):
        blend(old, new, 1.5)


@pytest.mark.parametrize("pairs", [[], PAIRS[:1], [(question, "one passage") for question, _ in PAIRS]])
def test_pairs_that_have_nothing_to_be_told_from_are_refused(pairs):
    with pytest.raises(CourseError, match="two different passages"):
        tune_embedder(load_embedder(), pairs)


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"batch_size": 1}])
def test_a_plan_that_trains_nothing_is_refused(settings):
    with pytest.raises(CourseError, match=f"{next(iter(settings))} is .: choose . or more"):
        EmbedderPlan(**settings)
