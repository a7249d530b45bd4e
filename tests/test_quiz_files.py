"""Quiz files: the rules of their form, files that break them, and the lint across files and notebooks."""

import copy
import json
import random
from pathlib import Path

import pytest
import yaml

from utils.authoring.__main__ import main
from utils.authoring.quiz_lint import problems, read_sources, unfair, unproven
from utils.errors import CourseError
from utils.quiz.questions import QUIZZES, load_quiz, quiz_numbers
from utils.quiz.schema import Decision, Prediction, Quiz

SMALL = yaml.safe_load((Path(__file__).parent / "small_quiz.yaml").read_text())
SHIPPED = quiz_numbers()


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
    claims = load_quiz("00").predictions
    assert [question.title[:8] for question in claims] == [f"Claim {number}:" for number in range(1, 9)]


@pytest.mark.parametrize("number", SHIPPED)
def test_a_shipped_quiz_has_a_prediction_and_decisions(number):
    questions = load_quiz(number).questions
    assert any(isinstance(question, Prediction) for question in questions)
    assert any(isinstance(question, Decision) for question in questions)


def test_every_kind_of_question_is_in_use():
    kinds = {question.kind for number in SHIPPED for question in load_quiz(number).questions}
    assert kinds == {"decision", "knowledge", "ordering", "numeric", "prediction"}


def test_the_shipped_quizzes_are_fair_and_their_proofs_exist(capsys):
    assert problems() == []
    assert main(["quizzes"]) == 0
    assert capsys.readouterr().out == "The quizzes are in form, and every proof is there.\n"


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
    "no difficulty": (lambda q: q[0].pop("difficulty"), "'pick'", "difficulty", "required"),
    "no minutes": (lambda q: q[1].pop("minutes"), "'bet'", "minutes", "required"),
    "hard as nails": (lambda q: q[0].update(difficulty=4), "'pick'", "difficulty", "less than or equal to 3"),
    "no proof": (lambda q: q[0].update(evidence={"notebook": "02"}), "'pick'", "evidence", "`section`"),
    "two in a single": (lambda q: q[4]["options"][1].update(right=True), "'fact'", "exactly one option"),
    "all right": (lambda q: q[5]["options"][1].update(right=True), "'some'", "but not all, and 3 have it"),
    "none right": (lambda q: [o.pop("right", 0) for o in q[5]["options"]], "'some'", "but not all, and 0 have it"),
    "place twice": (lambda q: q[6]["options"][0].update(place=1), "'order'", "places must be 1 to 3, each once"),
    "place missing": (lambda q: q[6]["options"][0].pop("place"), "'order'", "options a, place", "required"),
    "not shuffled": (lambda q: q[6]["options"].sort(key=lambda o: o["place"]), "'order'", "right order already"),
    "two steps": (lambda q: q[6]["options"].pop(), "'order'", "options", "at least 3"),
    "same steps": (lambda q: q[6]["options"][0].update(text="Write"), "'order'", "two options have the same text"),
    "hole in numbers": (lambda q: q[7]["options"][2].update(low=700), "'count'", "without gap or overlap"),
    "no right number": (lambda q: q[7]["options"][1].pop("right"), "'count'", "exactly one option"),
    "value elsewhere": (lambda q: q[7].update(value=7), "'count'", "the value 7 does not lie in the right range"),
    "no value": (lambda q: q[7].pop("value"), "'count'", "value", "required"),
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


def mutations(chance, good):
    """Endlessly: the text of a good file with a byte changed, a part cut out, or a value replaced."""
    odd = [None, [], {}, -1, 3.5, "", "x" * 400, True, [[]], {"a": 1}, float("nan"), "2026-13-45", 10**400]
    while True:
        if chance.random() < 0.5:
            cut, place = sorted(chance.randrange(len(good)) for _ in range(2))
            filling = chance.choice(
                ["", chr(chance.randrange(1, 0x3000)), "\x00", "&a *a", "!!python/object:x ", "{", "'"]
            )
            yield good[:cut] + filling + good[place if chance.random() < 0.5 else cut + 1 :]
        else:
            data = copy.deepcopy(SMALL)
            place = data
            for _ in range(chance.randrange(1, 5)):
                keys = list(place) if isinstance(place, dict) else list(range(len(place)))
                key = chance.choice(keys)
                if not isinstance(place[key], (dict, list)) or not place[key]:
                    break
                parent, place = place, place[key]
            target = place if isinstance(place, (dict, list)) and place else parent
            keys = list(target) if isinstance(target, dict) else list(range(len(target)))
            target[chance.choice(keys)] = chance.choice(odd)
            yield yaml.safe_dump(data)


def test_a_hundred_generated_malformed_files_get_a_sentence_each(tmp_path):
    good = (QUIZZES / "02.yaml").read_text(encoding="utf-8")
    malformed = 0
    for text in mutations(random.Random(11), good):
        try:
            load_from(tmp_path, text)
        except CourseError as problem:
            malformed += 1
            sentence = str(problem)
            assert "02.yaml" in sentence and sentence.endswith(".") and "\n" not in sentence
            assert len(sentence) < 400 + len(str(tmp_path)), sentence

        if malformed == 100:
            break


