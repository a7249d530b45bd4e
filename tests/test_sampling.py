"""COURSE_SHARE: a share of the course's questions and examples, and never of a learner's own."""

import json
import shutil
from collections import Counter

import pytest

from utils import datasets
from utils.errors import CourseError
from utils.paths import DATASETS
from utils.sampling import chosen_share, sample, use_all

LOADERS = {
    "dev": lambda: datasets.load_questions("dev"),
    "test": lambda: datasets.load_questions("test"),
    "changed": datasets.load_dated_questions,
    "public": datasets.load_public_questions,
    "examples": datasets.load_examples,
    "facts": datasets.load_taught_facts,
    "tickets": lambda: datasets.load_tickets("train"),
    "jargon": datasets.load_jargon_pairs,
}


@pytest.fixture
def set_share(monkeypatch):
    monkeypatch.delenv("COURSE_SHARE", raising=False)
    return lambda share: monkeypatch.setenv("COURSE_SHARE", share)


@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_a_tenth_of_each_set(set_share, load):
    whole = load()
    set_share("0.1")
    part = load()
    assert len(whole) / 10 <= len(part) <= len(whole) / 5
    assert [row for row in whole if row in part] == part, "in their order"
    assert load() == part, "the same ones every time"


@pytest.mark.parametrize("text", ["", " ", "1", "1.0"])
def test_all_of_them_unless_a_share_is_named(set_share, text):
    whole = datasets.load_questions("dev")
    set_share(text)
    assert datasets.load_questions("dev") == whole


def test_some_of_each_category(set_share):
    whole = Counter(question.category for question in datasets.load_questions("test"))
    set_share("0.1")
    few = Counter(question.category for question in datasets.load_questions("test"))
    assert few.keys() == whole.keys() and min(few.values()) == 2
    examples = datasets.load_examples()
    assert {example.source is None for example in examples} == {True, False}


@pytest.mark.parametrize("share", ["0.1", "0.5", "0.75"])
def test_both_wordings_of_a_dated_fact_stay_together(set_share, share):
    set_share(share)
    rows = datasets.load_dated_questions()
    assert all(one.versions == other.versions for one, other in zip(rows[::2], rows[1::2], strict=True))


def test_who_stores_answers_to_all_questions_forgets_the_share(set_share):
    set_share("0.1")
    use_all()
    assert (len(datasets.load_questions("dev")), len(datasets.load_examples())) == (118, 160)
    use_all()


def test_what_is_no_question_is_read_in_full(set_share):
    articles, changes, kinds = datasets.load_articles(), datasets.load_changes(), datasets.load_kinds()
    set_share("0.1")
    assert (datasets.load_articles(), datasets.load_changes(), datasets.load_kinds()) == (articles, changes, kinds)


def test_own_questions_are_read_in_full(set_share, tmp_path):
    set_share("0.1")
    shutil.copy(DATASETS / "questions" / "dev.jsonl", tmp_path / "dev.jsonl")
    assert len(datasets.load_questions("dev", tmp_path)) == 118
    tickets = [json.dumps({"id": f"t{n}", "text": "Where is it?", "queue": "delivery"}) for n in range(30)]
    (tmp_path / "tickets_test.jsonl").write_text("\n".join(tickets), encoding="utf-8")
    assert len(datasets.load_tickets("test", tmp_path)) == 30


@pytest.mark.parametrize("text", ["0", "0.05", "-0.1", "1.1", "10%", "a tenth", "nan", "inf"])
def test_what_is_no_share_gets_one_sentence(set_share, text):
    set_share(text)
    with pytest.raises(CourseError) as caught:
        datasets.load_questions("dev")
    assert str(caught.value) == (f"COURSE_SHARE is {text!r}: set it to a number from 0.1 to 1, or unset it.")


def test_the_share_as_a_number(set_share):
    set_share(" 0.25 ")
    assert chosen_share() == 0.25


@pytest.mark.parametrize(
    ("count", "share", "kept"),
    [
        (10, 0.5, [0, 2, 4, 6, 8]),
        (10, 0.21, [0, 3, 6]),
        (10, 0.1, [0, 5]),
        (2, 0.1, [0, 1]),
        (1, 0.5, [0]),
        (0, 0.5, []),
    ],
)
def test_a_sample_is_spread_evenly(count, share, kept):
    assert sample(range(count), share, type) == kept


def test_a_sample_holds_each_kind_in_the_order_of_the_rows():
    assert sample("aababbabab", 0.4, str) == list("abab")
