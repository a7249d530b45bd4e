"""Quiz questions, cards, plain answers, and predictions held to the evidence."""

import copy
import re

import pytest
import yaml

from utils.errors import CourseError
from utils.ledger import Ledger
from utils.paths import DATASETS
from utils.quiz import QuizSession, open_quiz
from utils.quiz.cards import as_markdown
from utils.quiz.progress import Progress
from utils.quiz.questions import CONFIDENCES, Decision, Prediction, Quiz, load_quiz

SHIPPED = sorted(path.stem for path in (DATASETS / "quizzes").glob("*.yaml"))
VIEW = "application/vnd.jupyter.widget-view+json"

SMALL = {
    "quiz": "02",
    "title": "A small quiz",
    "questions": [
        {
            "id": "pick",
            "kind": "decision",
            "title": "Decide",
            "text": "Is <b>5 < 6</b> & true?",
            "evidence": {"notebook": "02", "section": "The proof"},
            "options": [
                {"text": "No", "feedback": "Count <again>."},
                {"text": "Yes", "feedback": "Six follows five.", "right": True},
            ],
        },
        {
            "id": "bet",
            "kind": "prediction",
            "title": "Your bet",
            "text": "How far apart?",
            "grades_with": "rag.correct",
            "minus": "base.correct",
            "measured_in": "02",
            "options": [
                {"text": "Close", "feedback": "Both read.", "high": 0.2},
                {"text": "Far", "feedback": "Only one reads.", "low": 0.2},
            ],
        },
        {
            "id": "winner",
            "kind": "prediction",
            "title": "Who wins",
            "text": "Which arm?",
            "measured_in": "09",
            "options": [
                {"text": "RAG", "feedback": "Facts count.", "key": "rag.correct"},
                {"text": "Base", "feedback": "Form counts.", "key": "base.correct"},
            ],
        },
        {
            "id": "later",
            "kind": "prediction",
            "title": "Later",
            "text": "What then?",
            "measured_in": "08",
            "options": [{"text": "One", "feedback": "It is one."}, {"text": "Two", "feedback": "It is two."}],
        },
    ],
}


@pytest.fixture
def progress(tmp_path):
    return Progress.load(tmp_path / "progress.json")


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "ledger.json")


@pytest.fixture
def session(progress):
    return QuizSession(Quiz.model_validate(SMALL), progress)


def broken(change):
    """A copy of SMALL with `change` applied to its questions."""
    data = copy.deepcopy(SMALL)
    change(data["questions"])
    return data


def load_from(tmp_path, data):
    text = data if isinstance(data, str) else yaml.safe_dump(data)
    (tmp_path / "02.yaml").write_text(text, encoding="utf-8")
    return load_quiz("02", tmp_path)


# The shipped quizzes


def test_the_first_four_quizzes_are_there():
    assert {"00", "02", "06", "09"} <= set(SHIPPED)
    claims = [question for question in load_quiz("00").questions if isinstance(question, Prediction)]
    assert [question.title[:8] for question in claims] == [f"Claim {number}:" for number in range(1, 9)]


@pytest.mark.parametrize("number", SHIPPED)
def test_a_shipped_quiz_has_a_prediction_and_decisions(number):
    questions = load_quiz(number).questions
    assert any(isinstance(question, Prediction) for question in questions)
    assert any(isinstance(question, Decision) for question in questions)
    for question in questions:
        lengths = [len(option.text) for option in question.options]
        assert max(lengths) <= 2 * min(lengths), f"{question.id}: option lengths give the answer away"
        assert all(option.feedback.endswith((".", "?")) for option in question.options)


def test_right_options_are_spread_over_positions_and_lengths():
    decisions = [q for number in SHIPPED for q in load_quiz(number).questions if isinstance(q, Decision)]
    right = [[option.right for option in question.options].index(True) for question in decisions]
    longest = sum(
        len(question.options[place].text) == max(len(option.text) for option in question.options)
        for question, place in zip(decisions, right, strict=True)
    )
    assert set(right) == {0, 1, 2, 3}
    assert max(right.count(place) for place in set(right)) <= len(right) / 2
    assert longest <= len(decisions) / 2


# Files that break a rule