# Lint


def quiz_of(*questions, number="02"):
    return Quiz.model_validate({"quiz": number, "title": "t", "questions": list(questions)})


def decision(id, right, texts=("Once", "Two", "Six", "Ten")):
    options = [{"text": text, "feedback": "So.", "right": place == right} for place, text in enumerate(texts)]
    evidence = {"notebook": "02", "section": "The proof"}
    common = {"difficulty": 1, "minutes": 1, "title": "t", "text": "q", "evidence": evidence}
    return {"id": id, "kind": "decision", "options": options, **common}


def test_keys_that_pile_up_on_a_position_are_found():
    (line,) = unfair([quiz_of(*(decision(f"q{n}", n % 2) for n in range(8)))])
    assert line.startswith("The keys are not balanced over the positions (a 4, b 4, c 0, d 0)")
    assert unfair([quiz_of(*(decision(f"q{n}", n % 4) for n in range(8)))]) == []
    assert unfair([quiz_of(*(decision(f"q{n}", 0) for n in range(7)))]) == []  # too few to tell


def test_lengths_that_give_the_answer_away_are_found():
    longest = [
        decision(f"q{n}", n % 4, [f"{'Longer' if n % 4 == m else 'Long'} {m}" for m in range(4)]) for n in range(8)
    ]
    (line,) = unfair([quiz_of(*longest)])
    assert line == "The right option is the longest in 8 of 8 questions: even the lengths out."
    (line,) = unfair([quiz_of(decision("q", 1, ["No", "Yes, and for more than one reason"]))])
    assert line.startswith("02.yaml: question 'q': one option is more than twice as long")


def test_a_feedback_without_a_full_stop_is_found():
    (line,) = unfair([Quiz.model_validate(broken(lambda q: q[6]["options"][0].update(feedback="because")))])
    assert line == "02.yaml: question 'order': a feedback is no whole sentence."


@pytest.fixture
def solutions(tmp_path):
    """Notebook 02 with one heading and one cell that records a value by an f-string."""
    code = 'for name, arm in [("rag", 1), ("base", 2)]:\n    ledger.record(f"{name}.correct", arm)\n'
    cells = [
        {"id": "c1", "cell_type": "markdown", "source": ["Text.\n", "## The proof\n"]},
        {"id": "c2", "cell_type": "code", "source": code},
        {"id": "c3", "cell_type": "code", "source": "%magic\nledger.record('gold.value', 1)"},
        {"id": "c4", "cell_type": "code", "source": "ledger.record('gold.reading', 1)"},
    ]
    (tmp_path / "02_rag.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


def test_proofs_that_exist_resolve(solutions):
    found = unproven([Quiz.model_validate(SMALL)], read_sources(solutions))
    assert found == [
        "02.yaml: question 'winner': notebook 09 records no rag.correct.",
        "02.yaml: question 'winner': notebook 09 records no base.correct.",
    ]


@pytest.mark.parametrize(
    "change, problem",
    [
        (lambda q: q[0]["evidence"].update(notebook="77"), "'pick': there is no notebook 77 to hold its proof"),
        (lambda q: q[0]["evidence"].update(section="The prof"), "'pick': notebook 02 has no heading \"The prof\""),
        (lambda q: q[4]["evidence"].update(cell="c9"), "'fact': notebook 02 has no cell c9"),
        (lambda q: q[5]["evidence"].update(ledger="lora.correct"), "'some': notebook 02 records no lora.correct"),
        (lambda q: q[5]["evidence"].update(ledger="rag.format"), "'some': notebook 02 records no rag.format"),
        (lambda q: q[5]["evidence"].update(ledger="gold.value"), "'some': notebook 02 records no gold.value"),
        (lambda q: q[1].update(minus="few.correct"), "'bet': notebook 02 records no few.correct"),
        (lambda q: q[1].update(measured_in="06"), "'bet': notebook 06 records no rag.correct"),
    ],
)
def test_proofs_that_do_not_exist_are_named(solutions, change, problem):
    quiz = Quiz.model_validate(broken(change))
    assert f"02.yaml: question {problem}." in unproven([quiz], read_sources(solutions))


def test_a_measurement_spelled_out_resolves(solutions):
    quiz = Quiz.model_validate(broken(lambda q: q[5]["evidence"].update(ledger="gold.reading")))
    assert not any("'some'" in line for line in unproven([quiz], read_sources(solutions)))


def test_a_file_out_of_form_is_one_line_of_the_lint(tmp_path, solutions):
    (tmp_path / "02.yaml").write_text("quiz: [")
    (line,) = problems(tmp_path, solutions)
    assert line.startswith("02.yaml: is no valid YAML")


def test_a_notebook_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "02_rag.ipynb").write_text("{")
    with pytest.raises(CourseError, match="02_rag.ipynb is not a notebook that can be read"):
        read_sources(tmp_path)
