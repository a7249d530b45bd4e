"""The learner's tools: overview, calibration, dashboard, moving progress, starting over, and the command line."""

import json
import random
from functools import partial
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from utils.authoring.build import build
from utils.course import __main__ as command_line
from utils.course import backup
from utils.course import reset as reset_module
from utils.course.calibration import UNSAID, Calibration, Level, calibrate, figure
from utils.course.dashboard import Dashboard, open_dashboard, report_html
from utils.course.notebook_files import normalise, write_notebook
from utils.course.overview import as_text, look_over
from utils.course.reset import reset
from utils.course.transfer import export_text, import_text
from utils.errors import CourseError
from utils.ledger import Ledger
from utils.quiz import QuizSession
from utils.quiz.progress import Progress
from utils.quiz.schema import Quiz

SMALL = Path(__file__).parent / "small_quiz.yaml"


class Learner:
    """A learner with files of their own, in a course with the small quiz and one notebook."""

    def __init__(self, folder):
        self.folder = folder
        self.progress = Progress.load(folder / "progress.json")
        self.ledger = Ledger.open(folder / "ledger.json")
        self.quizzes, self.solutions, self.notebooks = folder / "quizzes", folder / "solutions", folder / "notebooks"
        self.quizzes.mkdir()
        (self.quizzes / "02.yaml").write_text(SMALL.read_text())
        cell = new_code_cell("# BEGIN SOLUTION\norder = scores.argsort()\n# END SOLUTION", id="c1", execution_count=1)
        write_notebook(self.solutions / "02_rag.ipynb", normalise(new_notebook(cells=[cell])))
        build(self.solutions, self.notebooks)
        self.copy = self.notebooks / "02_rag.ipynb"

    @property
    def quiz(self):
        return QuizSession(self.small, self.progress, self.ledger)

    @property
    def small(self):
        from utils.quiz.questions import load_quiz

        return load_quiz("02", self.quizzes)

    def look(self):
        return look_over(self.progress, self.ledger, self.quizzes, self.solutions)

    def measure(self):
        self.ledger.record("rag.correct", 0.9, notebook="02")
        self.ledger.record("base.correct", 0.1, notebook="02")
        self.ledger.record("rag_over_base.correct", 0.8, unit="points", notebook="02")

    def finish(self):
        for question in self.small.questions:
            self.quiz.answer(question.id, "b" if question.kind == "prediction" else question.key, None)
        self.measure()


@pytest.fixture
def learner(tmp_path):
    return Learner(tmp_path)


