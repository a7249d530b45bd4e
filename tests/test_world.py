"""The world: pure and seeded; every question has exactly the answer that its gold articles state."""

import functools
import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.authoring.pretraining.conversations import HELD_OUT_TRADES, Conversations, Level
from utils.authoring.world.articles import draw_facts, write_article
from utils.authoring.world.changes import DAYS, make_changes
from utils.authoring.world.course import course_names, reserved_words
from utils.authoring.world.files import CAPSTONE_KEY, dataset_files
from utils.authoring.world.finetuning_sets import make_examples, make_jargon_pairs, make_tickets
from utils.authoring.world.handbooks import COMPANY_KEY, EDITION, make_handbook
from utils.authoring.world.jargon import jargon
from utils.authoring.world.names import ListedNames, SyllableNames
from utils.authoring.world.phrasing import Relation, Topic, all_topics, read_topics, topics_for
from utils.authoring.world.public import make_public_questions, public_companies
from utils.authoring.world.questions import make_questions
from utils.authoring.world.values import draw_value
from utils.matching import contains_whole
from utils.paths import DATASETS
from utils.prompts import ABSTENTION

FULL = Level(
    passages=4, facts=4, follow_ups=4, closed_book=0.15, formatted=0.2, unanswerable=0.15, two_facts=0.1, breadth=0.3
)
COMPANIES = [COMPANY_KEY, CAPSTONE_KEY]
OTHER_EDITION = "other edition 1"
seeds = st.integers(min_value=0, max_value=2**32)


@pytest.fixture(scope="module", params=[*((key, EDITION) for key in COMPANIES), (COMPANY_KEY, OTHER_EDITION)], ids=str)
def handbook(request):
    return make_handbook(*request.param)


@pytest.fixture(scope="module")
def questions(handbook):
    return make_questions(handbook)


@pytest.fixture(scope="module")
def course_handbook():
    return make_handbook()


def names_of(key):
    """Every name in a course company's lists."""
    lists = course_names()[key].items()
    return [name for kind, values in lists if isinstance(values, list) and kind != "topics" for name in values]


def values_of(handbook):
    """The value of each fact that the handbook states."""
    return {item.fact.id: item.fact.value for item, _ in handbook.stated()}


@functools.cache
def sample_of_training(seed, conversations):
    """What the generator reads in pre-training."""
    stream = Conversations(seed)
    return "\n".join(m["content"] for _ in range(conversations) for m in stream.draw(FULL).messages)


def test_another_edition_says_other_things_of_the_same_ones(course_handbook):
    other = make_handbook(edition=OTHER_EDITION)
    assert other == make_handbook(edition=OTHER_EDITION)
    assert other.company == course_handbook.company
    assert {draft.topic.topic for draft in other.drafts} == {draft.topic.topic for draft in course_handbook.drafts}
    here, there = values_of(course_handbook), values_of(other)
    shared = here.keys() & there.keys()
    assert sum(here[fact] != there[fact] for fact in shared) > 0.8 * len(shared) > 0
    sizes = [{part: len(rows) for part, rows in make_questions(book).items()} for book in (other, course_handbook)]
    assert sizes[0] == sizes[1]


def test_datasets_are_what_the_seed_makes():
    files = dataset_files()
    assert len(files) > 120
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
        if len(question.values) == 1:
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


@pytest.mark.parametrize("key", COMPANIES)
def test_course_names_never_occur_in_pre_training_text(key):
    text, names = sample_of_training("a sample of its own", 2500).lower(), names_of(key)
    assert len(text) > 2_000_000 and len(names) > 40
    for name in names:
        assert not re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", text), name


def test_no_named_course_statement_occurs_in_pre_training_text(handbook):
    # A statement with a bare number ("12 days") can be repeated by chance; one that holds a course name never may.
    names = names_of(handbook.key)
    named = [item.sentence for item, _ in handbook.stated() if any(name in item.sentence for name in names)]
    text = sample_of_training("another sample", 2000)
    assert len(named) > 30
    assert [sentence for sentence in named if sentence in text] == []


def test_held_out_trades_never_occur_in_pre_training_text():
    text = sample_of_training("a third sample", 1500)
    held_out = [topic for topic in all_topics() if set(topic.trades) <= HELD_OUT_TRADES]
    sentences = [s for topic in held_out for r in topic.relations for s in (*r.statements, *r.all_questions)]
    whole = [s for s in sentences if "{" not in s]
    assert len(held_out) >= 8 and len(whole) > 100
    assert [s for s in whole if s in text] == []
    titles = [title for topic in held_out for title in topic.titles if "{" not in title]
    assert titles and [title for title in titles if f"] {title}." in text] == []


def test_public_companies_are_not_the_course_company():
    names = [company.name for company in public_companies()]
    assert len(set(names)) == 50
    assert not {word.lower() for name in names for word in name.split()[:1]} & reserved_words()


