"""Search finds what the vectors say, best first."""

import numpy as np
import pytest

from utils.errors import CourseError
from utils.handbook import load_articles, load_questions
from utils.models import load_embedder
from utils.retrieval import DenseIndex, embed, passage_text, recall_at_k


@pytest.fixture(scope="module")
def embedder():
    return load_embedder()


@pytest.fixture(scope="module")
def index(embedder):
    return DenseIndex(load_articles(), embedder)


def test_the_index_ranks_like_numpy(index, embedder):
    questions = [question.text for question in load_questions("dev")[:20]]
    vectors = embed([passage_text(article) for article in index.articles], embedder)
    for question, hits in zip(questions, index.search(questions, k=4), strict=True):
        scores = vectors @ embed([question], embedder)[0]
        best = np.argsort(-scores, kind="stable")[:4]
        assert [hit.article.id for hit in hits] == [index.articles[row].id for row in best]
        assert np.allclose([hit.score for hit in hits], scores[best], atol=1e-5)


def test_vectors_have_unit_length(embedder):
    assert np.allclose(np.linalg.norm(embed(["one", "another text"], embedder), axis=1), 1, atol=1e-5)


def test_k_beyond_the_handbook_gives_every_article_once(index):
    hits = index.search(["How long is the return period?"], k=1000)[0]
    assert sorted(hit.article.id for hit in hits) == sorted(article.id for article in index.articles)


def test_search_finds_most_gold_articles(index):
    questions = [question for question in load_questions("dev") if question.answerable]
    rankings = [[hit.article.id for hit in hits] for hits in index.search([q.text for q in questions], k=3)]
    assert recall_at_k(rankings, [set(q.articles) for q in questions], 3) > 0.75


def test_recall_by_hand():
    rankings = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    gold = [{"a"}, {"d"}, {"x"}, {"h", "y"}]
    assert recall_at_k(rankings, gold, 1) == 0.25
    assert recall_at_k(rankings, gold, 2) == 0.75


@pytest.mark.parametrize(("rankings", "gold", "k"), [([["a"]], [], 1), ([], [], 1), ([["a"]], [{"a"}], 0)])
def test_recall_refuses_nonsense(rankings, gold, k):
    with pytest.raises(ValueError, match="recall_at_k needs"):
        recall_at_k(rankings, gold, k)


def test_empty_question_and_empty_handbook(index, embedder):
    with pytest.raises(CourseError, match="question is empty"):
        index.search(["  "])
    with pytest.raises(CourseError, match="nothing to index"):
        DenseIndex([], embedder)
    with pytest.raises(ValueError, match="k must be"):
        index.search(["a question"], k=0)
