"""The nearest sentence: quoted from the right passage, whatever stands in the texts."""

import numpy as np
import pytest

from utils.evaluation import score
from utils.handbook import Article, Question
from utils.nearest_sentence import answer_by_nearest_sentence, choose_threshold


class Words:
    """An embedder for tests: a vector holds which of a few words a text has."""

    WORDS = ("delivery", "returns", "costs", "days", "tent")

    def encode(self, texts, **_):
        rows = [[float(word in text.lower()) for word in self.WORDS] for text in texts]
        return np.array([np.array(row) / (np.linalg.norm(row) or 1) for row in rows], dtype=np.float32)


def article(name, text):
    return Article(name, name.title(), "", "public", "", text)


def question(text, values=("$12",), articles=("a",)):
    return Question("q", text, "plain", values, articles, ("price",), "")


ARTICLES = [article("a", "Send returns in 30 days. Delivery costs $12."), article("b", "A tent is free. It is big.")]


def test_the_nearest_sentence_is_quoted_with_the_number_of_its_passage():
    asked = [question("What are the costs of delivery?"), question("Is a tent free?", ("free",), ("b",))]
    answers = answer_by_nearest_sentence(asked, [ARTICLES, ARTICLES], Words())
    assert [answer.text for answer in answers] == ["Delivery costs $12. [1]", "A tent is free. [2]"]
    assert score(answers)["right"].all() and (score(answers)["citation_precision"] == 1).all()


def test_each_question_reads_its_own_passages():
    asked = [question("Delivery costs?"), question("Delivery costs?")]
    answers = answer_by_nearest_sentence(asked, [[ARTICLES[1]], [ARTICLES[0]]], Words())
    assert answers[1].text == "Delivery costs $12. [1]" and answers[0].text.endswith(" [1]")
    assert [len(answer.passages) for answer in answers] == [1, 1]


def test_without_a_passage_it_abstains_and_without_a_question_there_is_nothing():
    (answer,) = answer_by_nearest_sentence([question("Delivery?")], [[]], Words())
    assert answer.text == "The handbook does not say."
    assert answer_by_nearest_sentence([], [], Words()) == []


def test_a_mark_in_a_text_cites_nothing():
    odd = article("a", "Delivery costs $12 [2].")
    (answer,) = answer_by_nearest_sentence([question("Delivery costs?")], [[odd, ARTICLES[1]]], Words())
    assert answer.text == "Delivery costs $12 (2). [1]"


def test_the_lengths_must_agree():
    with pytest.raises(ValueError):
        answer_by_nearest_sentence([question("Delivery?")], [], Words())


def test_below_the_threshold_it_abstains():
    asked = [question("Costs?"), question("Days of delivery?")]  # similarities 0.71 and 0.5
    texts = [[ARTICLES[0]]] * 2
    near = answer_by_nearest_sentence(asked, texts, Words(), 0.6)
    assert [answer.text for answer in near] == ["Delivery costs $12. [1]", "The handbook does not say."]
    assert answer_by_nearest_sentence(asked, texts, Words(), -1) == answer_by_nearest_sentence(asked, texts, Words())


def test_the_threshold_with_the_most_right_answers_is_chosen():
    unknown = question("Days of a tent?", (), ())  # without an answer: similarity 0.5
    asked = [question("Delivery costs?"), question("Costs?"), unknown]  # 1 and 0.71, both right
    least = choose_threshold(asked, [[ARTICLES[0]]] * 3, Words())
    assert 0.5 < least <= 0.71
    assert score(answer_by_nearest_sentence(asked, [[ARTICLES[0]]] * 3, Words(), least))["right"].all()
    assert choose_threshold(asked[:2], [[ARTICLES[0]]] * 2, Words()) <= 0.71


def test_no_questions_have_no_threshold():
    with pytest.raises(ValueError):
        choose_threshold([], [], Words())
