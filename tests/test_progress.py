"""Progress on disk: shared, atomic, and never lost."""

import errno
import json
import os
import random
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from utils import storage
from utils.ledger import Ledger
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


def back_up(path):
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
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdout.close()
    assert set(Progress.load(path).answers()) == {f"{name}/{n}" for name in ("one", "two") for n in range(25)}
    assert back_up(path) == []


def test_death_between_writing_and_replacing_loses_nothing(path):
    Progress.load(path).record_answer("kept", "a")
    before = path.read_bytes()
    dying = start(DIES_WHILE_SAVING, path)
    assert dying.wait(timeout=300) == 9
    dying.stdout.close()
    assert path.read_bytes() == before
    after = Progress.load(path)
    after.record_answer("next", "b")
    assert set(Progress.load(path).answers()) == {"kept", "next"}
    assert after.take_notices() == []


def save_without_end(path, name, pipe):
    """Save answers and tell through the pipe which ones are saved, until killed."""
    progress, ledger = Progress.load(path), Ledger.open(path.with_name("ledger.json"))
    for number in range(100_000):
        progress.record_answer(f"{name}/{number}", "a")
        ledger.record(f"kill.n{name}_{number}", number, unit="runs")
        os.write(pipe, f"{name} {number}\n".encode())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_two_hundred_times_it_keeps_what_it_said_it_saved(path):
    """Answers and measurements, killed at any moment of a save.  Forked: starting Python 200 times takes minutes."""
    chance = random.Random(5)
    Ledger.open(path.with_name("ledger.json")).record("kill.start", 0, unit="runs")  # imports, before the forks
    said = {}
    killed_inside = 0
    for name in range(1000):
        if name >= 200 and killed_inside >= 20:
            break  # how many of 200 kills meet a save half done hangs on the machine: it was 18 once
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                save_without_end(path, name, writing)
            finally:
                os._exit(1)
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], 60)  # a fork may be stuck on another thread's lock
        told = os.read(reading, 100) if ready else b""  # at least one save is done, and the next is under way
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        with os.fdopen(reading) as pipe:
            said[name] = (told.decode() + pipe.read()).count("\n")
        killed_inside += bool(list(path.parent.glob(".*.tmp")))
    wanted = {f"{name}/{number}" for name, count in said.items() for number in range(count)}
    measured = {measurement.key for measurement in Ledger.open(path.with_name("ledger.json")).measurements()}
    assert wanted <= set(Progress.load(path).answers())
    assert {f"kill.n{key.replace('/', '_')}" for key in wanted} <= measured
    assert len(wanted) >= 200 and killed_inside >= 20, (len(wanted), killed_inside)
    assert back_up(path) == [] and list(path.parent.glob("ledger.unreadable*")) == []
    Progress.load(path).record_answer("after", "a")
    assert list(path.parent.glob(".progress*.tmp")) == [], "what killed saves left behind is swept up"


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
    (aside,) = back_up(path)
    assert aside.read_bytes() == content
    (notice,) = progress.take_notices()
    assert aside.name in notice and "Nothing was deleted" in notice and "\n" not in notice
    assert progress.take_notices() == []
    assert set(Progress.load(path).answers()) == {"new"}


def damaged_texts(chance, good):
    """Endlessly: a good file cut, patched with a byte, or with one value replaced."""
    odd = [None, [], -1, "", True, {"a": 1}, [[]], 10**30, "x" * 500]
    while True:
        if chance.random() < 0.5:
            cut, place = chance.randrange(len(good)), chance.randrange(len(good))
            yield good[:cut] + bytes([chance.randrange(256)]) + good[place:]
            continue
        data = json.loads(good)
        answer = data["answers"]["00/a@1"]
        target = chance.choice([data, data["answers"], answer])
        target[chance.choice(list(target))] = chance.choice(odd)
        yield json.dumps(data).encode()


def test_a_hundred_generated_malformed_files_are_set_aside_and_named(path):
    for letter in "ab":
        Progress.load(path).record_answer("00/a@1", letter, "certain", True)
    good = path.read_bytes()
    malformed = 0
    for content in damaged_texts(random.Random(7), good):
        path.write_bytes(content)
        progress = Progress.load(path)
        progress.answers()
        kept = [file for file in path.parent.iterdir() if file.suffix == ".json" and file.read_bytes() == content]
        assert kept, "the damaged file is gone"
        notices = progress.take_notices()
        assert len(notices) <= 1 and all("\n" not in notice and notice.endswith(".") for notice in notices)
        assert len(back_up(path)) <= len(notices)
        malformed += len(notices)
        for file in back_up(path):
            file.unlink()
        if malformed == 100:
            break


# Answers from another computer