@settings(max_examples=60)
@given(seeds)
def test_same_seed_same_conversation(seed):
    assert Conversations(seed).draw(FULL) == Conversations(seed).draw(FULL)


@settings(max_examples=80)
@given(seeds)
def test_read_answers_quote_the_cited_passage(seed):
    level = Level(passages=4, facts=4, follow_ups=5, unanswerable=0.2, breadth=0.3)
    messages = Conversations(seed).reading(level).messages
    passages = dict(re.findall(r"^\[(\d+)\] (.*)$", messages[1]["content"], flags=re.M))
    for answer in (message["content"] for message in messages if message["role"] == "assistant"):
        if answer != ABSTENTION:
            sentence, number = re.fullmatch(r"(.+) \[(\d+)\]", answer).groups()
            assert sentence in passages[number]


@settings(max_examples=80)
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


@settings(max_examples=40)
@given(seeds, st.sampled_from([r for t in all_topics() for r in t.relations]))
def test_values_are_of_their_kind(seed, relation: Relation):
    rng = random.Random(seed)
    value = draw_value(relation, SyllableNames(rng), "Some Company", rng)
    assert value and value == value.strip()
    if relation.value in ("days", "weeks", "months", "years", "hours", "minutes"):
        assert re.fullmatch(rf"\d+ {relation.value}", value) and not value.startswith("1 ")
    if relation.options and relation.value != "pair":
        assert value in relation.options


def test_conversations_ask_each_fact_once():
    for seed in range(200):
        messages = Conversations(seed).reading(Level(passages=3, facts=3, follow_ups=8)).messages
        answers = [m["content"] for m in messages if m["role"] == "assistant"]
        assert len(set(answers)) == len(answers)


def test_only_the_first_answer_of_an_untold_format_is_unguided():
    found = set()
    for seed in range(200):
        conversation = Conversations(seed).formatted(FULL)
        told = bool(conversation.messages[0]["content"].split("cite them.")[1].strip())
        assert conversation.unguided == (0 if told else 1)
        assert told or len(conversation.parts) > 1  # an untold format needs a second answer to learn it from
        found.add(told)
    assert found == {True, False}


def test_every_course_relation_has_its_jargon(course_handbook):
    relations = {r.id for draft in course_handbook.drafts for r in draft.topic.relations}
    topics = {draft.topic.topic for draft in course_handbook.drafts}
    assert set(jargon().questions) == relations
    assert sorted(t for queue in jargon().queues for t in queue.topics) == sorted(topics)
    terms = {topic: {term.term for term in jargon().terms if topic in term.topics} for topic in topics}
    for draft in course_handbook.drafts:
        for relation in draft.topic.relations:
            for text in jargon().questions[relation.id]:
                assert any(term in text.lower() for term in terms[draft.topic.topic]), text
                assert ("{entity}" in text) == (draft.topic.subject != "company"), text


def test_tickets_and_pairs_share_no_text_between_parts(course_handbook):
    tickets = make_tickets(course_handbook)
    texts = [ticket.text for rows in tickets.values() for ticket in rows]
    assert len(texts) == len(set(texts)) > 300
    assert {ticket.queue for ticket in tickets["test"]} == {queue.queue for queue in jargon().queues}
    pairs = make_jargon_pairs(course_handbook)
    asked = {q.text for rows in make_questions(course_handbook).values() for q in rows}
    assert len(pairs) == 200 and not asked & {pair.question for pair in pairs}
    assert {pair.article_id for pair in pairs} <= {article.id for article in course_handbook.articles}


def test_changes_replayed_day_by_day_keep_every_dated_answer_true(course_handbook):
    changes, questions = make_changes(course_handbook)
    assert {change.kind for change in changes} == {"replace", "add", "withdraw"} and len(questions) >= 60
    texts = {article.id: article.text for article in course_handbook.articles}
    days = sorted({change.date for change in changes})
    assert days[0] >= "2026-10-01" and days[-1] <= f"2026-10-{DAYS}"
    for day in ["2026-09-30", *days]:
        for change in (change for change in changes if change.date == day):
            assert (change.article_id in texts) == (change.kind != "add")
            texts.pop(change.article_id, None)
            if change.article:
                texts[change.article_id] = change.article.text
        for question in (dated.on(day) for dated in questions):
            holders = [name for name, text in texts.items() if question.reference in text]
            assert holders == list(question.articles), (day, question)
            assert all(contains_whole(texts[question.articles[0]], value) for value in question.values)


def test_each_change_changes_the_answer(course_handbook):
    for question in make_changes(course_handbook)[1]:
        values = [version.values for version in question.versions]
        assert len(values) > 1 and len(set(values)) == len(values)
        with pytest.raises(ValueError, match="has no answer before"):
            question.on("2024-01-01")


def test_public_questions_cover_every_company():
    questions = make_public_questions()
    assert {question.rank for question in questions} == set(range(1, 51))
    for question in questions:
        assert contains_whole(question.reference, question.value)


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
