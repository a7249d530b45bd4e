"""What is stored of other editions of the handbook, and how it is written."""

import json
from dataclasses import asdict

import pytest

from utils.authoring import editions
from utils.authoring.editions import EDITIONS, FILE, EditionResult, write_editions


def test_the_stored_editions_are_complete_and_agree_with_themselves():
    results = [EditionResult(**row) for row in json.loads(FILE.read_text(encoding="utf-8"))]
    assert [one.edition for one in results] == list(EDITIONS)
    for one in results:
        assert one.questions == 210 and 0 < one.hybrid < 1 and 0 < one.template < 1
        assert one.difference == pytest.approx(one.template - one.hybrid, abs=2e-4)
        assert one.low <= one.difference <= one.high


def test_the_file_is_written_after_each_edition(tmp_path, monkeypatch):
    measured = [EditionResult(n, 210, 0.7, 0.6, 0.1, 0.04321, 0.16) for n in range(3)]
    monkeypatch.setattr(editions, "measure_editions", lambda: iter(measured))
    path = tmp_path / "editions.json"
    for count, result in enumerate(write_editions(path), start=1):
        assert result == measured[count - 1]
        assert len(json.loads(path.read_text())) == count
    assert json.loads(path.read_text())[2] == asdict(measured[2]) | {"low": 0.0432}


def test_another_edition_is_another_handbook_of_the_same_things():
    from utils.authoring.world.handbooks import make_handbook, other_edition
    from utils.authoring.world.questions import make_questions

    own, other = make_handbook(), other_edition(0)
    assert len(other.articles) == len(own.articles) and other.articles != own.articles
    asked = {question.text for question in make_questions(own)["test"]}
    assert len(asked & {question.text for question in make_questions(other)["test"]}) < len(asked) / 2
