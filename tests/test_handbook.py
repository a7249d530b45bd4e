"""Bad input to the handbook's loaders gets one clear sentence."""

import json
import re
import shutil

import pytest

from utils import datasets
from utils.datasets import (
    load_articles,
    load_changes,
    load_dated_questions,
    load_examples,
    load_jargon_pairs,
    load_kinds,
    load_public_questions,
    load_questions,
    load_taught_facts,
    load_tickets,
)
from utils.errors import CourseError
from utils.handbook import articles_by_id
from utils.paths import DATASETS

FRONT = '---\nid: "a"\ntitle: "T"\nsection: "S"\naudience: "public"\nvalid_from: "2026-01-01"\n---\n\n'
LINE = json.dumps(
    {
        "id": "q1", "text": "When?", "category": "plain", "values": ["at 9"], "articles": ["a"], "relations": ["r"],
        "reference": "At 9.", "audience": "public",
    }
)  # fmt: skip


def test_the_shipped_handbook_loads():
    articles = load_articles()
    ids = {article.id for article in articles}
    assert len(ids) == len(articles) > 40
    for part in ("dev", "test"):
        for question in load_questions(part):
            assert set(question.articles) <= ids
    assert all(set(example.articles) <= ids for example in load_examples())


def test_the_other_sets_load():
    ids = {article.id for article in load_articles()}
    assert all(change.article_id in ids or change.kind == "add" for change in load_changes())
    assert load_dated_questions()[0].on("2026-10-31").category == "changed"
    assert len(load_public_questions()) == 200
    assert {pair.article_id for pair in load_jargon_pairs()} <= ids
    assert all(load_tickets(part) for part in ("train", "dev", "test"))


def test_examples_say_which_value_their_sentence_holds():
    kinds = set(load_kinds().values())
    for example in load_examples():
        if example.source is None:
            assert example.value is None and example.kind is None
        else:
            assert example.value.lower() in example.sentence.lower() and example.kind in kinds


def test_facts_to_teach_are_none_that_is_tested():
    facts, articles = load_taught_facts(), {article.id: article for article in load_articles()}
    tested = [question for part in ("dev", "test") for question in load_questions(part)]
    texts, relations = {q.text for q in tested}, {relation for q in tested for relation in q.relations}
    assert len(facts) == 40 and len({fact.id for fact in facts}) == 40
    for fact in facts:
        asked = [*fact.taught, *fact.other]
        assert len(set(asked)) == 6 and not set(asked) & texts and fact.relation not in relations
        assert fact.value in fact.sentence and fact.sentence in articles[fact.article_id].text
        assert fact.later_value != fact.value and fact.later_value in fact.later_sentence
        assert load_kinds()[fact.relation] == fact.kind


def test_kinds_that_cannot_be_read_are_named(tmp_path):
    for text in ("", "[]", '{"a": 1}'):
        (tmp_path / "kinds.json").write_text(text)
        assert "kinds.json" in refusal(load_kinds, tmp_path / "kinds.json")
    assert "missing" in refusal(load_kinds, tmp_path / "none.json")


@pytest.fixture
def course_data(tmp_path, monkeypatch):
    """A copy of the frozen questions that counts as the course's own data."""
    monkeypatch.setattr(datasets, "DATASETS", tmp_path)
    shutil.copytree(DATASETS / "capstone" / "questions", tmp_path / "capstone" / "questions")
    return shutil.copytree(DATASETS / "questions", tmp_path / "questions")


