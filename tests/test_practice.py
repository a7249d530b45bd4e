"""Practice wordings: many for every course relation, and none that the tests keep back."""

import pytest

from utils.authoring.world import practice
from utils.authoring.world.course import course_names, course_topics
from utils.authoring.world.jargon import jargon
from utils.authoring.world.phrasing import all_topics
from utils.authoring.world.practice import likeness, practice_questions, problems, training_questions


def course_relations():
    trades = {str(company["trade"]) for company in course_names().values()}
    return {relation.id: relation for trade in trades for topic in course_topics(trade) for relation in topic.relations}


def test_every_course_relation_has_at_least_twenty():
    rows = practice_questions()
    assert set(rows) == set(course_relations())
    assert min(map(len, rows.values())) >= 20


def test_no_wording_that_is_kept_back_is_trained_on():
    for relation in course_relations().values():
        trained = training_questions(relation)
        assert len(set(trained)) == len(trained)
        for kept in (relation.questions[-1], *jargon().questions.get(relation.id, ())):
            assert kept not in trained
            assert all(likeness(kept, text) < practice.ALIKE for text in practice_questions()[relation.id])


def test_early_levels_take_the_first_wordings():
    relation = course_relations()["shop_return_window"]
    assert training_questions(relation, 2) == relation.questions[:2]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda relation: relation.questions[-1].upper(), "kept back"),
        (lambda relation: relation.questions[0], "given twice"),
        (lambda relation: "What may I return for {value}?", "unknown placeholder"),
        (lambda relation: "Are 30 days the limit?", "digit"),
        (lambda relation: "How long may I keep the {entity}?", "{entity}"),
    ],
)
def test_a_bad_wording_is_named(make, says):
    topic = next(topic for topic in all_topics() if topic.topic == "shop_returns")
    relation = topic.relations[0]
    assert any(says in problem for problem in problems(topic, relation, [make(relation)]))
    assert problems(topic, relation, ["When do I have to be back with it?"]) == []


def test_likeness_is_the_share_of_words_in_common():
    assert likeness("How long is it?", "how LONG") == 0.5
    assert likeness("a b", "c d") == 0
