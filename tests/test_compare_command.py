"""The command: one report from a folder and a file, one sentence for whatever is wrong, and nothing asked for twice."""

import json
import os
import re
from pathlib import Path

import pytest
from filelock import FileLock
from test_compare_own_case import ARTICLES, PAIRS, Reader, Trained, Words, row, silent, write_case

from utils.command_line import INTERRUPTED
from utils.compare.__main__ import main
from utils.compare.folders import ANSWERS, DRAFTS, MARK, REPORT


class Desk:
    """A folder of documents and a question file, the model that answers, and the command."""

    def __init__(self, folder, monkeypatch):
        self.documents, self.questions = write_case(folder, [*map(row, PAIRS), *map(row, map(silent, range(4)))])
        self.out, self.model = folder / "out", Reader()
        monkeypatch.setattr("utils.models.load_embedder", Words)
        monkeypatch.setattr("utils.models.load_generator", self.load)
        self.asked_for = None

    def load(self, name=None):
        self.asked_for = name
        return self.model

    def run(self, *more, model=None, **named):
        self.model = model or Reader()
        paths = {"documents": self.documents, "questions": self.questions, "out": self.out} | named
        return main([*(f"--{name}={path}" for name, path in paths.items() if path), *more])


@pytest.fixture
def desk(tmp_path, monkeypatch):
    return Desk(tmp_path, monkeypatch)


def refusal(desk, capsys, *more, **named):
    """The one sentence on stderr of a run that ends with status 2."""
    assert desk.run(*more, **named) == 2
    said = capsys.readouterr().err
    line = [one for one in said.splitlines() if one.strip()][-1]  # bars may come before it
    assert line.endswith(".") and "Traceback" not in said
    return line


def test_a_folder_and_a_file_become_a_report(desk, capsys):
    (desk.documents / "broken.md").write_bytes(b"\0\1\2")
    assert desk.run("--company=Tent & Co", "--generator=smollm2") == 0
    said = capsys.readouterr().out
    assert "20 documents" in said and "skipped: broken.md" in said and "The report is" in said
    assert "RAG over bare question: +" in said and "well enough" in said
    assert desk.asked_for == "smollm2"
    report = (desk.out / REPORT).read_text()
    assert "Tent &amp; Co" in report and "broken.md" in report
    assert {path.name for path in desk.out.iterdir()} - {".lock"} == {MARK, ANSWERS, REPORT}


def test_a_second_run_asks_nothing_and_says_the_same(desk):
    assert desk.run() == 0
    first, asked = (desk.out / REPORT).read_text(), len(desk.model.asked)
    assert desk.run() == 0
    assert asked > 0 and desk.model.asked == [] and (desk.out / REPORT).read_text() == first


def test_a_run_that_was_killed_goes_on(desk, capsys, monkeypatch):
    monkeypatch.setattr("utils.compare.kept_answers.BATCH", 5)
    whole = Reader()
    assert desk.run(model=whole, out=desk.out.with_name("whole")) == 0
    assert desk.run(model=Reader(stop_after=27)) == INTERRUPTED
    said = capsys.readouterr().err
    assert "The answers so far are kept: run the same command again" in said
    kept = len((desk.out / ANSWERS).read_text().splitlines())
    assert kept >= 20 and not (desk.out / REPORT).exists()
    assert desk.run() == 0
    assert 0 < len(desk.model.asked) == len(whole.asked) - kept
    assert (desk.out / REPORT).read_text() == (desk.out.with_name("whole") / REPORT).read_text()


def test_another_model_and_another_company_are_asked_anew(desk):
    desk.run()
    asked = len(desk.model.asked)
    desk.run(model=Reader("another"))
    assert len(desk.model.asked) == asked
    desk.run("--company=Another")
    assert len(desk.model.asked) == asked


def test_other_settings_keep_the_answers_that_still_fit(desk):
    desk.run()
    asked = len(desk.model.asked)
    assert desk.run("--k=1") == 0
    assert 0 < len(desk.model.asked) < asked


def test_without_training_no_adapter_is_made(desk, monkeypatch):
    monkeypatch.setattr("utils.checksums.weights_sha256", lambda model: str(model))
    monkeypatch.setattr("utils.compare.arms.train_lora", pytest.fail)
    assert desk.run("--no-training", model=Trained()) == 0
    assert "Left out with --no-training." in (desk.out / REPORT).read_text()


