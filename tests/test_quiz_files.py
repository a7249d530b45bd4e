"""Quiz files: the rules of their form, files that break them, and the lint across files and notebooks."""

import copy
import json
import random
from pathlib import Path

import pytest
import yaml

from utils.authoring.__main__ import main
from utils.authoring.quiz_lint import ambiguous_keys, outdated, problems, read_sources, unfair, unproven
from utils.errors import CourseError
from utils.paths import SOLUTIONS
from utils.quiz.markdown import as_markdown
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
    "all of the above": (lambda q: q[0]["options"][0].update(text="All of the above"), "'pick'", "sense on its own"),
    "one option": (lambda q: q[0]["options"].pop(0), "'pick'", "options", "at least 2"),
    "no evidence": (lambda q: q[0].pop("evidence"), "'pick'", "evidence", "required"),
    "YAML's yes": (lambda q: q[0]["options"][1].update(text=True), "'pick'", "options b, text", "string"),
    "unknown field": (lambda q: q[0].update(hints="none"), "'pick'", "hints", "not permitted"),
    "unknown kind": (lambda q: q[0].update(kind="essay"), "'pick'", "kind"),
    "bad id": (lambda q: q[0].update(id="Pick one"), "'Pick one'", "id"),
    "no id": (lambda q: q[0].pop("id"), "number 1", "id", "required"),
    "same id twice": (lambda q: q[1].update(id="pick"), "'pick' is used twice"),
    "gap in bounds": (lambda q: q[1]["options"][1].update(low=0.3), "'bet'", "without gap or overlap"),
    "overlap in bounds": (lambda q: q[1]["options"][1].update(low=0.1), "'bet'", "without gap or overlap"),
    "closed end": (lambda q: q[1]["options"][1].update(high=0.9), "'bet'", "open at both ends"),
    "bounds without a value": (lambda q: q[1].pop("grades_with"), "'bet'", "`grades_with`"),
    "minus is gone": (lambda q: q[1].update(minus="base.correct"), "'bet'", "minus", "not permitted"),
    "bad key": (lambda q: q[1].update(grades_with="RAG correct"), "'bet'", "grades_with"),
    "a key missing": (lambda q: q[2]["options"][0].pop("key"), "'winner'", "every option has a `key` of its own"),
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
    "value elsewhere": (lambda q: q[7].update(value=7), "'count'", "the value 7 is not in the right range"),
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
    with pytest.raises(CourseError, match='"02", but its file name means "03"'):
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
    assert line.startswith("The right options are not spread evenly over the positions (a 4, b 4, c 0, d 0)")
    assert unfair([quiz_of(*(decision(f"q{n}", n % 4) for n in range(8)))]) == []
    assert unfair([quiz_of(*(decision(f"q{n}", 0) for n in range(7)))]) == []  # too few to tell


def test_lengths_that_give_the_answer_away_are_found():
    longest = [
        decision(f"q{n}", n % 4, [f"{'Longer' if n % 4 == m else 'Long'} {m}" for m in range(4)]) for n in range(8)
    ]
    (line,) = unfair([quiz_of(*longest)])
    assert line == "The right option is the longest in 8 of 8 questions: even out the lengths."
    (line,) = unfair([quiz_of(decision("q", 1, ["No", "Yes, and for more than one reason"]))])
    assert line.startswith("02.yaml: question 'q': one option is more than twice as long")


def test_a_feedback_without_a_full_stop_is_found():
    (line,) = unfair([Quiz.model_validate(broken(lambda q: q[6]["options"][0].update(feedback="because")))])
    assert line == "02.yaml: question 'order': a feedback is not a whole sentence."


@pytest.fixture
def solutions(tmp_path):
    """Notebook 02 with one heading and one cell that records a value by an f-string."""
    code = 'for name in ["rag", "base", "rag_over_base"]:\n    ledger.record(f"{name}.correct", 1, notebook="02")\n'
    cells = [
        {"id": "c1", "cell_type": "markdown", "source": ["Text.\n", "## The proof\n"]},
        {"id": "c2", "cell_type": "code", "source": code},
        {"id": "c3", "cell_type": "code", "source": "%magic\nledger.record('gold.value', 1)"},
        {"id": "c4", "cell_type": "code", "source": "ledger.record('gold.reading', 1, notebook='02')"},
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
        (lambda q: q[0]["evidence"].update(notebook="77"), "'pick': there is no notebook 77 with its evidence"),
        (lambda q: q[0]["evidence"].update(section="The prof"), "'pick': notebook 02 has no heading \"The prof\""),
        (lambda q: q[4]["evidence"].update(cell="c9"), "'fact': notebook 02 has no cell c9"),
        (lambda q: q[5]["evidence"].update(ledger="lora.correct"), "'some': notebook 02 records no lora.correct"),
        (lambda q: q[5]["evidence"].update(ledger="rag.format"), "'some': notebook 02 records no rag.format"),
        (lambda q: q[5]["evidence"].update(ledger="gold.value"), "'some': notebook 02 records no gold.value"),
        (lambda q: q[1].update(grades_with="few.correct"), "'bet': notebook 02 records no few.correct"),
        (lambda q: q[1].update(measured_in="06"), "'bet': notebook 06 records no rag_over_base.correct"),
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
    assert line.startswith("02.yaml: this is not valid YAML")


def test_a_notebook_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "02_rag.ipynb").write_text("{")
    with pytest.raises(CourseError, match="02_rag.ipynb is not a notebook that can be read"):
        read_sources(tmp_path)


