"""Stored answers: found by conversation, asked again in part, and never invented."""

import pytest

from utils.datasets import load_articles
from utils.errors import CourseError
from utils.handbook import COMPANY
from utils.prompts import build_messages
from utils.stored_answers import STORE, StoredAnswers


class Parrot:
    """Answers with the question and a mark, and counts what it is asked."""

    def __init__(self, mark="!"):
        self.mark, self.asked = mark, []

    def complete(self, conversations, batch_tokens=0, progress=False, grammar=None):
        self.grammar = grammar
        self.asked += [messages[-1]["content"] for messages in conversations]
        return [messages[-1]["content"] + self.mark for messages in conversations]


def ask(*texts):
    return [[{"role": "user", "content": text}] for text in texts]


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A file with the answers to a, b and c."""
    monkeypatch.setenv(STORE, "1")
    path = tmp_path / "answers.jsonl"
    StoredAnswers(path).of("parrot", Parrot()).complete(ask("a", "b", "c"))
    monkeypatch.delenv(STORE)
    return path


def test_without_the_model_answers_are_those_of_the_stored_run(path):
    assert StoredAnswers(path).of("parrot").complete(ask("c", "a")) == ["c!", "a!"]


def test_a_part_is_asked_again_and_compared(path):
    parrot = Parrot("?")
    model = StoredAnswers(path).of("parrot", parrot, again=2)
    assert model.complete(ask("a", "b", "c")) == ["a!", "b!", "c!"]
    assert parrot.asked == ["a", "b"] and (model.asked, model.same) == (2, 0)
    model = StoredAnswers(path).of("parrot", Parrot(), again=2)
    model.complete(ask("a", "b", "c"))
    assert (model.asked, model.same) == (2, 2)


def test_what_is_not_stored_is_asked_and_not_counted(path):
    parrot = Parrot()
    model = StoredAnswers(path).of("parrot", parrot)
    assert model.complete(ask("a", "new")) == ["a!", "new!"]
    assert parrot.asked == ["new"] and model.asked == 0


def test_it_is_known_beforehand_what_can_be_answered(path):
    stored, here = StoredAnswers(path).of("parrot"), StoredAnswers(path).of("parrot", Parrot())
    assert [stored.can_answer(one) for one in ask("a", "new")] == [True, False]
    assert [here.can_answer(one) for one in ask("a", "new")] == [True, True]


@pytest.mark.parametrize(("name", "text"), [("parrot", "new"), ("another", "a")])
def test_without_the_model_nothing_is_invented(path, name, text):
    with pytest.raises(CourseError, match=rf"^1 of 1 answers of {name} are not stored.*`make smollm2`"):
        StoredAnswers(path).of(name).complete(ask(text))


def test_another_prompt_finds_no_answer(path):
    changed = [[{"role": "system", "content": "Be brief."}, *messages] for messages in ask("a")]
    with pytest.raises(CourseError, match="not stored"):
        StoredAnswers(path).of("parrot").complete(changed)


def test_other_orders_for_the_model_find_no_answer(path, monkeypatch):
    """The model reads more than the messages: its orders spelled out, and a reminder behind the question."""
    monkeypatch.setenv(STORE, "1")
    conversation = build_messages("Who?", COMPANY, load_articles()[:1])
    StoredAnswers(path).of("parrot", Parrot()).complete([conversation])
    monkeypatch.delenv(STORE)
    assert StoredAnswers(path).of("parrot").complete([conversation])
    monkeypatch.setattr("utils.prompts.REMINDER", "Be brief.")
    with pytest.raises(CourseError, match="not stored"):
        StoredAnswers(path).of("parrot").complete([conversation])


def test_any_letter_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(STORE, "1")
    said = "a\u2028b\x85c\ud800"
    StoredAnswers(tmp_path / "answers.jsonl").of("parrot", Parrot()).complete(ask(said))
    monkeypatch.delenv(STORE)
    assert StoredAnswers(tmp_path / "answers.jsonl").of("parrot").complete(ask(said)) == [said + "!"]


def test_a_run_that_was_interrupted_goes_on(path, monkeypatch):
    before = path.read_text(encoding="utf-8").splitlines()
    monkeypatch.setenv(STORE, "1")
    parrot = Parrot()
    assert StoredAnswers(path).of("parrot", parrot, again=2).complete(ask("a", "d")) == ["a!", "d!"]
    assert parrot.asked == ["d"]
    after = path.read_text(encoding="utf-8").splitlines()
    assert len(after) == 4 and set(before) < set(after)


def test_a_grammar_reaches_the_model(path):
    parrot, grammar = Parrot(), list
    StoredAnswers(path).of("parrot", parrot).complete(ask("new"), grammar=grammar)
    assert parrot.grammar is grammar


def test_under_another_name_it_answers_anew_and_is_made_once(path):
    made = []

    def make():
        made.append(Parrot("?"))
        return made[-1]

    plain = StoredAnswers(path).of("parrot", make)
    strict = StoredAnswers(path).of("parrot, grammar", plain)
    assert plain.complete(ask("a")) == ["a!"]
    assert strict.complete(ask("a"), grammar=list) == ["a?"] and made[0].grammar is list
    assert plain.complete(ask("new")) == ["new?"] and len(made) == 1


def test_a_model_is_made_only_for_what_is_not_stored(path):
    made = []

    def make():
        made.append(Parrot("?"))
        return made[-1]

    model = StoredAnswers(path).of("parrot", make)
    assert model.complete(ask("a", "b")) == ["a!", "b!"] and not made
    assert model.complete(ask("a", "new")) == ["a!", "new?"]
    assert model.complete(ask("newer")) == ["newer?"] and len(made) == 1


@pytest.mark.parametrize("line", ["no json", "[]", '{"model": "parrot"}'])
def test_a_broken_line_is_numbered(path, line):
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(CourseError, match=r"^Line 4 of .* is no stored answer"):
        StoredAnswers(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        StoredAnswers(tmp_path / "none.jsonl")