def test_a_limit_uses_fewer_questions(desk, capsys):
    assert desk.run("--limit=10") == 0
    learned, judge = re.search(r"(\d+) questions to learn from, (\d+) that judge", capsys.readouterr().out).groups()
    assert int(learned) + int(judge) == 10
    assert "so the intervals are wide" in (desk.out / REPORT).read_text()


# What is wrong, in one sentence


def test_a_folder_without_documents(desk, capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has no file that can be read" in refusal(desk, capsys, documents=tmp_path / "empty")
    assert "does not exist" in refusal(desk, capsys, documents=tmp_path / "none")


def test_questions_that_are_missing_or_cannot_judge(desk, capsys):
    assert "name a file with --questions, or draft some" in refusal(desk, capsys, questions=None)
    desk.questions.write_text("")
    assert "has no question" in refusal(desk, capsys)
    desk.questions.write_text(json.dumps(row(silent(1))))
    assert "None of the 1 questions" in refusal(desk, capsys)
    desk.questions.write_text(json.dumps(row(PAIRS[0]) | {"question": "DRAFT: What?"}))
    assert "still drafts" in refusal(desk, capsys)


def test_a_folder_of_somebody_else_is_not_touched(desk, capsys):
    desk.out.mkdir()
    (desk.out / "thesis.txt").write_text("mine")
    assert "holds other files, such as thesis.txt: name a new or an empty one" in refusal(desk, capsys)
    assert [path.name for path in desk.out.iterdir()] == ["thesis.txt"]


def test_a_comparison_json_of_another_program_unlocks_nothing(desk, capsys):
    desk.out.mkdir()
    for content in ('{"made by": "another"}', "[1]", "no JSON", "[" * 100_000):
        (desk.out / MARK).write_text(content)
        assert "holds other files, such as comparison.json" in refusal(desk, capsys)
        assert (desk.out / MARK).read_text() == content


@pytest.mark.parametrize("name", [".DS_Store", "desktop.ini", "Thumbs.db"])
def test_what_file_managers_leave_in_a_folder_does_not_count(desk, name):
    desk.out.mkdir()
    (desk.out / name).write_bytes(b"\0")
    assert desk.run() == 0 and (desk.out / name).read_bytes() == b"\0"


def test_a_folder_under_another_spelling_is_the_same_where_capitals_do_not_count(desk, capsys, monkeypatch):
    other = desk.documents.with_name(desk.documents.name.upper())
    other.mkdir(exist_ok=True)
    monkeypatch.setattr("os.path.samefile", lambda one, two: str(one).lower() == str(two).lower())
    assert "the report would become one" in refusal(desk, capsys, out=other / "out")
    assert not (other / "out").exists()


def test_a_home_folder_of_nobody_is_an_ordinary_name(desk, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "does not exist" in refusal(desk, capsys, documents="~nosuchuser/x")
    desk.documents.rename(tmp_path / "~nosuchuser")
    assert desk.run(documents="~nosuchuser", out="~nosuchuser-out/x") == 0
    assert (tmp_path / "~nosuchuser-out" / "x" / REPORT).exists()


def test_an_output_among_the_documents_is_refused(desk, capsys):
    assert "the report would become one" in refusal(desk, capsys, out=desk.documents / "out")
    assert not (desk.documents / "out").exists()


def test_an_output_that_is_a_file(desk, capsys):
    desk.out.write_text("mine")
    assert "is a file: name a folder with --out" in refusal(desk, capsys)
    assert desk.out.read_text() == "mine"


def test_an_output_that_may_not_be_looked_at(desk, capsys, monkeypatch):
    exists = Path.exists

    def refused(path, **named):
        if path == desk.out.resolve():
            raise PermissionError(13, "Permission denied")
        return exists(path, **named)

    monkeypatch.setattr(Path, "exists", refused)
    assert "cannot be used (Permission denied): name another --out" in refusal(desk, capsys)


@pytest.mark.parametrize(("number", "words"), [(28, "The disk is full"), (13, "may not be written: name another")])
def test_a_disk_that_takes_nothing(desk, capsys, monkeypatch, number, words):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("utils.paths.os.replace", refuse)
    assert words in refusal(desk, capsys)


def test_a_disk_that_fills_up_keeps_what_is_there(desk, capsys, monkeypatch):
    assert desk.run() == 0
    report, answers = (desk.out / REPORT).read_bytes(), (desk.out / ANSWERS).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("utils.paths.os.replace", full)
    assert "The disk is full" in refusal(desk, capsys, "--k=1")
    assert ((desk.out / REPORT).read_bytes(), (desk.out / ANSWERS).read_bytes()) == (report, answers)


def test_two_runs_do_not_write_at_once(desk, capsys):
    assert desk.run() == 0
    with FileLock(desk.out / ".lock"):
        assert "Another comparison is writing into" in refusal(desk, capsys)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--k=0", "The number of passages is 0"),
        ("--limit=1", "The limit is 1"),
        ("--draft=0", "The number of drafts is 0"),
    ],
)
def test_numbers_that_make_no_sense(desk, capsys, option, words):
    assert words in refusal(desk, capsys, option)


