"""The evidence ledger: what was measured, when, with which versions."""

import errno
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest

from utils import ledger as ledger_module
from utils import storage
from utils.errors import CourseError
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
    assert list(table.columns) == ["value", "low", "high", "unit", "notebook", "at"]
    assert table.loc["base.correct", "value"] == 0.06 and table.loc["rag.seconds", "unit"] == "seconds"
    assert repr(ledger) == "Evidence ledger: 2 measurements"


def test_numbers_of_numpy_are_welcome(ledger):
    ledger.record("rag.correct", np.float32(0.5), np.float64(0.25), np.array(0.75))
    assert ledger.get("rag.correct").high == 0.75


def test_what_was_never_measured_is_named(ledger):
    assert ledger.get("rag.correct") is None
    with pytest.raises(CourseError, match="'rag.correct' yet: run the notebook"):
        ledger.value("rag.correct")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (("RAG correct", 0.5), 'a key reads like "rag.correct"'),
        (("correct", 0.5), 'a key reads like "rag.correct"'),
        (("rag.correct", 92), "a share lies between 0 and 1"),
        (("rag.correct", float("nan")), "finite"),
        (("rag.correct", float("inf")), "finite"),
        (("rag.correct", 0.5, 0.4), "both low and high"),
        (("rag.correct", 0.5, 0.6, 0.4), "upside down"),
        (("rag.correct", "many"), "plain numbers"),
        (("rag.correct", [0.5, 0.6]), "plain numbers"),
        (("rag.correct", None), "plain numbers"),
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
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
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
