"""The evidence ledger: what was measured, when, with which versions."""

import errno
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest

from utils import ledger as ledger_module
from utils import storage
from utils.compare import as_points
from utils.errors import CourseError
from utils.evaluation import Difference, Interval, mean_interval
from utils.ledger import Ledger, show_number
from utils.paths import ROOT


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.json"


@pytest.fixture
def ledger(path):
    return Ledger.open(path)


def test_a_measurement_comes_back_with_its_circumstances(ledger, path):
    ledger.record("rag.correct", 0.92, low=0.88, high=0.95, notebook="02")
    found = Ledger.open(path).get("rag.correct")
    assert (found.value, found.low, found.high, found.unit, found.notebook) == (0.92, 0.88, 0.95, "share", "02")
    assert set(found.versions) <= {"torch", "transformers", "peft"}
    assert datetime.fromisoformat(found.at).tzinfo is not None
    assert ledger.value("rag.correct") == 0.92


def test_the_newest_counts_and_older_ones_are_kept(ledger, path):
    for value in (0.1, 0.2, 0.3):
        ledger.record("rag.correct", value)
    ledger.record("base.correct", 0.0)
    again = Ledger.open(path)
    assert again.value("rag.correct") == 0.3
    assert [measurement.value for measurement in again.history("rag.correct")] == [0.1, 0.2, 0.3]
    assert again.history("never.measured") == []


def test_the_table_has_one_row_a_key_in_order(ledger):
    assert ledger.table().empty
    ledger.record("rag.seconds", 1.25, unit="seconds", notebook="08")
    ledger.record("base.correct", 0.05, 0.01, 0.1, notebook="02")
    ledger.record("base.correct", 0.06, 0.02, 0.1, notebook="02")
    table = ledger.table()
    assert list(table.index) == ["base.correct", "rag.seconds"] and table.index.name == "key"
    assert list(table.columns) == ["value", "low", "high", "unit", "notebook", "questions", "at"]
    assert table.loc["base.correct", "value"] == 0.06 and table.loc["rag.seconds", "unit"] == "seconds"
    assert repr(ledger) == "Evidence ledger: 2 measurements"


def test_numbers_of_numpy_are_welcome(ledger):
    ledger.record("rag.correct", np.float32(0.5), np.float64(0.25), np.array(0.75))
    assert ledger.get("rag.correct").high == 0.75


def test_an_interval_brings_its_bounds(ledger):
    ledger.record("rag.correct", Interval(0.9, 0.8, 0.95), notebook="02", questions="dev")
    found = ledger.get("rag.correct")
    assert (found.value, found.low, found.high, found.questions) == (0.9, 0.8, 0.95, "dev")
    ledger.record("rag.correct", mean_interval([0, 1, 1, 1]))
    assert ledger.get("rag.correct").low < ledger.value("rag.correct") == 0.75
    with pytest.raises(CourseError, match="brings its own bounds"):
        ledger.record("rag.correct", Interval(0.9, 0.8, 0.95), low=0.7, high=1)


def test_a_difference_of_shares_is_recorded_in_points(ledger):
    ledger.record("rag_over_base.correct", Difference(-0.12, -0.21, 0.03), unit="points")
    found = ledger.get("rag_over_base.correct")
    assert (found.value, found.low, found.high, found.unit) == (-0.12, -0.21, 0.03, "points")
    assert found.in_words() == "-12 points" and found.interval_in_words() == "-21 to +3"


def test_bounds_in_words(ledger):
    for value, low, high, unit, words in [
        (0.92, 0.88, 0.953, "share", "88% to 95.3%"),
        (0.12, 0.03, 0.21, "points", "+3 to +21"),
        (1.2, 1, 1.5, "seconds", "1 to 1.5 seconds"),
        (0.5, None, None, "share", ""),
    ]:
        ledger.record("a.b", value, low, high, unit)
        assert ledger.get("a.b").interval_in_words() == words


def test_a_ledger_from_before_question_sets_is_still_read(path):
    path.write_text('{"version": 1, "latest": {"rag.correct": {"key": "rag.correct", "value": 0.5, "notebook": "02"}}}')
    found = Ledger.open(path).get("rag.correct")
    assert (found.value, found.questions) == (0.5, "")