@pytest.fixture
def another(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return Learner(tmp_path / "elsewhere")


# Overview


def test_at_first_nothing_is_done(learner):
    (notebook,) = learner.look().notebooks
    assert (notebook.stem, notebook.state, notebook.answered, notebook.right) == (
        "02_rag",
        "not started",
        "0 of 8",
        "0 of 5",
    )
    assert learner.look().next_step == (
        "Open notebooks/02_rag.ipynb. Not answered yet: pick, bet, winner, later, fact, some, order, count."
    )


def test_the_next_step_goes_from_open_to_wrong_to_run_to_nothing(learner, capsys):
    learner.quiz.answer("pick", "a")
    assert "Not answered yet: bet, winner" in learner.look().next_step
    for question in learner.small.questions[1:]:
        learner.quiz.answer(question.id, "a" if question.kind == "prediction" else question.key)
    assert learner.look().next_step == "Try again in notebooks/02_rag.ipynb. Not right yet: pick."
    learner.quiz.answer("pick", "b")
    assert learner.look().next_step.startswith("Run notebooks/02_rag.ipynb to its end.")
    assert learner.look().notebooks[0].state == "started"
    learner.measure()
    assert learner.look().notebooks[0].state == "done"
    assert learner.look().next_step.startswith("You answered all questions of these notebooks")


def test_the_overview_in_text(learner, capsys):
    learner.finish()
    capsys.readouterr()
    text = as_text(learner.look())
    assert "  02_rag: done, 8 of 8 questions answered, 5 of 5 right, 3 values measured" in text
    assert "  not said: 1 of 2 came true\n  waiting for a measurement: 1" in text
    assert text.endswith("rightly where there is a right answer.")


def test_a_wrong_quiz_file_is_a_sentence_and_the_rest_still_counts(learner):
    (learner.quizzes / "03.yaml").write_text("quiz: [")
    overview = learner.look()
    assert len(overview.notebooks) == 1
    assert overview.problems[0].startswith("03.yaml: this is not valid YAML")
    assert "03.yaml: this is not valid YAML" in as_text(overview)
    assert "03.yaml: this is not valid YAML" in report_html(overview)


# Calibration


def calibration_of(guess=(0, 0), fairly_sure=(0, 0), certain=(0, 0), unsaid=(0, 0), late=0, too_close=0):
    counts = {"guess": guess, "fairly sure": fairly_sure, "certain": certain, UNSAID: unsaid}
    levels = tuple(Level(word, total, held) for word, (held, total) in counts.items())
    return Calibration(levels, waiting=0, late=late, too_close=too_close)


def test_predictions_are_counted_by_confidence(learner, capsys):
    learner.quiz.answer("bet", "b", "certain")
    learner.quiz.answer("winner", "b", "guess")
    learner.quiz.answer("later", "a", "guess")
    assert learner.look().calibration.waiting == 3
    learner.measure()
    calibration = learner.look().calibration
    assert {level.word: (level.held, level.settled) for level in calibration.levels} == {
        "guess": (0, 1), "fairly sure": (0, 0), "certain": (1, 1), UNSAID: (0, 0),
    }  # fmt: skip
    assert calibration.waiting == 1


def test_a_prediction_after_its_measurement_does_not_count(learner, capsys):
    learner.measure()
    learner.quiz.answer("bet", "b", "certain")
    calibration = learner.look().calibration
    assert calibration.settled == 0 and calibration.late == 1
    assert "made after the measurement, so not counted: 1" in calibration.in_words()


def test_a_prediction_that_is_too_close_to_call_counts_apart(learner, capsys):
    learner.quiz.answer("bet", "b", "certain")
    learner.quiz.answer("winner", "b", "guess")
    learner.measure()
    assert learner.look().calibration.settled == 2 and learner.look().calibration.too_close == 0
    assert not any("too close" in line for line in learner.look().calibration.in_words())
    learner.ledger.record("rag_over_base.correct", 0.25, 0.1, 0.4, unit="points", notebook="02")
    calibration = learner.look().calibration
    assert {level.word: (level.held, level.settled) for level in calibration.levels} == {
        "guess": (0, 1), "fairly sure": (0, 0), "certain": (0, 0), UNSAID: (0, 0),
    }  # fmt: skip
    assert (calibration.settled, calibration.too_close, calibration.waiting) == (1, 1, 0)
    assert "too close to call: 1" in calibration.in_words()
    assert "  too close to call: 1" in as_text(learner.look())
    assert "<li>too close to call: 1</li>" in report_html(learner.look())


def test_a_late_bet_that_is_too_close_counts_as_late_only(learner, capsys):
    learner.ledger.record("rag_over_base.correct", 0.25, 0.1, 0.4, unit="points", notebook="02")
    learner.quiz.answer("bet", "b", "certain")
    calibration = learner.look().calibration
    assert (calibration.settled, calibration.too_close, calibration.late, calibration.waiting) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    "calibration, reading",
    [
        (calibration_of(certain=(3, 3)), "Too few predictions are settled yet (3)"),
        (calibration_of(certain=(1, 4)), "You were certain more often than you were right"),
        (calibration_of(guess=(4, 4)), "Your guesses came true nearly every time"),
        (calibration_of(guess=(1, 3), certain=(3, 3)), "The surer you were, the more often you were right"),
        (calibration_of(guess=(2, 3), certain=(0, 1)), "The surer you were, the less often you were right"),
        (calibration_of(fairly_sure=(2, 4)), "You used only one level of confidence"),
    ],
)
def test_the_counts_are_read_out(calibration, reading):
    assert calibration.reading().startswith(reading)


def test_the_figure_is_a_picture_and_every_count_stands_in_its_text_twin():
    calibration = calibration_of(guess=(1, 3), certain=(2, 2), unsaid=(0, 1))
    assert figure(calibration).startswith(b"\x89PNG")
    assert calibration.in_words()[:4] == [
        "guess: 1 of 3 came true", "fairly sure: none settled", "certain: 2 of 2 came true",
        "not said: 0 of 1 came true",
    ]  # fmt: skip