def test_a_handful_of_questions_gives_no_verdict(desk, capsys):
    few = [*map(row, PAIRS[:12]), row(silent(0)), row(silent(1))]
    desk.questions.write_text("\n".join(json.dumps(one) for one in few))
    assert desk.run() == 0
    said = capsys.readouterr().out
    assert "questions judge, and at least 10 are needed to say which arm is ahead." in said
    assert "At least 10 are needed to judge a model by them." in said
    assert ": higher" not in said and "Next step" not in (desk.out / REPORT).read_text()


def test_files_of_other_kinds_are_named(desk, capsys):
    for name in ("prices.pptx", "old.doc", "older.doc", "LICENSE"):
        (desk.documents / name).write_bytes(b"x")
    assert desk.run() == 0
    said = "Not opened, since files of these kinds are not read: 1 without an ending, 2 .doc, 1 .pptx."
    assert said in capsys.readouterr().out and said in (desk.out / REPORT).read_text()


def test_arms_that_are_left_out_are_named_in_the_terminal(desk, capsys):
    assert desk.run("--no-training") == 0
    assert "LoRA is left out: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--seed=99999999999999999999", "'99999999999999999999' is no seed: give a whole number from 0 to 4294967295"),
        ("--documents=", "the name is empty, as of a variable that is not set"),
        ("--bar=2", "'2' is no share: give a number above 0 and up to 1, such as 0.7"),
        ("--bar=x", "'x' is no share: give a number above 0 and up to 1, such as 0.7"),
        ("--k=two", "invalid int value: 'two'"),
        ("--no-such", "unrecognized arguments: --no-such"),
    ],
)
def test_options_that_cannot_be_read(desk, capsys, option, said):
    with pytest.raises(SystemExit) as caught:
        desk.run(option)
    assert caught.value.code == 2 and said in capsys.readouterr().err


def test_a_name_cannot_steer_the_terminal(desk, capsys):
    (desk.documents / "x\x1b[2Jy.md").write_bytes(b"\0")
    assert desk.run() == 0
    said = capsys.readouterr().out
    assert "skipped: x[2Jy.md" in said and "\x1b[2J" not in said


# Drafts


def test_drafts_are_written_once_and_cannot_be_scored(desk, capsys):
    assert desk.run("--draft=6", questions=None) == 0
    assert "6 drafts are in" in capsys.readouterr().out
    drafts = desk.out / DRAFTS
    assert drafts.read_text().count("DRAFT: ") == 6
    assert drafts.read_bytes().startswith(b"\xef\xbb\xbf")  # or Excel shows accents as other signs
    assert "still drafts" in refusal(desk, capsys, questions=drafts)
    drafts.write_text(drafts.read_text().replace("DRAFT: ", ""))
    assert "may hold your corrections" in refusal(desk, capsys, "--draft=6", questions=None)
    assert desk.run(questions=drafts) == 0


def test_documents_without_a_number_give_no_draft(desk, capsys):
    for one in ARTICLES:
        (desk.documents / f"{one.id}.md").write_text("Only words are in this file, and no number.")
    assert "No sentence with a number" in refusal(desk, capsys, "--draft=3", questions=None)
