"""What search costs beside the embedder: the same questions, one at a time, both taken turn about in one run."""

from statistics import median

import numpy as np
import pytest
from stopwatch import seconds

from utils.datasets import load_questions
from utils.models import load_embedder
from utils.retrieval import DenseIndex, Passage
from utils.retrieval.persistence import write_index

PASSAGES, QUERIES, WARM_UP = 10_000, 200, 10


@pytest.fixture(scope="module")
def embedder():
    return load_embedder()


@pytest.fixture(scope="module")
def index(embedder, tmp_path_factory):
    """Random unit vectors in place of embedded text: exact search takes the same time for both."""
    folder = tmp_path_factory.mktemp("index")
    vectors = np.random.default_rng(0).normal(size=(PASSAGES, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    passages = [Passage(f"p{number}", f"a{number}", "A title", f"Text {number}.") for number in range(PASSAGES)]
    write_index(folder, passages, vectors, embedder)
    return DenseIndex.load(folder, embedder)


def test_retrieval_costs_little_more_than_the_embedder(index, embedder, record):
    questions = [question.text for question in load_questions("dev")[: QUERIES + WARM_UP]]
    times = {"bare": [], "whole": []}
    for number, question in enumerate(questions):
        # Whichever comes second finds the processor's caches warm, so they change places.
        for which in ("bare", "whole") if number % 2 else ("whole", "bare"):
            if which == "bare":
                times[which].append(seconds(embedder.encode, [question], show_progress_bar=False))
            else:
                times[which].append(seconds(index.search, [question], k=3))
    embedding, retrieval = (median(times[which][WARM_UP:]) for which in ("bare", "whole"))
    record("embedder_one_query", 1000 * embedding, "ms")
    record("retrieval_one_query", 1000 * retrieval, "ms")
    record("retrieval_over_embedder", retrieval / embedding, "ratio")
    assert retrieval / embedding <= 1.2