def test_answers_that_make_no_sense_are_not_counted(learner):
    (bet,) = [question for question in learner.small.predictions if question.id == "bet"]
    learner.progress.record_answer(learner.small.key(bet), "zz", "certain")
    learner.progress.record_answer("gone/question@1", "a", "certain")
    learner.measure()
    assert calibrate([learner.small], learner.progress.answers(), learner.ledger).settled == 0


# Moving progress to another computer


def test_everything_is_carried_to_another_computer(learner, another, capsys):
    learner.finish()
    another.ledger.record("gold.reading", 0.5, notebook="00")
    text = export_text(learner.progress, learner.ledger)
    said = import_text(f"Here it is:\n```\n{text}\n```\n", another.progress, another.ledger)
    assert said == "Added 8 answers and 3 measurements that were new here."
    assert another.progress.answers() == learner.progress.answers()
    assert {found.key for found in another.ledger.measurements()} == {
        "rag.correct", "base.correct", "rag_over_base.correct", "gold.reading",
    }  # fmt: skip
    assert another.ledger.get("rag.correct") == learner.ledger.get("rag.correct")
    assert import_text(text, another.progress, another.ledger).startswith("Added 0 answers and 0 measurements")
    assert another.look().notebooks[0].state == "done"


def test_a_measurement_history_is_carried_too(learner, another):
    for value in (0.1, 0.2, 0.3):
        learner.ledger.record("rag.correct", value, 0.0, 1.0, notebook="02", questions="dev")
    import_text(export_text(learner.progress, learner.ledger), another.progress, another.ledger)
    assert another.ledger.get("rag.correct") == learner.ledger.get("rag.correct")
    assert another.ledger.get("rag.correct").questions == "dev"
    assert [found.value for found in another.ledger.history("rag.correct")] == [0.1, 0.2, 0.3]


def malformed_texts(chance, good):
    odd = [None, [], {}, -1, "", True, "NaN", [3], {"a": 1}]
    while True:
        if chance.random() < 0.5:
            cut, place = chance.randrange(len(good)), chance.randrange(len(good))
            yield good[:cut] + chance.choice(["", "{", "}", '"', "\n\n", "\0", "…"]) + good[place:]
            continue
        data = json.loads(good)
        target = chance.choice([data, *data["answers"].values(), *data["measurements"]])
        target[chance.choice(list(target))] = chance.choice(odd)
        yield json.dumps(data)


def test_a_hundred_malformed_texts_get_a_sentence_and_change_nothing(learner, another, capsys):
    learner.finish()
    another.finish()
    good = export_text(learner.progress, learner.ledger)
    before = [another.progress.answers(), another.ledger.measurements()]
    malformed = 0
    for text in malformed_texts(random.Random(3), good):
        try:
            import_text(text, another.progress, another.ledger)
        except CourseError as problem:
            malformed += 1
            assert str(problem).endswith(".") and "\n" not in str(problem) and len(str(problem)) < 400
            if malformed == 1:
                assert [another.progress.answers(), another.ledger.measurements()] == before
        if malformed == 100:
            break
    assert set(before[0]) <= set(another.progress.answers())


@pytest.mark.parametrize(
    "text", ["", "hello", "}{", "{", '{"course": "another"}', '{"course": "finetune-or-rag", "version": 2}']
)
def test_other_texts_are_refused(learner, text):
    with pytest.raises(CourseError, match=r"\.$"):
        import_text(text, learner.progress, learner.ledger)


# Starting over


def back_up(learner):
    return sorted((learner.folder / "backups").glob("*.ipynb"))


def start_over(learner, name="02"):
    return reset(name, learner.solutions, learner.notebooks)


def test_a_fresh_copy_comes_back_and_the_old_one_is_set_aside(learner):
    fresh = learner.copy.read_bytes()
    mine = fresh.replace(b"your code here", b"my code here")
    learner.copy.write_bytes(mine)
    said = start_over(learner)
    (kept,) = back_up(learner)
    assert kept.read_bytes() == mine and learner.copy.read_bytes() == fresh
    assert said.startswith(f"notebooks/02_rag.ipynb is fresh again. Your old copy is backups/{kept.name}.")
    assert "answers and measurements stay" in said