RULES = {
    "no right option": (lambda q: q[0]["options"][1].pop("right"), "'pick'", "exactly one option", "0 have it"),
    "two right options": (lambda q: q[0]["options"][0].update(right=True), "'pick'", "exactly one option", "2 have it"),
    "no feedback": (lambda q: q[0]["options"][0].pop("feedback"), "'pick'", "options a, feedback", "required"),
    "empty feedback": (lambda q: q[0]["options"][1].update(feedback=""), "'pick'", "options b, feedback", "1 char"),
    "same texts": (lambda q: q[0]["options"][0].update(text=" yes"), "'pick'", "two options have the same text"),
    "all of the above": (lambda q: q[0]["options"][0].update(text="All of the above"), "'pick'", "stand by itself"),
    "one option": (lambda q: q[0]["options"].pop(0), "'pick'", "options", "at least 2"),
    "no evidence": (lambda q: q[0].pop("evidence"), "'pick'", "evidence", "required"),
    "YAML's yes": (lambda q: q[0]["options"][1].update(text=True), "'pick'", "options b, text", "string"),
    "unknown field": (lambda q: q[0].update(hints="none"), "'pick'", "hints", "not permitted"),
    "unknown kind": (lambda q: q[0].update(kind="essay"), "'pick'", "kind"),
    "bad id": (lambda q: q[0].update(id="Pick one"), "'Pick one'", "id"),
    "no id": (lambda q: q[0].pop("id"), "number 1", "id", "required"),
    "same id twice": (lambda q: q[1].update(id="pick"), "'pick' stands there twice"),
    "gap in bounds": (lambda q: q[1]["options"][1].update(low=0.3), "'bet'", "without gap or overlap"),
    "overlap in bounds": (lambda q: q[1]["options"][1].update(low=0.1), "'bet'", "without gap or overlap"),
    "closed end": (lambda q: q[1]["options"][1].update(high=0.9), "'bet'", "open at both ends"),
    "bounds without a value": (lambda q: (q[1].pop("grades_with"), q[1].pop("minus")), "'bet'", "`grades_with`"),
    "minus alone": (lambda q: q[1].pop("grades_with"), "'bet'", "`minus` needs"),
    "bad key": (lambda q: q[1].update(grades_with="RAG correct"), "'bet'", "grades_with"),
    "a key missing": (lambda q: q[2]["options"][0].pop("key"), "'winner'", "`key` of its own"),
    "keys and a value": (lambda q: q[2].update(grades_with="rag.correct"), "'winner'", "not both"),
    "NaN bound": (lambda q: q[1]["options"][0].update(high=float("nan")), "'bet'", "options a, high", "finite"),
}  # fmt: skip


@pytest.mark.parametrize("change, parts", [(rule[0], rule[1:]) for rule in RULES.values()], ids=RULES)
def test_a_broken_rule_is_named_with_file_and_question(tmp_path, change, parts):
    with pytest.raises(CourseError) as caught:
        load_from(tmp_path, broken(change))
    message = str(caught.value)
    assert message.startswith("02.yaml: ")
    assert all(part in message for part in parts), message
    assert "\n" not in message


NOT_QUIZZES = [
    "",
    "[]",
    "7",
    "quiz: [",
    "\t- x: y",
    "quiz: '02'",
    "{quiz: '02', title: t, questions: [3]}",
    "a: &a [*a]",
]


@pytest.mark.parametrize("text", NOT_QUIZZES)
def test_a_file_that_is_no_quiz_gets_a_sentence(tmp_path, text):
    with pytest.raises(CourseError, match=r"^02\.yaml: .*\.$"):
        load_from(tmp_path, text)


