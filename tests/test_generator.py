"""What the lessons rest on: the shipped generator reads, does not know, and its near ties are known.

Orderings and wide margins only; the exact figures are in the model's card.
"""

import json

import pytest
import torch

from utils.authoring.pretraining.evaluate import BARS, NEAR_TIES, START, STOP
from utils.authoring.pretraining.probes import NEARLY_TIED
from utils.compare import score_arms
from utils.datasets import load_articles, load_questions
from utils.handbook import articles_by_id
from utils.models import GENERATOR, load_embedder, load_generator
from utils.rag import RagPipeline, answer_closed_book, answer_from
from utils.retrieval import DenseIndex


@pytest.fixture(scope="module")
def scores():
    generator, articles = load_generator(), load_articles()
    questions = load_questions("dev")
    gold = [articles_by_id(articles, question.articles) or articles[:1] for question in questions]
    pipeline = RagPipeline(DenseIndex(articles, load_embedder()), generator)
    return score_arms(
        {
            "memory": answer_closed_book(questions, generator),
            "gold": answer_from(questions, gold, generator),
            "rag": pipeline.answer(questions),
        }
    )


def share_right(table, *categories):
    chosen = table[table["category"].isin(categories)] if categories else table
    return chosen["right"].mean()


def test_it_does_not_know_the_handbook(scores):
    assert share_right(scores["memory"], "plain", "paraphrase", "untidy", "reworded") < 0.2


def test_it_reads_what_it_is_given(scores):
    assert share_right(scores["gold"], "plain", "paraphrase", "untidy") > 0.8


def test_retrieval_lifts_right_answers_by_far(scores):
    assert share_right(scores["rag"]) - share_right(scores["memory"]) > 0.3


def test_it_abstains_more_with_passages_than_without(scores):
    assert share_right(scores["rag"], "unanswerable") > share_right(scores["memory"], "unanswerable") + 0.15


def test_citations_point_at_the_gold_article_when_it_is_alone(scores):
    answered = scores["gold"][scores["gold"]["outcome"] == "correct"]
    assert answered["citation_recall"].mean() > 0.8


def test_one_or_two_threads_give_the_same_answers():
    generator, articles = load_generator(), load_articles()
    questions = [question for question in load_questions("dev") if len(question.values) == 1][:40]
    gold = [articles_by_id(articles, question.articles) for question in questions]
    before = torch.get_num_threads()
    texts = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            texts.append([answer.text for answer in answer_from(questions, gold, generator)])
    finally:
        torch.set_num_threads(before)
    assert texts[0] == texts[1]


def test_the_near_ties_are_questions_of_the_test_set_and_few():
    ties = json.loads((GENERATOR / NEAR_TIES).read_text(encoding="utf-8"))
    ids = {question.id for question in load_questions("test")}
    assert set(ties) <= ids and len(ties) < len(ids) / 10
    assert all(0 <= gap < NEARLY_TIED for gap in ties.values())


def test_the_card_holds_every_bar():
    card = (GENERATOR / "README.md").read_text(encoding="utf-8")
    table = card.split(START)[1].split(STOP)[0]
    for text, _ in BARS.values():
        assert f"| {text} |" in table


def test_the_log_shows_the_run_that_was_shipped():
    rows = [json.loads(line) for line in (GENERATOR / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[-1]["stage"] > rows[0]["stage"]
    assert rows[-1]["tokens"] > 5_000_000