def stories(progress):
    return {key: answer.story for key, answer in progress.answers().items()}


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Progress on another computer, whose answers are given an hour later."""
    progress = Progress.load(tmp_path / "other.json")

    def later(*answer):
        with monkeypatch.context() as patch:
            patch.setattr("utils.quiz.progress.now", lambda: "2099-01-01T00:00:00+00:00")
            progress.record_answer(*answer)

    progress.later = later
    return progress


def test_answers_from_elsewhere_are_added_and_the_later_one_counts(path, other):
    mine = Progress.load(path)
    mine.record_answer("mine", "a")
    mine.record_answer("both", "a")
    mine.record_answer("both", "b")
    other.later("theirs", "c")
    other.later("both", "d")
    assert mine.merge(other.answers()) == 2
    assert stories(mine) == {"mine": ("a",), "both": ("a", "b", "d"), "theirs": ("c",)}
    assert mine.merge(other.answers()) == 0 and stories(Progress.load(path)) == stories(mine)


def test_an_older_answer_from_elsewhere_changes_only_the_story(path, other):
    mine = Progress.load(path)
    other.record_answer("both", "d")
    mine.record_answer("both", "a")
    mine.record_answer("both", "b")
    mine._store.update(
        lambda document: document.answers.update(both=mine.answers()["both"].model_copy(update={"at": "9"}))
    )
    assert mine.merge(other.answers()) == 1
    assert stories(mine) == {"both": ("d", "a", "b")}
    assert mine.merge(other.answers()) == 0


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


def test_fields_that_a_later_course_adds_to_an_answer_are_kept(path):
    Progress.load(path).record_answer("k", "a")
    stored = json.loads(path.read_text())
    stored["answers"]["k"]["hint_used"] = True
    path.write_text(json.dumps(stored))
    Progress.load(path).record_answer("l", "b")
    assert json.loads(path.read_text())["answers"]["k"]["hint_used"] is True


def test_a_later_version_is_left_alone(path):
    content = '{"version": 2, "answers": [["k", "a"]]}'
    path.write_text(content)
    progress = Progress.load(path)
    progress.record_answer("new", "a")
    assert path.read_text() == content and back_up(path) == []
    assert set(progress.answers()) == {"new"}
    (notice,) = progress.take_notices()
    assert "later version of the course" in notice and "update the course" in notice.lower()
    assert "COURSE_PROGRESS" not in notice, "moving the file would hide the answers that are in it"


def assert_kept_in_memory(progress, reason):
    progress.record_answer("x", "a")
    progress.record_answer("y", "b")
    assert set(progress.answers()) == {"x", "y"}
    (notice,) = progress.take_notices()
    assert "kept only until this notebook closes" in notice and "COURSE_PROGRESS" in notice
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
    for lost, kept in ("xy", "vw"):  # the second time is news again
        with monkeypatch.context() as patch:
            patch.setattr(storage, "write_atomically", refuse)
            progress.record_answer(lost, "a")
        (notice,) = progress.take_notices()
        assert "No space left" in notice and lost not in Progress.load(path).answers()
        progress.record_answer(kept, "b")
        assert {lost, kept} <= set(Progress.load(path).answers())


def test_a_lock_held_too_long_keeps_the_answer(path, monkeypatch):
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.1)
    holder, waiter = Progress.load(path), Progress.load(path)
    with holder._store._lock:
        waiter.record_answer("x", "a")
        assert set(waiter.answers()) == {"x"}
    waiter.record_answer("y", "a")
    assert set(holder.answers()) == {"x", "y"}


def test_a_held_lock_costs_its_wait_once_and_not_per_call(path, monkeypatch):
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.5)
    holder, waiter = Progress.load(path), Progress.load(path)
    holder.record_answer("old", "a")
    waits = noted_waits(waiter, monkeypatch)
    with holder._store._lock:
        for name in "xyz":
            waiter.record_answer(name, "a")
        assert waits == [0.5, 0, 0]
        assert set(waiter.answers()) == {"old", "x", "y", "z"}
        (notice,) = waiter.take_notices()
        assert "another program" in notice and notice.endswith(".") and "\n" not in notice
    waiter.record_answer("last", "a")
    assert set(holder.answers()) == {"old", "x", "y", "z", "last"}, "the lock is tried again at each call"


def test_once_the_lock_is_free_a_short_wait_is_worth_it_again(path, monkeypatch):
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.2)
    holder, waiter = Progress.load(path), Progress.load(path)
    waits = noted_waits(waiter, monkeypatch)
    with holder._store._lock:
        waiter.record_answer("x", "a")
    waiter.record_answer("y", "a")
    with holder._store._lock:
        waiter.record_answer("z", "a")
    assert waits == [0.2, 0, 0.2]


def noted_waits(progress, monkeypatch):
    """How many seconds each call is ready to wait for the lock, in a list that grows."""
    waits, acquire = [], progress._store._lock.acquire

    def noting(timeout):
        waits.append(timeout)
        return acquire(timeout=timeout)

    monkeypatch.setattr(progress._store._lock, "acquire", noting)
    return waits


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
@pytest.mark.parametrize("content", ['{"version": 1}', "{"], ids=["good", "damaged"])
def test_a_linked_file_stays_a_link(path, tmp_path, content):
    target = tmp_path / "synced" / "target.json"
    target.parent.mkdir()
    target.write_text(content)
    target.chmod(0o600)
    path.symlink_to(target)
    Progress.load(path).record_answer("k", "a")
    assert path.is_symlink() and set(Progress.load(target).answers()) == {"k"}
    if content == "{":
        (aside,) = target.parent.glob("target.unreadable-*.json")
        assert aside.read_text() == "{" and aside.stat().st_mode & 0o777 == 0o600
    else:
        assert target.stat().st_mode & 0o777 == 0o600, "what was private stays private"


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
def test_two_names_of_one_file_share_one_lock(path, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.1)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    with Progress.load(path)._store._lock:
        progress = Progress.load(link)
        progress.record_answer("k", "a")
        assert progress.take_notices() != []


def test_the_card_shows_the_notice(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    card = open_quiz("02").card("wrong_price")
    card.option_buttons[1].click()
    card.check_button.click()
    assert "<strong>Right.</strong>" in card.feedback.value and "cannot be saved" in card.feedback.value
    card.option_buttons[0].click()
    card.check_button.click()
    assert "cannot be saved" not in card.feedback.value


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_device_in_the_place_of_the_file_is_never_replaced(path):
    """Such as COURSE_PROGRESS=/dev/null in a container, whose user may replace it."""
    os.mkfifo(path)
    progress = Progress.load(path)
    progress.record_answer("k", "a")
    assert stat.S_ISFIFO(path.stat().st_mode) and set(progress.answers()) == {"k"}
    assert len(progress.take_notices()) == 1