def test_a_missing_undecodable_or_misnamed_file_gets_a_sentence(tmp_path):
    with pytest.raises(CourseError, match="no quiz file"):
        load_quiz("02", tmp_path)
    (tmp_path / "02.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="cannot be read"):
        load_quiz("02", tmp_path)
    (tmp_path / "03.yaml").write_text(yaml.safe_dump(SMALL))
    with pytest.raises(CourseError, match='"02", but its name asks for "03"'):
        load_quiz("03", tmp_path)


def test_a_good_file_loads(tmp_path):
    assert load_from(tmp_path, SMALL) == Quiz.model_validate(SMALL)


# Plain answers


def test_feedback_in_plain_text(session, capsys):
    session.answer("pick", "a")
    assert capsys.readouterr().out == 'Not quite. Count <again>. Evidence: notebook 02, "The proof".\n'
    session.answer("pick", "b")
    assert capsys.readouterr().out == 'Right. Six follows five. Evidence: notebook 02, "The proof".\n'
    session.answer("bet", "b", "certain")
    expected = 'Recorded. You expect "Far" (certain). Only one reads. Notebook 02 measures it.\n'
    assert capsys.readouterr().out == expected
    session.answer("later", "a")
    assert "It is measured in a later notebook, 08." in capsys.readouterr().out


def test_an_answer_is_remembered_with_what_came_before(session, progress):
    for letter in "abba":
        session.answer("pick", letter)
    session.answer("bet", "b", "guess")
    pick, bet = progress.answers().values()
    assert (pick.option, pick.right, pick.earlier) == ("a", False, ("a", "b"))
    assert (bet.option, bet.right, bet.confidence) == ("b", None, "guess")


def test_an_answer_to_another_wording_does_not_count(session, progress):
    session.answer("pick", "b")
    reworded = Quiz.model_validate(broken(lambda questions: questions[0].update(text="Is 7 < 6?")))
    assert "(your answer)" not in QuizSession(reworded, progress).card("pick").option_buttons[1].description
    assert "(your answer)" in session.card("pick").option_buttons[1].description


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (("nope", "a"), ["'nope'", "pick, bet, winner, later"]),
        (("pick", "c"), ["'c'", "a, b"]),
        (("pick", ""), ["''", "a, b"]),
        (("pick", "ab"), ["'ab'", "a, b"]),
        (("pick", 1), ["1", "a, b"]),
        (("bet", "a", "sure"), ["'sure'", "guess, fairly sure, certain"]),
    ],
)
def test_an_unknown_question_option_or_confidence_is_refused(session, progress, arguments, parts):
    with pytest.raises(CourseError) as caught:
        session.answer(*arguments)
    assert all(part in str(caught.value) for part in parts)
    assert progress.answers() == {}


# Cards


def test_pressing_an_option_records_and_tells_why(session, progress):
    card = session.card("pick")
    assert card.feedback.value == ""
    card.option_buttons[0].click()
    assert "<strong>Not quite.</strong> Count &lt;again&gt;." in card.feedback.value
    assert [button.description for button in card.option_buttons] == ["No (your answer)", "Yes"]
    card.option_buttons[1].click()
    assert "<strong>Right.</strong> Six follows five." in card.feedback.value
    assert [button.description for button in card.option_buttons] == ["No", "Yes (your answer)"]
    assert [(answer.option, answer.right) for answer in progress.answers().values()] == [("b", True)]
    assert card.confidence_buttons == []


def test_a_prediction_takes_answer_and_confidence_in_either_order(session, progress):
    card = session.card("bet")
    assert [button.description for button in card.confidence_buttons] == list(CONFIDENCES)
    card.confidence_buttons[1].click()
    assert "Now choose an answer." in card.feedback.value and progress.answers() == {}
    card.option_buttons[0].click()
    card.confidence_buttons[2].click()
    (answer,) = progress.answers().values()
    assert (answer.option, answer.confidence, answer.earlier) == ("a", "certain", ())
    assert card.confidence_buttons[2].description == "certain (yours)"
    assert card.feedback.value.count("Recorded.") == 1


def test_a_card_restores_the_earlier_answer(session, progress):
    session.answer("bet", "b", "guess")
    card = QuizSession(Quiz.model_validate(SMALL), progress).card("bet")
    assert card.option_buttons[1].description == "Far (your answer)"
    assert card.confidence_buttons[0].description == "guess (yours)"
    assert "Recorded." in card.feedback.value and "(guess)" in card.feedback.value


def test_a_stored_answer_that_makes_no_sense_is_passed_over(session, progress):
    question = session._quiz.find("bet")
    for option in ("z", "", "ab"):
        progress.record_answer(session._quiz.key(question), option)
        assert session.card("bet").feedback.value == ""


def test_text_is_escaped(session):
    html = "".join(child.value for child in session.card("pick").children if hasattr(child, "value"))
    assert "Is &lt;b&gt;5 &lt; 6&lt;/b&gt; &amp; true?" in html and "<b>" not in html
    assert "\\*" in as_markdown(Quiz.model_validate(broken(lambda q: q[0].update(text="*x*"))).questions[0])