def test_what_was_never_measured_is_named(ledger):
    assert ledger.get("rag.correct") is None
    with pytest.raises(CourseError, match="'rag.correct' yet: run the notebook"):
        ledger.value("rag.correct")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (("RAG correct", 0.5), 'a key has the form "rag.correct"'),
        (("correct", 0.5), 'a key has the form "rag.correct"'),
        (("rag.correct", 92), "a share and its interval lie between 0 and 1"),
        (("rag.correct", float("nan")), "finite"),
        (("rag.correct", float("inf")), "finite"),
        (("rag.correct", 0.5, 0.4), "both low and high"),
        (("rag.correct", 0.5, 0.6, 0.4), "upside down"),
        (("rag.correct", "many"), "plain numbers"),
        (("rag.correct", [0.5, 0.6]), "plain numbers"),
        (("rag.correct", None), "plain numbers"),
        (("rag.correct", -0.1), 'a difference of two shares is recorded with unit="points"'),
        (("rag.correct", Difference(0.1, -0.1, 0.3)), 'with unit="points"'),
        (("rag.correct", Interval(float("nan"), 0.1, 0.2)), "finite"),
        (("rag.correct", 12, None, None, "points"), "between -1 and 1; write 0.12 for 12 points"),
        (("rag.correct", 0.5, 0.4, 7, "points"), "between -1 and 1"),
        (("rag.correct", 0.5, 0.4, 7), "between 0 and 1"),
    ],
)
def test_a_measurement_that_makes_no_sense_is_refused_in_a_sentence(ledger, path, arguments, reason):
    with pytest.raises(CourseError) as caught:
        ledger.record(*arguments)
    assert reason in str(caught.value) and "\n" not in str(caught.value)
    assert not path.exists()


def test_numbers_in_words():
    assert show_number(0.92, "share") == "92%"
    assert show_number(0.998, "share") == "99.8%"
    assert show_number(1.0, "share") == "100%"
    assert show_number(1.2345, "seconds") == "1.23 seconds"
    assert show_number(0.12, "points") == "+12 points"
    assert show_number(-0.004, "points") == "-0.4 points"
    assert show_number(0.0, "points") == show_number(-0.0001, "points") == "0 points"


@pytest.mark.parametrize(
    "difference, words",
    [
        (Difference(0.31, 0.22, 0.4), "+31 points (95 % interval +22 to +40): higher"),
        (Difference(0.02, 0.004, 0.04), "+2 points (95 % interval +0.4 to +4): higher"),
        (Difference(-0.001, -0.005, 0.0), "-0.1 points (95 % interval -0.5 to 0): no clear difference"),
        (Difference(0.0, -0.0, 0.0), "0 points (95 % interval 0 to 0): no clear difference"),
    ],
)
def test_a_difference_in_words_never_hides_the_sign_that_its_verdict_rests_on(difference, words):
    assert as_points(difference) == words


def test_a_damaged_ledger_is_set_aside_and_reported(path, capsys):
    path.write_text('{"latest": {"rag.correct": {"key": "rag.correct", "value": "many"}}}')
    content = path.read_bytes()
    ledger = Ledger.open(path)
    (aside,) = path.parent.glob("ledger.unreadable-*.json")
    assert aside.read_bytes() == content
    assert capsys.readouterr().out.count(aside.name) == 1
    ledger.record("rag.correct", 0.5)
    assert Ledger.open(path).value("rag.correct") == 0.5
    assert capsys.readouterr().out == ""


def test_without_a_disk_it_keeps_measuring_and_says_so_once(ledger, path, monkeypatch, capsys):
    def refuse(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "write_atomically", refuse)
        ledger.record("rag.correct", 0.5)
        ledger.record("rag.correct", 0.6)
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "No space left on device" in out and "COURSE_LEDGER" in out
    assert ledger.value("rag.correct") == 0.6 and not path.exists()
    for value in (0.7, 0.8):  # the disk is back: everything is saved, and once only
        ledger.record("rag.correct", value)
    assert [found.value for found in Ledger.open(path).history("rag.correct")] == [0.5, 0.6, 0.7, 0.8]


def test_two_processes_lose_nothing(path):
    script = """
import sys
from pathlib import Path
from utils.ledger import Ledger
ledger = Ledger.open(Path(sys.argv[1]))
for number in range(15):
    ledger.record("shared.count", number, unit="runs", notebook=sys.argv[2])
"""
    command = [sys.executable, "-c", script, str(path)]
    writers = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("02", "06")]
    assert [writer.wait(timeout=300) for writer in writers] == [0, 0]
    history = Ledger.open(path).history("shared.count")
    for name in ("02", "06"):
        assert [found.value for found in history if found.notebook == name] == list(range(15))


def test_the_path_comes_from_the_environment(path, monkeypatch):
    monkeypatch.setenv("COURSE_LEDGER", str(path))
    Ledger.open().record("rag.correct", 0.5)
    assert path.is_file()


def test_versions_are_read_without_importing_the_packages(monkeypatch):
    monkeypatch.setattr(ledger_module, "PACKAGES", ("pydantic", "no-such-package"))
    ledger_module._versions.cache_clear()
    assert list(ledger_module._versions()) == ["pydantic"]
    ledger_module._versions.cache_clear()