def show_in(folder, name, markdown):
    """Notebook 02 with one stored card."""
    data = {"text/plain": name, "text/markdown": markdown}
    cell = {"cell_type": "code", "source": "quiz.show()", "outputs": [{"output_type": "display_data", "data": data}]}
    (folder / "02_rag.ipynb").write_text(json.dumps({"cells": [cell]}))
    return read_sources(folder)


def test_a_stored_card_is_as_the_quiz_file_has_it(tmp_path):
    quiz = Quiz.model_validate(SMALL)
    texts = [as_markdown(question) for question in quiz.questions]
    assert outdated([quiz], show_in(tmp_path, "Quiz 02, question pick", as_markdown(quiz.find("pick")))) == []
    assert outdated([quiz], show_in(tmp_path, f"Quiz 02: {len(texts)} questions", "\n\n".join(texts))) == []
    for name, markdown in {
        "Quiz 02, question pick": as_markdown(quiz.find("pick")).replace("?", " at all?"),
        "Quiz 02, question a_former_name": as_markdown(quiz.find("pick")),
        "Quiz 02: 3 questions": "\n\n".join(texts[:3]),
    }.items():
        (line,) = outdated([quiz], show_in(tmp_path, name, markdown))
        assert line.startswith(f"Solution 02 stores an older text of its output '{name}': run"), line


def test_the_shipped_solutions_store_their_cards():
    sources = read_sources(SOLUTIONS)
    assert all(any(source.shown()) for source in sources.values())


# One ledger key, one meaning


def record_in(folder, **cells):
    """Notebooks by number, each with one code cell: `record_in(folder, nb02="ledger.record(...)")`."""
    for name, code in cells.items():
        cell = {"id": "c1", "cell_type": "code", "source": code}
        (folder / f"{name.removeprefix('nb')}_x.ipynb").write_text(json.dumps({"cells": [cell]}))
    return ambiguous_keys(read_sources(folder))


def test_a_key_of_two_notebooks_is_found(tmp_path):
    found = record_in(
        tmp_path,
        nb02='ledger.record("rag.correct", 1, notebook="02")',
        nb09='ledger.record("rag.correct", 1, notebook="09")',
    )
    assert found == ["The ledger key rag.correct is recorded by notebooks 02 and 09: give each notebook its own key."]


def test_a_key_put_together_in_an_f_string_is_found_too(tmp_path):
    found = record_in(
        tmp_path,
        nb02='for name, arm in [("base", "memory"), ("rag", "RAG")]:\n'
        '    ledger.record(f"{name}.correct", scores[arm]["right"].mean(), notebook="02")',
        nb06='ledger.record("base.correct", 1, notebook="06")',
        nb09='names = {"hybrid": "hybrid", "rag": "RAG"}\n'
        'for key, arm in names.items():\n    ledger.record(f"{key}.correct", scores[arm]["right"], notebook="09")',
    )
    assert [line.split(" is recorded by ")[0] for line in found] == [
        "The ledger key base.correct", "The ledger key rag.correct",
    ]  # fmt: skip
    assert "notebooks 02 and 06" in found[0] and "notebooks 02 and 09" in found[1]


def test_a_pattern_that_nothing_in_its_cell_fills_is_a_key_of_its_own(tmp_path):
    code = 'for arm in arms:\n    ledger.record(f"{arm}.correct", right[arm], notebook="NN")'
    found = record_in(tmp_path, nb02=code.replace("NN", "02"), nb09=code.replace("NN", "09"))
    assert found == ["The ledger key {arm}.correct is recorded by notebooks 02 and 09: give each notebook its own key."]


def test_a_key_of_two_question_sets_is_found(tmp_path):
    found = record_in(
        tmp_path,
        nb02='ledger.record("rag.correct", 1, notebook="02", questions="dev")\n'
        'ledger.record("rag.correct", 1, None, None, "share", "02", "test")',
        nb03='ledger.record("a.seconds", 1, notebook="03")\nledger.record("a.seconds", 2, notebook="03")',
    )
    assert found == ['The ledger key rag.correct is recorded on questions "dev" and "test": give each set its own key.']


@pytest.mark.parametrize("argument", ["", ', notebook="09"', ", notebook=number", ', None, None, "share", "9"'])
def test_a_measurement_without_its_notebook_is_found(tmp_path, argument):
    found = record_in(tmp_path, nb02=f'ledger.record("rag.correct", 1{argument})')
    assert found == ['Notebook 02 records rag.correct without notebook="02": add it.']


def test_a_pattern_without_its_notebook_is_one_line_and_columns_fill_no_gap(tmp_path):
    code = 'for name in ["rag", "base"]:\n    ledger.record(f"{name}.correct", table.loc["jargon", "right"])'
    found = record_in(
        tmp_path, nb02=code, nb09='ledger.record("jargon.correct", 1, notebook="09")', nb10="%magic\n" + code
    )
    assert found == ['Notebook 02 records {name}.correct without notebook="02": add it.']


def test_keys_with_one_meaning_are_in_order(tmp_path):
    found = record_in(
        tmp_path,
        nb02='for name in ("rag", "base"):\n    ledger.record(f"{name}.dev", 1, notebook="02", questions="dev")',
        nb09='ledger.record("rag.correct", 1, notebook="09", questions="test")',
        nbA1='ledger.record(key="x.seconds", value=1, notebook="A1")\nprogress.record_answer("rag.correct", "a")',
    )
    assert found == []


def test_ambiguous_keys_are_lines_of_the_lint(tmp_path):
    quizzes = tmp_path / "quizzes"
    quizzes.mkdir()
    record_in(tmp_path, nb02='ledger.record("rag.correct", 1)')
    assert problems(quizzes, tmp_path) == ['Notebook 02 records rag.correct without notebook="02": add it.']
