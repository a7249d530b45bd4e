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
    return original("/dev/full", mode.replace("x", "w"), **named)


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


def test_what_cannot_be_encoded_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "a.json", "half a letter: \ud800")
    assert os.listdir(tmp_path) == ["a.json"] and (tmp_path / "a.json").read_text() == "old"


def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(number):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a.json", "new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_written_file_can_be_read_by_those_who_can_read_new_files(tmp_path):
    (tmp_path / "plain").write_text("x")
    write_atomically(tmp_path / "ours", "x")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "private.json"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, "new")
    assert (path.read_text(), mode_of(path)) == ("new", mode)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permission bits")
def test_a_private_file_is_never_open_to_others_while_it_is_written(tmp_path, monkeypatch):
    path = tmp_path / "private.json"
    path.write_text("old")
    path.chmod(0o600)
    modes = []
    monkeypatch.setattr(os, "fsync", lambda file: modes.append(stat.S_IMODE(os.fstat(file).st_mode)))
    write_atomically(path, "new")
    assert modes == [0o600]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_a_link_and_its_target_is_written(tmp_path, there):
    target, link = tmp_path / "synced" / "mine.json", tmp_path / "mine.json"
    target.parent.mkdir()
    if there:
        target.write_text("old")
    link.symlink_to(Path("synced") / "mine.json")
    write_atomically(link, "new")
    assert link.is_symlink() and target.read_text() == link.read_text() == "new"
    assert [os.listdir(target.parent), sorted(os.listdir(tmp_path))] == [["mine.json"], ["mine.json", "synced"]]


@pytest.mark.skipif(os.name == "nt", reason="Windows lets only administrators make links")
def test_what_a_killed_process_leaves_is_found_beside_the_target_of_a_link(tmp_path, monkeypatch):
    (tmp_path / "synced").mkdir()
    link = tmp_path / "mine.json"
    link.symlink_to(tmp_path / "synced" / "mine.json")
    with monkeypatch.context() as patch:
        patch.setattr(paths, "_forget", lambda path: None)
        patch.setattr(os, "replace", fail_with(errno.EIO))
        with pytest.raises(CourseError):
            write_atomically(link, "new")
    (left,) = paths.left_behind(link)
    assert left.parent == tmp_path / "synced"


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