def test_starting_over_twice_in_a_second_keeps_both_copies(learner, monkeypatch):
    class Noon(backup.datetime):
        @classmethod
        def now(cls):
            return cls(2026, 11, 22, 12)

    monkeypatch.setattr(backup, "datetime", Noon)
    for text in ("one", "two", "three"):
        learner.copy.write_text(text)
        start_over(learner)
    names = ["02_rag.2026-11-22-120000-2.ipynb", "02_rag.2026-11-22-120000-3.ipynb", "02_rag.2026-11-22-120000.ipynb"]
    assert [path.name for path in back_up(learner)] == names
    assert {path.read_text() for path in back_up(learner)} == {"one", "two", "three"}


def test_a_fresh_or_missing_copy_needs_no_setting_aside(learner):
    assert start_over(learner, "02_rag") == "notebooks/02_rag.ipynb is fresh already: nothing to do."
    fresh = learner.copy.read_bytes()
    learner.copy.unlink()
    assert start_over(learner, "02_rag.ipynb").startswith("notebooks/02_rag.ipynb was missing and is back.")
    assert learner.copy.read_bytes() == fresh and back_up(learner) == []


@pytest.mark.parametrize("content", [b"not json", b"\xff\xfe", b""])
def test_a_broken_copy_is_set_aside_as_it_is(learner, content):
    learner.copy.write_bytes(content)
    start_over(learner)
    assert [path.read_bytes() for path in back_up(learner)] == [content]


@pytest.mark.parametrize("name", ["", "0", "7", "rag", "../02_rag", "02_rag.py"])
def test_an_unknown_notebook_is_refused(learner, name):
    with pytest.raises(CourseError, match=r"No notebook is called .*: name one of 02\."):
        start_over(learner, name)


def test_what_cannot_be_set_aside_is_left_alone(learner):
    learner.copy.write_text("mine")
    (learner.folder / "backups").write_text("a file in the way")
    with pytest.raises(CourseError, match="could not be backed up"):
        start_over(learner)
    assert learner.copy.read_text() == "mine"


# Dashboard


@pytest.fixture
def dashboard(learner, monkeypatch):
    monkeypatch.setattr("utils.course.dashboard.look_over", lambda *files: learner.look())
    monkeypatch.setattr("utils.course.dashboard.notebook_numbers", lambda: ["02"])
    return Dashboard(learner.progress, learner.ledger, lambda number: start_over(learner, number))


def test_the_dashboard_shows_the_overview_and_looks_again(learner, dashboard, capsys):
    assert '<th scope="row">02_rag</th><td>not started</td><td>0 of 8</td>' in dashboard.report.value
    assert "<img" not in dashboard.report.value
    learner.finish()
    dashboard.refresh_button.click()
    assert "<td>done</td><td>8 of 8</td><td>5 of 5</td><td>3</td>" in dashboard.report.value
    assert '<img alt="Bars of the counts listed below' in dashboard.report.value
    assert "<li>not said: 1 of 2 came true</li>" in dashboard.report.value


def test_the_reset_button_asks_first(learner, dashboard):
    learner.copy.write_text("mine")
    button = dashboard.reset_buttons["02"]
    assert button.description == "Start notebook 02 over"
    button.click()
    assert "Sure?" in dashboard.message.value and learner.copy.read_text() == "mine"
    dashboard.refresh_button.click()
    button.click()
    assert "Sure?" in dashboard.message.value and learner.copy.read_text() == "mine"
    button.click()
    assert "is fresh again" in dashboard.message.value
    assert [path.read_text() for path in back_up(learner)] == ["mine"]


def test_progress_is_carried_through_the_field(learner, another, dashboard, capsys):
    learner.finish()
    dashboard.export_button.click()
    assert "copy all of it" in dashboard.message.value
    text = dashboard.text.value
    dashboard.import_button.click()
    assert "Added 0 answers and 0 measurements" in dashboard.message.value
    dashboard.text.value = text[:100]
    dashboard.import_button.click()
    assert "copy the whole text" in dashboard.message.value
    import_text(text, another.progress, another.ledger)
    assert another.look().notebooks[0].state == "done"


