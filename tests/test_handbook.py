"""Bad input to the handbook's loaders gets one clear sentence."""

import shutil

import pytest

from utils.datasets import (
    load_articles,
    load_changes,
    load_dated_questions,
    load_examples,
    load_jargon_pairs,
    load_public_questions,
    load_questions,
    load_tickets,
)
from utils.errors import CourseError
from utils.handbook import articles_by_id
from utils.paths import DATASETS

FRONT = '---\nid: "a"\ntitle: "T"\nsection: "S"\naudience: "public"\nvalid_from: "2026-01-01"\n---\n\n'


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


def test_an_edited_question_is_refused(tmp_path):
    folder = shutil.copytree(DATASETS / "questions", tmp_path / "questions")
    path = folder / "test.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace("?", "??", 1), encoding="utf-8")
    with pytest.raises(CourseError, match=r"test\.jsonl was changed.*make datasets"):
        load_questions("test", folder)
    assert load_questions("dev", folder)


def test_missing_folder(tmp_path):
    with pytest.raises(CourseError, match=r"nowhere is missing.*make datasets"):
        load_articles(tmp_path / "nowhere")


def test_empty_folder(tmp_path):
    with pytest.raises(CourseError, match=r"holds no \.md file.*make datasets"):
        load_articles(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"no front matter", b"---\nid: a\n---\n\ntext", FRONT.encode(), b"\xff\xfe\x00---"]
)
def test_broken_article_is_named(tmp_path, content):
    (tmp_path / "broken.md").write_bytes(content)
    with pytest.raises(CourseError, match=r"broken\.md.*make datasets") as caught:
        load_articles(tmp_path)
    assert "\n" not in str(caught.value)


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
