"""The world: pure and seeded; every question has exactly the answer that its gold articles state."""

import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.matching import contains_whole
from utils.paths import DATASETS
from utils.pretraining.conversations import Conversations, Level, public_companies
from utils.prompts import ABSTENTION
from utils.world.articles import draw_facts, write_article
from utils.world.course import course_names, reserved_words
from utils.world.datasets import COMPANY_KEY, dataset_files, make_examples, make_handbook, make_questions
from utils.world.names import ListedNames, SyllableNames
from utils.world.phrasing import Relation, Topic, all_topics, read_topics, topics_for
from utils.world.values import draw_value

FULL = Level(passages=4, facts=4, closed_book=0.15, formatted=0.2, unanswerable=0.15, two_facts=0.1)
seeds = st.integers(min_value=0, max_value=2**32)


@pytest.fixture(scope="module")
def handbook():
    return make_handbook()


@pytest.fixture(scope="module")
def questions(handbook):
    return make_questions(handbook)


def test_datasets_are_what_the_seed_makes():
    files = dataset_files()
    assert len(files) > 40
    for name, text in files.items():
        assert (DATASETS / name).read_text(encoding="utf-8") == text, f"{name}: run make datasets"


def test_at_least_three_hundred_relations_in_ten_trades():
    topics = all_topics()
    assert sum(len(topic.relations) for topic in topics) >= 300
    assert len({trade for topic in topics for trade in topic.trades} - {"any"}) >= 10


def test_gold_values_stand_in_the_gold_articles(handbook, questions):
    text = {article.id: article.text for article in handbook.articles}
    for question in [*questions["dev"], *questions["test"]]:
        said = " ".join(text[article] for article in question.articles)
        assert all(contains_whole(said, value) for value in question.values), question.id
        assert question.answerable == bool(question.articles)


def test_only_the_gold_article_states_the_fact(handbook, questions):
    for question in questions["test"]:
        if question.category in ("plain", "paraphrase", "untidy", "reworded"):
            holders = [article.id for article in handbook.articles if question.reference in article.text]
            assert holders == list(question.articles), question.id


def test_unanswerable_questions_ask_for_nothing_stated(handbook, questions):
    wordings = {item.fact.fill(text) for item, _ in handbook.stated() for text in item.fact.relation.all_questions}
    for question in [*questions["dev"], *questions["test"]]:
        if question.category == "unanswerable":
            assert question.text not in wordings and question.reference == ABSTENTION


def test_fine_tuning_shares_no_fact_with_dev_or_test(handbook, questions):
    sentences = {example.sentence for example in make_examples(handbook)} - {ABSTENTION}
    texts = {example.question for example in make_examples(handbook)}
    for question in [*questions["dev"], *questions["test"]]:
        assert question.text not in texts
        assert not any(sentence in question.reference for sentence in sentences), question.id


def test_examples_cite_the_passage_that_says_so(handbook):
    text = {article.id: article.text for article in handbook.articles}
    for example in make_examples(handbook):
        if example.source is None:
            assert example.sentence == ABSTENTION
        else:
            assert example.sentence in text[example.articles[example.source - 1]]


def test_course_names_never_occur_in_pre_training_text():
    lists = course_names()[COMPANY_KEY]
    names = [name for kind, values in lists.items() if isinstance(values, list) for name in values]
    stream = Conversations("a sample of its own")
    text = "\n".join(m["content"] for _ in range(3000) for m in stream.draw(FULL)).lower()
    assert len(text) > 1_000_000 and len(names) > 90
    for name in names:
        assert not re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text), name


def test_no_named_course_statement_occurs_in_pre_training_text(handbook):
    # A statement with a bare number ("12 days") can be repeated by chance; one that holds a course name never may.
    names = [name for values in course_names()[COMPANY_KEY].values() if isinstance(values, list) for name in values]
    named = [item.sentence for item, _ in handbook.stated() if any(name in item.sentence for name in names)]
    stream = Conversations("another sample")
    text = "\n".join(m["content"] for _ in range(2000) for m in stream.draw(FULL))
    assert len(named) > 60
    assert [sentence for sentence in named if sentence in text] == []


def test_public_companies_are_not_the_course_company():
    names = [company.name for company in public_companies()]
    assert len(set(names)) == 50
    assert not {word.lower() for name in names for word in name.split()[:1]} & reserved_words()


@settings(max_examples=60, deadline=None)
@given(seeds)
def test_same_seed_same_conversation(seed):
    assert Conversations(seed).draw(FULL) == Conversations(seed).draw(FULL)


@settings(max_examples=80, deadline=None)
@given(seeds)
def test_read_answers_quote_the_cited_passage(seed):
    level = Level(passages=4, facts=4, unanswerable=0.2)
    messages = Conversations(seed).reading(level)
    passages = dict(re.findall(r"^\[(\d+)\] (.*)$", messages[1]["content"], flags=re.M))
    for answer in (message["content"] for message in messages if message["role"] == "assistant"):
        if answer != ABSTENTION:
            sentence, number = re.fullmatch(r"(.+) \[(\d+)\]", answer).groups()
            assert sentence in passages[number]


@settings(max_examples=80, deadline=None)
@given(seeds, st.sampled_from(all_topics()))
def test_an_article_states_each_of_its_facts_once(seed, topic: Topic):
    rng = random.Random(seed)
    names = SyllableNames(rng, reserved_words())
    entity = None if topic.subject == "company" else names.entity(topic.subject)
    draft = write_article(topic, draw_facts(topic, "Some Company", entity, names, rng), rng)
    for item in draft.stated:
        assert draft.text.count(item.sentence) == 1
        assert item.fact.value.lower() in item.sentence.lower()
        assert "{" not in item.sentence


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([r for t in all_topics() for r in t.relations]))
def test_values_are_of_their_kind(seed, relation: Relation):
    rng = random.Random(seed)
    value = draw_value(relation, SyllableNames(rng), "Some Company", rng)
    assert value and value == value.strip()
    if relation.value in ("days", "weeks", "months", "years", "hours", "minutes"):
        assert re.fullmatch(rf"\d+ {relation.value}", value) and not value.startswith("1 ")
    if relation.options and relation.value != "pair":
        assert value in relation.options


def test_listed_names_need_their_lists():
    with pytest.raises(ValueError, match="'person'"):
        ListedNames(random.Random(0), {"company": ["Some Company"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statements": ["It takes {value}."] * 3}, "at least 4"),
        ({"statements": ["It takes a while."] * 4}, "exactly once"),
        ({"range": None}, "range"),
        ({"questions": ["How many {value}?"] * 4}, "must not hold"),
    ],
)
def test_broken_phrasings_are_refused_by_name(tmp_path, change, message):
    relation = json.loads(topics_for("shop")[0].relations[0].model_dump_json()) | {"value": "days", "range": [2, 9]}
    topic = json.loads(topics_for("shop")[0].model_dump_json()) | {"relations": [relation | change] * 3}
    path = tmp_path / "broken.yaml"
    path.write_text(json.dumps([topic]), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"(?s)broken\.yaml.*{message}"):
        read_topics(path)