def test_a_click_cannot_overtake_the_text_in_the_field(dashboard):
    assert dashboard.text.continuous_update is False


def test_the_dashboard_s_text_form_is_fixed(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "p.json"))
    monkeypatch.setenv("COURSE_LEDGER", str(tmp_path / "l.json"))
    bundles = [open_dashboard()._repr_mimebundle_() for _ in range(2)]
    ids = [bundle.pop("application/vnd.jupyter.widget-view+json")["model_id"] for bundle in bundles]
    assert ids[0] != ids[1] and bundles[0] == bundles[1]
    assert bundles[0]["text/plain"] == "Dashboard of the course"
    assert "python -m utils.course progress" in bundles[0]["text/markdown"]


# Command line


@pytest.fixture
def command(learner, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(learner.folder / "progress.json"))
    monkeypatch.setenv("COURSE_LEDGER", str(learner.folder / "ledger.json"))
    monkeypatch.setattr("utils.course.overview.look_over", lambda *files: learner.look())
    monkeypatch.setattr(reset_module, "reset", partial(reset, solutions=learner.solutions, notebooks=learner.notebooks))
    return lambda *arguments: command_line.main(arguments)


def test_progress_on_the_command_line(learner, command, capsys):
    assert command("progress") == 0
    assert "02_rag: not started" in capsys.readouterr().out
    assert command("progress", "--figure", str(learner.folder / "mine.png")) == 0
    assert (learner.folder / "mine.png").read_bytes().startswith(b"\x89PNG")
    assert command("progress", "--figure", str(learner.folder / "mine.png")) == 0, "an older figure is replaced"
    assert command("progress", "--figure", str(learner.folder / "no" / "mine.png")) == 1
    assert "The figure was not written" in capsys.readouterr().err
    (learner.folder / "notes.txt").write_text("mine")
    assert command("progress", "--figure", str(learner.folder / "notes.txt")) == 1
    assert "is no PNG file" in capsys.readouterr().err and (learner.folder / "notes.txt").read_text() == "mine"


def test_an_export_says_beside_its_text_that_files_were_damaged(learner, command, capsys):
    for name in ("progress.json", "ledger.json"):
        (learner.folder / name).write_text("{")
    assert command("progress", "--export") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["answers"] == {}
    assert said.err.count("could not be read, so it was set aside") == 2


def test_export_and_import_on_the_command_line(learner, another, command, monkeypatch, capsys):
    another.finish()
    capsys.readouterr()
    (learner.folder / "text.json").write_text(export_text(another.progress, another.ledger))
    assert command("progress", "--import", str(learner.folder / "text.json")) == 0
    out = capsys.readouterr().out
    assert out.startswith("Added 8 answers and 3 measurements") and "02_rag: done" in out
    assert command("progress", "--export") == 0
    assert json.loads(capsys.readouterr().out)["answers"].keys() == another.progress.answers().keys()
    # As Windows PowerShell writes it.
    (learner.folder / "text.json").write_text(export_text(another.progress, another.ledger), encoding="utf-16")
    assert command("progress", "--import", str(learner.folder / "text.json")) == 0
    assert capsys.readouterr().out.startswith("Added 0 answers and 0 measurements")
    for name in ("nothing.json", "mine.bin"):
        (learner.folder / "mine.bin").write_bytes(b"\x80\x81")
        assert command("progress", "--import", str(learner.folder / name)) == 1
        assert "cannot be read" in capsys.readouterr().err


def test_reset_on_the_command_line(learner, command, capsys):
    learner.copy.write_text("mine")
    assert command("reset", "02") == 0
    assert "is fresh again" in capsys.readouterr().out
    assert command("reset", "03") == 1
    assert capsys.readouterr().err == "No notebook is called '03': name one of 02.\n"


def test_every_shipped_notebook_has_a_fresh_copy_to_go_back_to():
    """The default folders, read only: each number finds its solution."""
    numbers = reset_module.notebook_numbers()
    assert len(numbers) > 12
    assert [reset_module._solution(number, reset_module.SOLUTIONS).name[:2] for number in numbers] == numbers
    assert isinstance(look_over(Progress.load(), Ledger.open()).notebooks[0].standing.quiz, Quiz)
