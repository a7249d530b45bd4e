"""Progress on disk: shared, atomic, and never lost."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from utils import storage
from utils.paths import ROOT
from utils.quiz import open_quiz
from utils.quiz.progress import Progress

WRITER = """
import sys
from pathlib import Path
from utils.quiz.progress import Progress
progress = Progress.load(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    progress.record_answer(f"{sys.argv[2]}/{number}", "a")
    print(number, flush=True)
assert progress.take_notices() == []
"""
DIES_WHILE_SAVING = """
import os, sys
from pathlib import Path
from utils.quiz.progress import Progress
os.replace = lambda *paths: os._exit(9)
Progress.load(Path(sys.argv[1])).record_answer("dying", "a")
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.json"


def start(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def set_aside(path):
    return sorted(path.parent.glob("progress.unreadable-*.json"))


def test_answers_come_back_in_another_session(path):
    Progress.load(path).record_answer("00/a@1", "b", "certain", None)
    (answer,) = Progress.load(path).answers().values()
    assert (answer.option, answer.confidence, answer.right) == ("b", "certain", None)
    assert json.loads(path.read_text())["version"] == 1


def test_nothing_is_written_before_the_first_answer(path):
    assert Progress.load(path).answers() == {}
    assert list(path.parent.iterdir()) == []


def test_the_path_comes_from_the_environment(path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", str(path.parent / "new" / "mine.json"))
    Progress.load().record_answer("k", "a")
    assert (path.parent / "new" / "mine.json").is_file()


def test_two_open_sessions_see_each_other(path):
    one, two = Progress.load(path), Progress.load(path)
    one.record_answer("x", "a")
    two.record_answer("y", "b")
    one.record_answer("z", "a")
    assert set(one.answers()) == set(two.answers()) == {"x", "y", "z"}


def test_two_processes_lose_nothing(path):
    writers = [start(WRITER, path, name, 25) for name in ("one", "two")]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdout.close()
    assert set(Progress.load(path).answers()) == {f"{name}/{n}" for name in ("one", "two") for n in range(25)}
    assert set_aside(path) == []


def test_death_between_writing_and_replacing_loses_nothing(path):
    Progress.load(path).record_answer("kept", "a")
    before = path.read_bytes()
    dying = start(DIES_WHILE_SAVING, path)
    assert dying.wait(timeout=60) == 9
    dying.stdout.close()
    assert path.read_bytes() == before
    after = Progress.load(path)
    after.record_answer("next", "b")
    assert set(Progress.load(path).answers()) == {"kept", "next"}
    assert after.take_notices() == []


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_killed_at_any_moment_it_keeps_what_it_said_it_saved(path):
    chance = random.Random(5)
    saved = set()
    for round in range(5):
        writer = start(WRITER, path, round, 100_000)
        saved |= {f"{round}/{writer.stdout.readline().strip()}"}
        time.sleep(chance.uniform(0, 0.05))
        writer.send_signal(signal.SIGKILL)
        said = writer.stdout.read().splitlines(keepends=True)
        writer.wait(timeout=60)
        writer.stdout.close()
        saved |= {f"{round}/{line.strip()}" for line in said if line.endswith("\n")}
        assert saved <= set(Progress.load(path).answers())
    assert set_aside(path) == []


MALFORMED = [
    b"", b"{", b"null", b"[]", b"7", b'"text"', b"\xff\xfe\x00", b'{"version": "x"}', b'{"answers": 3}',
    b'{"answers": {"k": 3}}', b'{"answers": {"k": {}}}', b'{"answers": {"k": {"option": null}}}',
    b'{"version": 1, "answers": {"k": {"option": "a"}}', b'{"a": ' + b"[" * 5000, b"\x00" * 100,
]  # fmt: skip


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_a_damaged_file_is_set_aside_and_reported_once(path, content):
    path.write_bytes(content)
    progress = Progress.load(path)
    assert progress.answers() == {}
    progress.record_answer("new", "a")
    (aside,) = set_aside(path)
    assert aside.read_bytes() == content
    (notice,) = progress.take_notices()
    assert aside.name in notice and "nothing was deleted" in notice and "\n" not in notice
    assert progress.take_notices() == []
    assert set(Progress.load(path).answers()) == {"new"}


def test_a_generated_hundred_of_damaged_files_loses_nothing(path):
    Progress.load(path).record_answer("00/a@1", "b", "certain")
    good = path.read_bytes()
    chance = random.Random(7)
    for _ in range(100):
        cut, place = chance.randrange(len(good)), chance.randrange(len(good))
        content = good[:cut] + bytes([chance.randrange(256)]) + good[place:]
        path.write_bytes(content)
        progress = Progress.load(path)
        progress.answers()
        kept = [file for file in path.parent.iterdir() if file.suffix == ".json" and file.read_bytes() == content]
        assert kept, "the damaged file is gone"
        assert len(progress.take_notices()) == len(set_aside(path))
        for file in set_aside(path):
            file.unlink()


def test_open_quiz_reports_a_damaged_file_and_goes_on(path, monkeypatch, capsys):
    path.write_text("{")
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    quiz = open_quiz("02")
    assert "was set aside as progress.unreadable-" in capsys.readouterr().out
    quiz.answer("wrong_price", "b")
    assert capsys.readouterr().out.count("\n") == 1
    assert len(Progress.load(path).answers()) == 1


def test_fields_of_a_later_course_are_kept(path):
    path.write_text('{"version": 1, "answers": {}, "badges": ["first"]}')
    Progress.load(path).record_answer("k", "a")
    assert json.loads(path.read_text())["badges"] == ["first"]


def test_a_later_version_is_left_alone(path):
    content = '{"version": 2, "answers": [["k", "a"]]}'
    path.write_text(content)
    progress = Progress.load(path)
    progress.record_answer("new", "a")
    assert path.read_text() == content and set_aside(path) == []
    assert set(progress.answers()) == {"new"}
    (notice,) = progress.take_notices()
    assert "later version of the course" in notice


def assert_kept_in_memory(progress, reason):
    progress.record_answer("x", "a")
    progress.record_answer("y", "b")
    assert set(progress.answers()) == {"x", "y"}
    (notice,) = progress.take_notices()
    assert "kept until this notebook closes" in notice and "COURSE_PROGRESS" in notice
    assert reason in notice, notice


def test_without_a_folder_to_write_in_answers_stay_in_memory(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    assert_kept_in_memory(Progress.load(tmp_path / "file" / "progress.json"), "file")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere, Windows differs")
def test_in_a_read_only_folder_answers_stay_in_memory(path):
    Progress.load(path).record_answer("old", "a")
    path.parent.chmod(0o500)
    try:
        progress = Progress.load(path)
        assert set(progress.answers()) == {"old"}
        progress.record_answer("new", "a")
        assert set(progress.answers()) == {"old", "new"}
        assert "Permission denied" in progress.take_notices()[0]
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_disk_that_refuses_is_reported_and_nothing_is_overwritten(path, monkeypatch, number):
    Progress.load(path).record_answer("x", "b")
    before = path.read_bytes()

    def refuse(*arguments, **named):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    assert_kept_in_memory(Progress.load(path), os.strerror(number))
    assert path.read_bytes() == before


def test_a_damaged_file_that_cannot_be_moved_is_not_overwritten(path, monkeypatch):
    path.write_text("{")

    def refuse(self, target):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "rename", refuse)
    assert_kept_in_memory(Progress.load(path), os.strerror(errno.EACCES))
    assert path.read_text() == "{"


def test_what_was_kept_in_memory_is_saved_when_the_disk_is_back(path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    progress = Progress.load(path)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_atomically", refuse)
        progress.record_answer("x", "a")
    assert not path.exists()
    progress.record_answer("y", "b")
    assert set(Progress.load(path).answers()) == {"x", "y"}


def test_a_lock_held_too_long_keeps_the_answer(path, monkeypatch):
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.1)
    holder, waiter = Progress.load(path), Progress.load(path)
    with holder._store._lock:
        waiter.record_answer("x", "a")
        assert set(waiter.answers()) == {"x"}
    waiter.record_answer("y", "a")
    assert set(holder.answers()) == {"x", "y"}


def test_the_card_shows_the_notice(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    card = open_quiz("02").card("wrong_price")
    card.option_buttons[1].click()
    assert "<strong>Right.</strong>" in card.feedback.value and "cannot be saved" in card.feedback.value
    card.option_buttons[0].click()
    assert "cannot be saved" not in card.feedback.value
