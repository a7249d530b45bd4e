"""Paths of the checkout, and files that are written whole or not at all."""

import errno
import os
import stat
from functools import partial
from pathlib import Path

import pytest

from utils import paths
from utils.errors import CourseError
from utils.paths import write_atomically


def fail_with(number):
    def failing(*arguments, **named):
        raise OSError(number, os.strerror(number))

    return failing


def open_the_full_device(original, path, mode, **named):
    return original("/dev/full", "w", **named)


def test_root_is_the_checkout():
    assert (paths.ROOT / "pyproject.toml").is_file()
    assert [path.name for path in (paths.NOTEBOOKS, paths.SOLUTIONS, paths.DATASETS, paths.MODELS)] == [
        "notebooks", "solutions", "datasets", "models",
    ]  # fmt: skip
    assert all(path.parent == paths.ROOT for path in (paths.NOTEBOOKS, paths.SOLUTIONS, paths.DATASETS, paths.MODELS))


def test_write_makes_folders_and_keeps_bytes(tmp_path):
    path = tmp_path / "new" / "folder" / "a.json"
    write_atomically(path, "één\nregel\n")
    assert path.read_bytes() == "één\nregel\n".encode()
    write_atomically(path, "two")
    assert path.read_text() == "two"
    assert os.listdir(path.parent) == ["a.json"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_written_file_can_be_read_by_those_who_can_read_new_files(tmp_path):
    (tmp_path / "plain").write_text("x")
    write_atomically(tmp_path / "ours", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize(
    "number, words",
    [
        (errno.ENOSPC, "The disk is full"),
        (errno.EROFS, "may not be written here"),
        (errno.EACCES, "may not be written here"),
        (errno.EIO, "was not written"),
    ],
)
def test_a_failed_write_says_one_sentence_and_leaves_the_old_file(tmp_path, monkeypatch, function, number, words):
    path = tmp_path / "progress.json"
    path.write_text("old")
    monkeypatch.setattr(os, function, fail_with(number))
    with pytest.raises(CourseError, match=words) as caught:
        write_atomically(path, "new")
    sentence = str(caught.value)
    assert str(path) in sentence and sentence.count("\n") == 0 and sentence.endswith(".")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["progress.json"]


def test_a_folder_that_cannot_be_made_is_reported_too(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CourseError, match="was not written"):
        write_atomically(tmp_path / "file" / "inside.json", "text")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no full device")
def test_a_really_full_disk_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "open", partial(open_the_full_device, open), raising=False)
    with pytest.raises(CourseError, match="The disk is full"):
        write_atomically(tmp_path / "a.json", "text")


@pytest.mark.parametrize("variable, function", [("COURSE_PROGRESS", "progress_file"), ("COURSE_LEDGER", "ledger_file")])
def test_personal_files_follow_their_variable(monkeypatch, tmp_path, variable, function):
    monkeypatch.setenv(variable, str(tmp_path / "mine.json"))
    assert getattr(paths, function)() == tmp_path / "mine.json"
    monkeypatch.setenv(variable, "~/mine.json")
    assert getattr(paths, function)() == Path.home() / "mine.json"
    monkeypatch.delenv(variable)
    default = getattr(paths, function)()
    assert default.is_absolute() and default.parent.name == "finetune-or-rag" and default.suffix == ".json"