def edit(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def refusal(load, *arguments):
    with pytest.raises(CourseError) as caught:
        load(*arguments)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_the_frozen_questions_load_by_path_and_by_text(course_data):
    assert load_questions("dev") == load_questions("dev", course_data) == load_questions("dev", str(course_data))


def test_an_edited_question_is_refused(course_data):
    edit(course_data / "test.jsonl", "?", "??")
    assert re.search(r"test\.jsonl was changed.*make datasets", refusal(load_questions, "test"))
    assert load_questions("dev")


@pytest.mark.parametrize("content", [None, "", "no checksums", "abc  dev.jsonl", b"\xff\xfe"])
@pytest.mark.parametrize("folder", ["questions", "capstone/questions"])
def test_without_its_checksums_a_frozen_question_is_not_read(course_data, folder, content):
    sums = course_data.parent / folder / "SHA256SUMS"
    sums.unlink()
    if content is not None:
        sums.write_bytes(content if isinstance(content, bytes) else content.encode())
    sentence = refusal(load_questions, "dev", course_data.parent / folder)
    assert str(sums) in sentence and sentence.endswith("run `make datasets` to make it again.")


@pytest.mark.parametrize("load", [load_dated_questions, load_public_questions])
def test_a_file_without_a_checksum_of_its_own_is_not_read(course_data, load):
    sums = course_data / "SHA256SUMS"
    sums.write_text("".join(sums.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    assert load_questions("dev")
    assert re.search(r"SHA256SUMS is missing or has no line for .*\.jsonl: .*make datasets", refusal(load))


def test_a_learner_s_own_questions_need_no_checksums(tmp_path):
    (tmp_path / "dev.jsonl").write_text(LINE, encoding="utf-8")
    assert [question.id for question in load_questions("dev", str(tmp_path))] == ["q1"]
    (tmp_path / "SHA256SUMS").write_text("# my notes\n", encoding="utf-8")
    sentence = refusal(load_questions, "dev", tmp_path)
    assert sentence.startswith(f"Line 1 of {tmp_path / 'SHA256SUMS'} is not a checksum and a file name: ")
    assert "make datasets" not in sentence


def test_a_mark_at_the_start_and_blank_lines_at_the_end_of_questions_do_no_harm(tmp_path):
    (tmp_path / "dev.jsonl").write_text(f"\ufeff{LINE}\r\n{LINE.replace('q1', 'q2')}\n\n  \n", encoding="utf-8")
    assert [question.id for question in load_questions("dev", tmp_path)] == ["q1", "q2"]


def test_a_repeated_question_id_is_named_with_both_lines(tmp_path):
    path = tmp_path / "dev.jsonl"
    path.write_text(f"{LINE}\n{LINE.replace('q1', 'q2')}\n\n{LINE}\n", encoding="utf-8")
    sentence = refusal(load_questions, "dev", tmp_path)
    assert sentence == f"Lines 1 and 4 of {path} share the id 'q1': give each its own."


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": ', "Invalid JSON"),
        (LINE.replace('"values"', '"value"'), "values: Field required"),
        (LINE.replace('"q1"', '["q1"]'), "id: Input should be a valid string"),
        (LINE.replace('"public"', '"manager"'), "audience: Input should be 'public', 'staff' or 'managers'"),
    ],
)
def test_a_broken_line_is_named_with_its_number_and_the_reason(tmp_path, line, reason):
    path = tmp_path / "dev.jsonl"
    path.write_text(f"{LINE}\n\n{line}\n", encoding="utf-8")
    sentence = refusal(load_questions, "dev", tmp_path)
    assert sentence.startswith(f"Line 3 of {path} is broken ({reason}") and sentence.endswith("): fix that line.")


def test_missing_folder(tmp_path):
    with pytest.raises(CourseError, match=r"nowhere is missing: check its path"):
        load_articles(tmp_path / "nowhere")


def test_empty_folder(tmp_path):
    with pytest.raises(CourseError, match=r"has no \.md file"):
        load_articles(str(tmp_path))


@pytest.mark.parametrize(
    "content", [b"", b"no front matter", b"---\nid: a\n---\n\ntext", FRONT.encode(), b"\xff\xfe\x00---"]
)
def test_broken_article_is_named(tmp_path, content):
    (tmp_path / "broken.md").write_bytes(content)
    assert "broken.md" in refusal(load_articles, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"a"', "[a, b]", "The id of {path} is a list or has fields of its own: write one value."),
        (
            '"public"',
            "manager",
            "The audience of {path} is 'manager' (did you mean 'managers'?): write one of public, staff, managers.",
        ),
    ],
)
def test_a_wrong_field_of_an_article_is_named(tmp_path, old, new, reason):
    (tmp_path / "broken.md").write_text(FRONT.replace(old, new) + "Text.\n", encoding="utf-8")
    assert refusal(load_articles, tmp_path) == reason.format(path=tmp_path / "broken.md")


def test_a_number_as_an_id_is_text(tmp_path):
    (tmp_path / "a.md").write_text(FRONT.replace('"a"', "012") + "Text.\n", encoding="utf-8")
    assert load_articles(tmp_path)[0].id == "012"


def test_the_course_s_own_data_can_be_made_again(course_data):
    handbook = course_data.parent / "handbook"
    assert refusal(load_articles) == f"The handbook folder {handbook} is missing: run `make datasets` to make it again."
    assert "make datasets" in refusal(load_changes)


def test_repeated_id(tmp_path):
    for name in ("one.md", "two.md"):
        (tmp_path / name).write_text(FRONT + "Text.\n", encoding="utf-8")
    with pytest.raises(CourseError, match="share the id 'a'"):
        load_articles(tmp_path)


def test_unknown_id():
    with pytest.raises(CourseError, match="no article with the id 'nonsense'"):
        articles_by_id(load_articles(), ["nonsense"])


@pytest.mark.parametrize(
    ("content", "message"), [(None, "is missing"), ("", "is empty"), ("{}\n", "Line 1"), ("[1]\n", "Line 1")]
)
def test_broken_questions(tmp_path, content, message):
    if content is not None:
        (tmp_path / "test.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(CourseError, match=message):
        load_questions("test", tmp_path)
