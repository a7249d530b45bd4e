"""A class at a glance: counts over exported progress, and files that are none."""

import json
import time

import pytest

from utils.course import __main__ as command_line
from utils.course.cohort import FEWEST_VOTES, cohort_in, sum_up
from utils.course.cohort_text import as_text, bet_in_words, votes_in_words
from utils.course.exports import clean, read_exports
from utils.course.transfer import export_text
from utils.errors import CourseError
from utils.ledger import Ledger
from utils.paths import OF_THE_SYSTEM
from utils.quiz.progress import Progress
from utils.quiz.questions import QUIZZES, load_quiz, quiz_numbers

QUIZ = load_quiz("00")
STYLE, DOMAIN, FIRST_STEP = (QUIZ.find(name) for name in ("style", "domain", "first_step"))


def answer(option, at="2026-11-22T10:00:00+00:00", earlier=(), confidence=None, late=False):
    return {"option": option, "at": at, "earlier": list(earlier), "confidence": confidence, "late": late}


def share(key, value, notebook="06", low=None, high=None, unit="points", at="2026-11-22T11:00:00+00:00"):
    return {"key": key, "value": value, "low": low, "high": high, "unit": unit, "notebook": notebook, "at": at}


def export(answers=None, measurements=(), **extra):
    """An export as text.  answers: by question id of quiz 00, or by a whole key."""
    keyed = {name if "/" in name else QUIZ.key(QUIZ.find(name)): one for name, one in (answers or {}).items()}
    whole = {"course": "finetune-or-rag", "version": 1, "answers": keyed, "measurements": list(measurements)}
    return json.dumps(whole | extra)


@pytest.fixture
def write(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / f"{name}.json"
            path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def count_of(cohort, question):
    return next(one for one in cohort.questions if one.question is not None and one.question.id == question)


def reasons(folder):
    return {one.name: one.reason for one in read_exports(folder)[1]}


# Counting


def test_answers_are_judged_again_and_not_believed(write):
    said_right = answer("a") | {"right": True}
    cohort = cohort_in(write(ann=export({"first_step": said_right}), bob=export({"first_step": answer("c", "x")})))
    count = count_of(cohort, "first_step")
    assert FIRST_STEP.key == "c"
    assert (count.answered, count.right, count.right_at_once) == (2, 1, 1)


def test_votes_are_first_answers_and_right_is_the_newest(write):
    changed = answer("c", earlier=["a"])
    cohort = cohort_in(write(ann=export({"first_step": changed}), bob=export({"first_step": answer("c", "later")})))
    count = count_of(cohort, "first_step")
    assert (count.right, count.right_at_once) == (2, 1)
    assert votes_in_words(count) == "a 1, c 1"


@pytest.mark.parametrize(
    ("votes", "splits"),
    [("ccaa", True), ("cccccccc", False), ("cccccccb", False), ("aaabbbddd", True), ("aaaaaaaa", False), ("ca", False)],
)
def test_a_question_splits_the_room_when_it_is_even_or_two_answers_have_many_votes(write, votes, splits):
    files = {f"l{n}": export({"first_step": answer(vote, f"2026-11-22T10:00:{n:02}")}) for n, vote in enumerate(votes)}
    assert (len(votes) >= FEWEST_VOTES) or not splits
    found = [one.question.id for one in cohort_in(write(**files)).splitting]
    assert found == (["first_step"] if splits else [])


def test_a_split_shows_the_two_answers_with_most_votes(write):
    files = {
        f"l{n}": export({"first_step": answer(vote, f"2026-11-22T10:00:{n:02}")}) for n, vote in enumerate("ccaad")
    }
    text = as_text(cohort_in(write(**files)))
    assert "00 first_step, Decide: the first week: a 2, c 2, d 1" in text
    texts = [option.text for option in FIRST_STEP.options]
    assert f"a: {texts[0]}" in text and f"d: {texts[3]}" not in text


def test_bets_are_settled_by_each_learner_s_own_measurements(write):
    far, behind = share("lora_over_few_shot.format", 0.7), share("lora_over_few_shot.format", -0.1)
    files = {
        "right": export({"style": answer("d", confidence="certain")}, [far]),
        "wrong": export({"style": answer("d", confidence="certain")}, [behind]),
        "close": export({"style": answer("d", confidence="guess")}, [share(far["key"], 0.6, low=0.5, high=0.7)]),
        "waits": export({"style": answer("d", confidence="guess")}),
        "late": export({"style": answer("d", confidence="certain", late=True)}, [far]),
    }
    cohort = cohort_in(write(**files))
    (style,) = [bet for bet in cohort.bets if bet.question.id == "style"]
    assert bet_in_words(style) == "00 style: 1 of 2 came true; 1 too close to call; 1 not measured; 1 late"
    text = as_text(cohort)
    assert "certain: 1 of 2 came true" in text
    assert "guess: none settled" in text
    assert (cohort.calibration.settled, cohort.calibration.waiting, cohort.calibration.late) == (2, 1, 1)


def test_the_newest_measurement_settles_a_bet(write):
    old = share("lora_over_few_shot.format", 0.7, at="2026-11-21T11:00:00+00:00")
    new = share("lora_over_few_shot.format", -0.1)
    cohort = cohort_in(write(ann=export({"style": answer("d")}, [new, old])))
    assert "00 style: 0 of 1 came true" in as_text(cohort)


def test_who_has_done_little_and_who_tried_in_vain_is_listed_first(write):
    many = {one.id: answer("a") for one in QUIZ.questions}
    files = {
        "a_busy": export({name: one | {"at": "2026-11-22T10:01:00+00:00"} for name, one in many.items()}),
        "b_busy": export({name: one | {"at": "2026-11-22T10:02:00+00:00"} for name, one in many.items()}),
        "c_slow": export({"style": answer("a")}, [share("x.y", 0.5, notebook="03", at="2026-11-22T12:30:00+00:00")]),
        "d_tries": export(many | {"first_step": answer("a", earlier=["b", "d"])}),
    }
    states = {one.learner.name: one for one in cohort_in(write(**files)).learners}
    assert next(iter(states)) == "c_slow.json"
    assert states["c_slow.json"].needs == ("far fewer answers than most",)
    assert (states["c_slow.json"].last, states["c_slow.json"].at) == ("03", "2026-11-22 12:30")
    assert states["d_tries.json"].needs == ("still wrong after 3 tries: 00 first_step",)
    assert states["a_busy.json"].needs == ()


def test_answers_to_other_wordings_are_counted_apart(write):
    cohort = cohort_in(write(ann=export({"00/style@000000000000": answer("a"), "domain": answer("a")})))
    assert (cohort.stale, count_of(cohort, "style").answered, count_of(cohort, "domain").answered) == (1, 0, 1)
    assert "not counted: 1 answer to questions that this copy" in as_text(cohort)


def test_an_answer_that_is_none_does_not_count(write):
    cohort = cohort_in(write(ann=export({"style": answer("z"), "first_step": answer("c", earlier=["\x1b[31m"])})))
    assert count_of(cohort, "style").answered == 0
    assert votes_in_words(count_of(cohort, "first_step")) == "c 1"


def test_the_dashboard_s_own_export_is_read(tmp_path):
    progress, ledger = Progress.load(tmp_path / "p" / "p.json"), Ledger.open(tmp_path / "p" / "l.json")
    progress.record_answer(QUIZ.key(STYLE), "d", "certain")
    ledger.record("lora_over_few_shot.format", 0.7, unit="points", notebook="06")
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "ann.txt").write_text(f"My progress:\n{export_text(progress, ledger)}\nBye!")
    assert "00 style: 1 of 1 came true" in as_text(cohort_in(folder))


