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


@pytest.mark.parametrize("variable, function", [("COURSE_PROGRESS", "progress_file"), ("COURSE_LEDGER", "ledger_file")])
def test_personal_files_follow_their_variable(monkeypatch, tmp_path, variable, function):
    monkeypatch.setenv(variable, str(tmp_path / "mine.json"))
    assert getattr(paths, function)() == tmp_path / "mine.json"
    monkeypatch.setenv(variable, "~/mine.json")
    assert getattr(paths, function)() == Path.home() / "mine.json"
    monkeypatch.setenv(variable, "~no-such-user/mine.json")
    with pytest.raises(CourseError, match=f"{variable} names a folder of a user"):
        getattr(paths, function)()
    monkeypatch.delenv(variable)
    default = getattr(paths, function)()
    assert default.is_absolute() and default.parent.name == "finetune-or-rag" and default.suffix == ".json"


@pytest.mark.parametrize("variable, function", [("COURSE_PROGRESS", "progress_file"), ("COURSE_LEDGER", "ledger_file")])
def test_a_relative_name_means_the_same_file_from_every_folder(monkeypatch, tmp_path, variable, function):
    monkeypatch.setenv(variable, "mine/mine.json")
    found = []
    for folder in (tmp_path, paths.ROOT, paths.SOLUTIONS):
        monkeypatch.chdir(folder)
        found.append(getattr(paths, function)())
    assert found == [paths.ROOT / "mine" / "mine.json"] * 3


class TestTheLedgerOfAnotherModel:
    @pytest.fixture(autouse=True)
    def plain(self, monkeypatch, tmp_path):
        monkeypatch.setenv("COURSE_LEDGER", str(tmp_path / "ledger.json"))
        for name in paths.OTHER_MODELS:
            monkeypatch.delenv(name, raising=False)
        self.folder, self.set = tmp_path, monkeypatch.setenv

    def test_the_course_s_own_model_keeps_the_plain_name(self):
        assert paths.ledger_file() == self.folder / "ledger.json"
        self.set("COURSE_MODEL", "qwen3")  # of a server that is not asked
        self.set("COURSE_GENERATOR", " ")
        assert paths.ledger_file() == self.folder / "ledger.json"

    def test_each_model_has_its_own(self):
        names = [("smollm2", ""), ("../models/x", ""), ("http://127.0.0.1/v1", "a"), ("http://127.0.0.1/v1", "b")]
        files = []
        for generator, model in names:
            self.set("COURSE_GENERATOR", generator)
            self.set("COURSE_MODEL", model)
            files.append(paths.ledger_file())
        assert len(set(files)) == 4 and {file.parent for file in files} == {self.folder}
        assert files[0].name.startswith("ledger-smollm2-") and all(file.suffix == ".json" for file in files)

    @pytest.mark.parametrize(
        ("one", "other"), [("smollm2", "SmolLM2 "), ("http://127.0.0.1/v1", "http://127.0.0.1/v1/")]
    )
    def test_one_model_has_one(self, one, other):
        self.set("COURSE_GENERATOR", one)
        first = paths.ledger_file()
        self.set("COURSE_GENERATOR", other)
        assert paths.ledger_file() == first
        assert paths.ledger_file(own=True) == self.folder / "ledger.json"

    def test_a_model_on_a_server_makes_no_other_of_a_loaded_one(self):
        self.set("COURSE_GENERATOR", "smollm2")
        first = paths.ledger_file()
        self.set("COURSE_MODEL", "qwen3")
        assert paths.ledger_file() == first

    def test_another_embedder_has_its_own(self):
        self.set("COURSE_EMBEDDER", "some/embedder")
        assert paths.ledger_file().name.startswith("ledger-embedder-")

    @pytest.mark.parametrize("address", ["https://me:SECRET@host/v1", "https://host/v1?key=SECRET"])
    def test_no_part_of_an_address_is_in_the_name(self, address):
        self.set("COURSE_GENERATOR", address)
        assert "SECRET" not in paths.ledger_file().name.upper()
