"""Python's reference topics as articles, and the questions on them: each answer is there, once, in this Python."""

import json
import re
import sys
from types import SimpleNamespace

import pytest

from utils import python_reference
from utils.errors import CourseError
from utils.handbook import Article
from utils.matching import contains_whole, normalise
from utils.python_reference import evidence, load_python_questions, load_topics, paragraphs_of, read_rows
from utils.retrieval import chunk

# Releases for which the questions were checked.  Another one may word a few topics differently.
CHECKED = {(3, 11, 7), (3, 12, 1), (3, 13, 0)}
LINE = json.dumps(
    {
        "id": "a", "split": "dev", "text": "Which?", "wording": "far", "value": "ant", "topic": "bee",
        "subject": ["insect"], "absent": [],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def topics():
    return load_topics()


@pytest.fixture(scope="module")
def found(topics):
    return evidence(topics)


@pytest.fixture(scope="module")
def raw():
    return {name: " ".join(text.split()) for name, text in python_reference._raw_topics().items()}


@pytest.fixture
def given(monkeypatch):
    """A Python that has only these topics."""

    def give(**texts):
        monkeypatch.setattr(python_reference, "_raw_topics", lambda: texts)

    return give


ROWS = read_rows()
ANSWERABLE = [row for row in ROWS if row.value]
UNANSWERABLE = [row for row in ROWS if not row.value]


# The topics.


def test_the_topics_are_articles_that_can_be_cut_into_passages(topics):
    ids = [topic.id for topic in topics]
    assert len(ids) > 60 and ids == sorted(set(ids)) and topics == load_topics()
    assert {"python-assert", "python-if", "python-with"} <= set(ids)
    assert all(topic.title and chunk(topic, words=100) for topic in topics)


def test_the_topics_are_free_of_marks(topics):
    for topic in topics:
        text = f"{topic.title}\n{topic.text}"
        assert not re.search(r"^\s*([*=~-])\1{3,}\s*$|^\+-|Footnotes|\*\*PEP|\.  \[\d", text, re.MULTILINE), topic.id


def test_prose_is_joined_and_code_keeps_its_lines():
    text = """The "wait" statement
********************

Wait for *the end*  of a **PEP 999** task, which may take a very long
time.  The call "f(*args, *rest)" is a matter of what we call post-
mortem debugging.  [1]

   if a:
       wait

* One point, with words that go on until this line is much too short
  for the rest.  See "x".

>>> x *= [1] * 2

wait::

   wait_stmt ::= "wait"
                 ["for"]

-[ Footnotes ]-

[1] A note of so many words that it needs one more line before it is
    finished.
"""
    assert paragraphs_of(text) == [
        'The "wait" statement',
        'Wait for the end  of a PEP 999 task, which may take a very long time. The call "f(*args, *rest)" is a '
        "matter of what we call post-mortem debugging.",
        "if a:\n    wait",
        '- One point, with words that go on until this line is much too short for the rest. See "x".',
        ">>> x *= [1] * 2",
        "wait::",
        'wait_stmt ::= "wait"\n              ["for"]',
        "A note of so many words that it needs one more line before it is finished.",
    ]


def test_a_table_becomes_one_line_for_each_row():
    text = 'T\n***\n\n+-----+------+\n| A   | B    |\n|=====|======|\n| "|" | two  |\n|     | ends |\n+-----+------+\n'
    assert paragraphs_of(text)[-2:] == ["A | B", '"|" | two ends']


def test_what_a_longer_topic_repeats_stays_in_the_shorter_one(given):
    short = "Small\n*****\n\nFirst fact.\n\nSecond fact.\n"
    given(small=short, large=f"Large\n*****\n\nOnly here.\n\n{short}\nLast.\n\nSecond fact.\n")
    large, small = load_topics()
    assert small.text == "First fact.\nSecond fact." and large.text == "Only here.\nLast.\nSecond fact."


def test_of_two_equal_topics_the_one_in_the_title_stays(given):
    text = 'The "if" statement\n******************\n\nA fact.\n'
    given(**{"else": text, "if": text})
    assert [topic.id for topic in load_topics()] == ["python-if"]


def test_any_writing_is_read(given):
    given(odd="Überschrift 题\n***\n\nWörter \u2028 und 👩‍🔬 *Zeichen*.\r\nEnde\n")
    assert load_topics()[0].text.endswith("👩‍🔬 Zeichen.\nEnde")


@pytest.mark.parametrize("module", [None, SimpleNamespace(), SimpleNamespace(topics={}), SimpleNamespace(topics="x")])
def test_a_python_without_topics_gets_one_sentence(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", module)
    for load in (load_topics, load_python_questions):
        with pytest.raises(CourseError, match=r"has no reference topics .*: install a complete Python.*\.$"):
            load()


# The questions.


def test_enough_questions_of_each_kind():
    assert len(ANSWERABLE) >= 40 and len(UNANSWERABLE) >= 10
    assert len({row.topic for row in ANSWERABLE}) >= 30
    assert len({row.text for row in ROWS}) == len(ROWS)
    for part in ("dev", "test"):
        rows = [row for row in ROWS if row.split == part]
        assert len(rows) == len(ROWS) / 2
        counts = {name: [row.category for row in rows].count(name) for name in ("plain", "paraphrase", "unanswerable")}
        assert counts["plain"] >= 15 and counts["paraphrase"] >= 15 and counts["unanswerable"] >= 5


def test_one_sentence_of_all_topics_answers_each_question(found):
    lost = [row.id for row in ANSWERABLE if found.answer(row) is None]
    assert len(lost) <= (0 if sys.version_info[:3] in CHECKED else 3), lost


def test_no_topic_answers_an_unanswerable_question(raw):
    for row in UNANSWERABLE:
        assert row.absent and not row.subject
        for phrase in row.absent:
            assert not [name for name, text in raw.items() if phrase.casefold() in text.casefold()], phrase


def test_values_are_short_and_distinctive(found):
    for row in ANSWERABLE:
        value = normalise(row.value)
        holding = [text for _, text, normal in found.sentences if value in normal and contains_whole(text, row.value)]
        assert len(row.value.split()) <= 4 and len(holding) < 0.02 * len(found.sentences), row.id
        assert not contains_whole(row.text, row.value), row.id


def test_nothing_long_is_copied_from_a_topic(raw):
    words_of = re.compile(r"\w+")
    topics = [f" {' '.join(words_of.findall(text.casefold()))} " for text in raw.values()]
    for row in ROWS:
        for text in (row.text, *row.subject):
            words = words_of.findall(text.casefold())
            runs = (f" {' '.join(words[at : at + 8])} " for at in range(len(words) - 7))
            assert not [run for run in runs if any(run in topic for topic in topics)], row.id


def test_the_parts_become_questions_of_the_course(topics):
    dev, test = load_python_questions("dev"), load_python_questions("test")
    ids = [question.id for question in dev + test]
    assert len(set(ids)) == len(ids) >= len(ROWS) - 3
    assert {question.id for question in load_python_questions()} == set(ids)
    texts = {topic.id: topic.text for topic in topics}
    for question in dev + test:
        assert question.answerable == (question.category != "unanswerable")
        if question.answerable:
            (article,), (value,) = question.articles, question.values
            assert question.reference in texts[article] and contains_whole(question.reference, value)


BEE = "Bees\n****\n\nAn insect is an ant.\n"


@pytest.mark.parametrize(
    ("texts", "answers"),
    [
        ({"bee": BEE}, ["An insect is an ant."]),
        ({"bee": BEE.replace("an ant", "a bee")}, []),  # another value
        ({"bee": BEE.replace("insect", "animal")}, []),  # another subject
        ({"wasp": BEE}, []),  # another topic
        ({"bee": BEE, "wasp": "Wasps\n*****\n\nAn insect is a wasp.\n"}, []),  # contradicted elsewhere
        ({"bee": BEE.replace("is", "in.\n\nThere is")}, []),  # in two sentences
    ],
)
def test_a_question_whose_answer_this_python_words_differently_is_left_out(tmp_path, given, texts, answers):
    (tmp_path / "q.jsonl").write_text(LINE, encoding="utf-8")
    given(**texts)
    assert [question.reference for question in load_python_questions(path=tmp_path / "q.jsonl")] == answers


def refusal(path, content):
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(CourseError) as caught:
        read_rows(str(path))
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and str(path) in sentence
    return sentence


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read"),
        ("\n", "is empty"),
        (LINE + "\n\n" + LINE.replace('"value": "ant", ', ""), r"^Line 3 of .* is broken \(value: Field required"),
        (f"{LINE}\n[1", r"^Line 2 of .* is broken \(Invalid JSON"),
        (LINE.replace("dev", "train"), r"^Line 1 of .* is broken \(split: Input should be 'dev' or 'test'"),
        (LINE.replace('"bee"', '""'), "^Line 1 of .* has a value or a topic, but not both"),
        (f"{LINE}\n{LINE}", "^Line 2 of .* repeats the id 'a'"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, content, reason):
    assert re.search(reason, refusal(tmp_path / "q.jsonl", content))


def test_an_unknown_part_is_refused():
    with pytest.raises(CourseError, match="no part 'train' .*: ask for 'dev' or 'test'"):
        load_python_questions("train")


def test_evidence_knows_whole_words_only():
    article = Article("a", "T", "", "public", "", "The pantry is full. An ant is here.")
    assert evidence([article]).about(["ant"]) == [("a", "An ant is here.")]