# Files that are none


def test_each_file_that_does_not_count_is_listed_with_its_reason(write):
    good = export({"style": answer("a")})
    folder = write(
        good=good,
        again=good,
        broken=good[:-20] + "}",
        cut=good[:30],
        deep='{"course": ' + "[" * 100_000 + "}",
        empty="",
        foreign='{"answers": {}}',
        nothing=export(),
        later=export({"style": answer("a")}, version=99),
        picture=b"\x89PNG\r\n\x1a\n\x00\xff",
        shape=export({"style": {"choice": "a"}}),
        words="I did it all!",
    )
    found = reasons(folder)
    assert set(found) == {f"{name}.json" for name in (
        "good", "broken", "cut", "deep", "empty", "foreign", "nothing", "later", "picture", "shape", "words",
    )}  # fmt: skip
    assert found["good.json"] == "it is the same as file 1, or an earlier copy"
    assert found["empty.json"] == "it is empty"
    assert found["picture.json"] == "it is not a text file"
    assert found["words.json"] == found["cut.json"] == "it contains no progress of the course, or only a part of it"
    assert found["broken.json"].startswith("it is not complete JSON") and found["deep.json"] == found["broken.json"]
    assert found["foreign.json"].startswith("it is JSON, but no export of this course")
    assert found["nothing.json"] == "it holds no answers and no measurements"
    assert found["later.json"].startswith("it comes from a later version")
    assert found["shape.json"] == "an answer or a measurement in it does not have the form of an export"


def test_a_huge_file_is_skipped_unread(write):
    assert reasons(write(huge=b" " * 5_000_001))["huge.json"].startswith("it is larger than 5 MB")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_windows_writes_is_read(write, encoding):
    assert reasons(write(ann=export({"style": answer("a")}).encode(encoding))) == {}


def test_of_two_exports_of_one_learner_the_newer_counts(write):
    names = ("style", "domain", "speed")
    monday = {name: answer("a", f"2026-11-20T10:00:0{n}+00:00") for n, name in enumerate(names)}
    tuesday = monday | {"fresh": answer("b", "2026-11-21T10:00:00+00:00")}
    learners, skipped = read_exports(write(monday=export(monday), tuesday=export(tuesday)))
    assert [one.name for one in learners] == ["tuesday.json"]
    assert [one.name for one in skipped] == ["monday.json"]


