"""Questions on two facts are split, and no other question is."""

import pytest

from utils.datasets import load_questions
from utils.double_questions import in_halves


@pytest.mark.parametrize("part", ["dev", "test"])
def test_only_questions_on_two_facts_have_halves(part):
    for question in load_questions(part):
        halves = in_halves(question)
        assert len(halves) == (2 if question.category == "two_facts" else 1)
        assert all(half.text[0].isupper() and half.values == question.values for half in halves)
        assert " And ".join(half.text for half in halves).lower() == question.text.lower()


def test_a_question_alone_stays_as_it_is():
    question = load_questions("dev")[0]
    assert in_halves(question) == [question]
