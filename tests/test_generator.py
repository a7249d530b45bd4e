"""What the lessons rely on: the shipped generator reads, does not know the handbook, and its card tells the truth.

Orderings and wide margins for what lessons say; the card's exact figures are measured again where that takes seconds.
"""

import json
import re

import pytest
import torch

from utils.authoring.pretraining import probes
from utils.authoring.pretraining.card import BARS, NEAR_TIES, START, STOP
from utils.authoring.pretraining.evaluate import in_general_words
from utils.authoring.pretraining.probes import NEARLY_TIED, share_correct
from utils.compare import score_arms
from utils.datasets import load_articles, load_questions
from utils.handbook import articles_by_id
from utils.models import GENERATOR, load_embedder, load_generator
from utils.rag import PASSAGES, RagPipeline, answer_closed_book, answer_from
from utils.retrieval import DenseIndex


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture(scope="module")
def search():
    return DenseIndex(load_articles(), load_embedder())


@pytest.fixture(scope="module")
def scores(generator, search):
    articles, questions = load_articles(), load_questions("dev")
    gold = [articles_by_id(articles, question.articles) or articles[:1] for question in questions]
    return score_arms(
        {
            "memory": answer_closed_book(questions, generator),
            "gold": answer_from(questions, gold, generator),
            "rag": RagPipeline(search, generator).answer(questions),
        }
    )


@pytest.fixture(scope="module")
def read(generator):
    """The test questions on one fact, answered from their gold articles, as for the model's card."""
    return probes.with_gold(generator, load_articles(), [q for q in load_questions("test") if len(q.values) == 1])


def share_right(table, *categories):
    chosen = table[table["category"].isin(categories)] if categories else table
    return chosen["right"].mean()


def test_it_does_not_know_the_handbook(scores):
    assert share_right(scores["memory"], "plain", "paraphrase", "untidy", "reworded") < 0.2


def test_it_reads_what_it_is_given(scores):
    assert share_right(scores["gold"], "plain", "paraphrase", "untidy") > 0.8


def test_retrieval_lifts_right_answers_by_far(scores):
    assert share_right(scores["rag"]) - share_right(scores["memory"]) > 0.55


def test_it_abstains_more_with_passages_than_without(scores):
    assert share_right(scores["rag"], "unanswerable") > share_right(scores["memory"], "unanswerable") + 0.15


def test_citations_point_at_the_gold_article_when_it_is_alone(scores):
    answered = scores["gold"][scores["gold"]["outcome"] == "correct"]
    assert answered["citation_recall"].mean() > 0.8


def test_one_or_two_threads_give_the_same_answers(generator):
    articles = load_articles()
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


def stored_ties():
    return json.loads((GENERATOR / NEAR_TIES).read_text(encoding="utf-8"))


def test_the_stored_near_ties_are_found_again(generator, read, monkeypatch):
    """On every fourth question: each gap between the first and second choice is measured, not only the small ones."""
    monkeypatch.setattr(probes, "NEARLY_TIED", float("inf"))
    gaps = probes.near_ties(generator, read[::4])
    assert len(gaps) == len(read[::4]) > 25 and all(0 < gap < 100 for gap in gaps.values())
    tied = {identifier for identifier, gap in gaps.items() if gap < NEARLY_TIED}
    assert tied == stored_ties().keys() & gaps.keys()


def card_values():
    """The values of the card's tables by their names in `BARS`: percent, points, seconds and counts alike."""
    card = (GENERATOR / "README.md").read_text(encoding="utf-8")
    lines = card.split(START)[1].split(STOP)[0].splitlines()
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    names = {text: name for name, (text, _) in BARS.items()}
    numbers = {names.get(row[0], row[0]): re.match(r"[+-]?\d+(\.\d+)?", row[-1]) for row in rows}
    return {name: float(number[0]) for name, number in numbers.items() if number}


def test_the_card_has_a_value_for_every_bar():
    assert BARS.keys() <= card_values().keys()


def test_the_card_s_values_are_measured_again(generator, read, search):
    """Those that take seconds, on the test questions; one question of the category or of all may differ elsewhere."""
    single = in_general_words(load_questions("test"))
    shelves = search.search([question.text for question in single], PASSAGES)
    found = [q.articles[0] in {hit.passage.article_id for hit in hits} for q, hits in zip(single, shelves, strict=True)]
    measured = {
        "reads_gold": share_correct([answer for answer in read if answer.question in single]),
        "closed_book_right": share_correct(answer_closed_book(single, generator)),
        "search_finds": sum(found) / len(found),
    }
    card = card_values()
    assert {name: 100 * share for name, share in measured.items()} == pytest.approx(
        {name: card[name] for name in measured}, abs=1
    )
    by_category = probes.wordings(read)
    assert {name: 100 * share for name, share in by_category.items()} == pytest.approx(
        {name: card[name] for name in by_category}, abs=5.1
    )
    assert card["near_ties_count"] == len(stored_ties())


def test_the_log_shows_the_two_runs_that_were_shipped():
    """What the card says of them: 118 minutes each, and more than 99 % of the numbers cited right at the end."""
    rows = [json.loads(line) for line in (GENERATOR / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    for run in (0, 1):
        last = [row for row in rows if row["run"] == run][-1]
        assert last["seconds"] / 60 == pytest.approx(118, abs=1) and last["citing"] > 0.99
        assert last["tokens"] > 40_000_000