def test_two_learners_who_answer_in_the_same_second_both_count(write):
    vote = answer("a")
    folder = write(
        ann=export({"style": vote}), bob=export({"style": vote, "domain": answer("b", "2026-11-23T00:00:00")})
    )
    assert len(read_exports(folder)[0]) == 2


def test_no_text_of_a_file_reaches_the_terminal(write, tmp_path):
    sneaky = "\x1b]0;owned\x07\x1b[2J"
    forged = {f"{sneaky}/{sneaky}@1": answer("a"), "style": answer(sneaky), "domain": answer("a", at=sneaky)}
    folder = write(ann=export(forged, [share("x.y", 0.1, notebook=sneaky)]), bad=export(forged, **{sneaky: 1})[:-1])
    (folder / "\x1b[31mred\u202e\n.json").write_text(export({"style": answer("a", "x")}))
    text = as_text(cohort_in(folder), names=True)
    assert "?[31mred??.json: 1 answered" in text
    assert not any(letter in text for letter in "\x1b\x07\u202e")


def test_a_name_is_cleaned_and_cut():
    assert clean("a\x00\x9b\u2028é 名.json") == "a???é 名.json"
    assert len(clean("x" * 500)) == 80


# The command


def test_learners_are_numbered_unless_names_are_wanted(write, capsys):
    folder = write(ann=export({"style": answer("a")}), bob="")
    assert command_line.main(["cohort", str(folder)]) == 0
    numbered = capsys.readouterr().out
    assert "learner 1: 1 answered" in numbered and "file 2: it is empty" in numbered
    assert "ann" not in numbered and "bob" not in numbered
    assert command_line.main(["cohort", str(folder), "--names"]) == 0
    named = capsys.readouterr().out
    assert "ann.json: 1 answered" in named and "bob.json: it is empty" in named


@pytest.mark.parametrize("name", ["", "nowhere", "a_file"])
def test_an_empty_or_missing_folder_is_one_sentence(tmp_path, capsys, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a_file").write_text("x")
    assert command_line.main(["cohort", str(tmp_path / (name or "empty"))]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.strip().endswith(".")


def test_a_folder_without_one_good_file_still_says_why(write):
    text = as_text(cohort_in(write(a="", b="x")))
    assert text.startswith("0 learners") and "no answers yet" in text and "file 1: it is empty" in text


def test_files_are_only_read(write):
    folder = write(ann=export({"style": answer("a")}), bob="")
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    cohort_in(folder)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_a_wrong_quiz_file_is_a_sentence(write, tmp_path):
    quizzes = tmp_path / "quizzes"
    quizzes.mkdir()
    (quizzes / "00.yaml").write_text((QUIZZES / "00.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (quizzes / "01.yaml").write_text("quiz: [")
    cohort = cohort_in(write(ann=export({"style": answer("a")})), quizzes)
    assert len(cohort.problems) == 1 and "01.yaml" in as_text(cohort)
    assert count_of(cohort, "style").answered == 1


def test_no_learners_and_no_quizzes_are_no_error():
    assert as_text(sum_up([])).startswith("0 learners")


def test_a_hundred_whole_files_are_summed_up_in_seconds(write):
    quizzes = [load_quiz(number) for number in quiz_numbers()]
    asked = [(quiz.key(one), getattr(one, "key", "a")) for quiz in quizzes for one in quiz.questions]
    measured = [share(f"arm{n}.correct", 0.5, unit="share", notebook="02", at=f"{n}") for n in range(150)]
    files = {
        f"l{n:03}": export(
            {key: answer(right, f"2026-11-22T10:{n % 60:02}:{n // 60:02}+00:00") for key, right in asked}, measured
        )
        for n in range(100)
    }
    folder = write(**files)
    start = time.process_time()
    cohort = cohort_in(folder)
    assert len(cohort.learners) == 100 and cohort.skipped == ()
    # About one second in a process of its own, two and a half at the end of a long test run with a full heap.
    # Work that grows with learners times answers squared would take minutes.
    assert time.process_time() - start < 10


def test_a_file_that_is_not_allowed_to_be_read_is_listed(write, monkeypatch):
    folder = write(ann=export({"style": answer("a")}))

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    assert reasons(folder) == {"ann.json": "it cannot be read (Permission denied)"}


def test_a_missing_folder_raises_one_error(tmp_path):
    with pytest.raises(CourseError, match="There is no folder"):
        read_exports(tmp_path / "nowhere")


@pytest.mark.parametrize("name", sorted(OF_THE_SYSTEM))
def test_what_the_system_puts_into_a_folder_is_no_learner(name, write):
    folder = write(ann=export({"style": answer("a")}))
    (folder / name).write_bytes(b"\0\0")
    learners, skipped = read_exports(folder)
    assert [one.name for one in learners] == ["ann.json"] and skipped == []