def test_cards_use_buttons_alone(session):
    """Radio buttons, menus and sliders want keys that JupyterLab keeps for itself."""
    kinds = {type(child).__name__ for id in ("pick", "bet") for child in session.card(id).children}
    assert kinds == {"HTML", "Button", "HBox"}


def test_the_text_form_is_fixed_and_holds_no_widget_id(session):
    first, second = (session.card("bet")._repr_mimebundle_() for _ in range(2))
    assert first["text/plain"] == "Quiz 02, question bet"
    ids = [bundle.pop(VIEW)["model_id"] for bundle in (first, second)]
    assert ids[0] != ids[1] and first == second
    whole = session._repr_mimebundle_()
    assert whole["text/plain"] == repr(session) == "Quiz 02: 4 questions"
    assert VIEW in whole and "quiz.answer(" in whole["text/markdown"]
    assert not re.search(r"[0-9a-f]{32}", whole["text/plain"] + whole["text/markdown"])


def test_show_displays_the_named_cards_or_all(session, monkeypatch):
    shown = []
    monkeypatch.setattr("utils.quiz.session.display", lambda card: shown.append(repr(card)))
    session.show("bet", "pick")
    assert shown == ["Quiz 02, question bet", "Quiz 02, question pick"]
    session.show()
    assert len(shown) == 6
    with pytest.raises(CourseError):
        session.show("nope")


# Predictions against measurements


def graded(session, ledger, capsys, *ids):
    capsys.readouterr()
    session.grade_predictions(ledger, *ids)
    return capsys.readouterr().out


def test_a_prediction_is_held_to_the_measured_difference(session, ledger, capsys):
    session.answer("bet", "a", "certain")
    assert "Not measured yet: notebook 02 does that." in graded(session, ledger, capsys, "bet")
    ledger.record("rag.correct", 0.9, 0.85, 0.95)
    assert "Not measured yet" in graded(session, ledger, capsys, "bet")
    ledger.record("base.correct", 0.1)
    assert graded(session, ledger, capsys, "bet") == (
        'Your bet\n  Not quite. You said "Close" (certain). You measured rag.correct 90% (85% to 95%), '
        'base.correct 10%, a difference of +80 points, which fits "Far". Only one reads.\n'
    )
    session.answer("bet", "b")
    assert "  Right. You said" in graded(session, ledger, capsys, "bet")


@pytest.mark.parametrize("rag, base, held", [(0.9, 0.7, "b"), (0.3, 0.1, "b"), (0.29, 0.1, "a"), (0.1, 0.9, "a")])
def test_bounds_include_low_and_exclude_high(session, ledger, capsys, rag, base, held):
    ledger.record("rag.correct", rag)
    ledger.record("base.correct", base)
    for letter in "ab":
        session.answer("bet", letter)
        assert ("Right." in graded(session, ledger, capsys, "bet")) == (letter == held)


def test_the_highest_of_several_measurements_wins_and_ties_share(session, ledger, capsys):
    ledger.record("rag.correct", 0.9)
    ledger.record("base.correct", 0.1)
    session.answer("winner", "b")
    assert 'which fits "RAG". Facts count.' in graded(session, ledger, capsys, "winner")
    ledger.record("base.correct", 0.9)
    assert "Right." in graded(session, ledger, capsys, "winner")


def test_without_a_prediction_or_a_measurement_it_says_so(session, ledger, capsys):
    ledger.record("rag.correct", 0.9)
    ledger.record("base.correct", 0.1)
    lines = graded(session, ledger, capsys).splitlines()
    assert lines[0::2] == ["Your bet", "Who wins", "Later"]
    assert lines[1].startswith("  You made no prediction. Your measurement, rag.correct 90%")
    assert lines[5] == "  You made no prediction. Not measured yet: notebook 08 does that."


def test_open_quiz_uses_the_learners_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "mine.json"))
    quiz = open_quiz("02")
    quiz.answer("wrong_price", "b")
    assert capsys.readouterr().out.startswith("Right. ")
    assert "02/wrong_price@" in (tmp_path / "mine.json").read_text()
    with pytest.raises(CourseError, match="no quiz file"):
        open_quiz("77")
