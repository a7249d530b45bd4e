"""The doctor names what is wrong, and how to fix it, in one line each."""

import builtins
import importlib.metadata
import os
import shutil
import sys
from collections import namedtuple
from functools import partial
from types import ModuleType, SimpleNamespace

import psutil
import pytest

from utils.course import __main__ as command_line
from utils.course import doctor
from utils.course.doctor import Finding
from utils.errors import CourseError

CORRUPTED = "models/generator/model.safetensors is not the published file: run `git checkout -- models`."


@pytest.fixture
def healthy(monkeypatch):
    """Stand-ins for the modules whose files the doctor has checked, all well."""
    models, datasets = ModuleType("utils.models"), ModuleType("utils.datasets")
    models.verify_generator = models.embedder_folder = lambda: None
    datasets.load_articles = lambda: ["article"]
    datasets.load_questions = lambda part: ["question"] if part == "test" else []
    monkeypatch.setitem(sys.modules, "utils.models", models)
    monkeypatch.setitem(sys.modules, "utils.datasets", datasets)
    return SimpleNamespace(models=models, datasets=datasets)


def pinned(tmp_path, *lines):
    path = tmp_path / "requirements.txt"
    path.write_text("# a comment\n\n" + "\n".join(lines))
    return path


def found(name):
    (finding,) = [finding for finding in doctor.diagnose() if finding.name == name]
    return finding


def raising(problem):
    def check(*arguments):
        raise problem

    return check


class TestPackages:
    def test_installed_as_pinned(self, tmp_path):
        version = importlib.metadata.version("pytest")
        finding = doctor.check_packages(pinned(tmp_path, f"pytest=={version}  # runs this"))
        assert finding == Finding("packages", "ok", "1 installed as pinned")

    def test_a_missing_and_a_wrong_package_are_named_with_the_fix(self, tmp_path):
        finding = doctor.check_packages(pinned(tmp_path, "no-such-package==1.0", "pytest==0.1"))
        assert finding.verdict == "fix"
        assert "no-such-package is not installed" in finding.sentence
        assert f"pytest is {importlib.metadata.version('pytest')}, not 0.1" in finding.sentence
        assert "make lab" in finding.sentence

    def test_a_local_build_of_the_pinned_version_is_fine(self, tmp_path, monkeypatch):
        monkeypatch.setattr(importlib.metadata, "version", lambda name: "2.13.0+cpu")
        assert doctor.check_packages(pinned(tmp_path, "torch==2.13.0")).verdict == "ok"
        assert doctor.check_packages(pinned(tmp_path, "torch==2.13.1")).verdict == "fix"

    def test_conda_s_name_for_faiss_counts(self, tmp_path, monkeypatch):
        def version(name):
            if name != "faiss":
                raise importlib.metadata.PackageNotFoundError(name)
            return "1.15.1"

        monkeypatch.setattr(importlib.metadata, "version", version)
        assert doctor.check_packages(pinned(tmp_path, "faiss-cpu==1.15.1")).verdict == "ok"
        assert doctor.check_packages(pinned(tmp_path, "faiss-gpu==1.15.1")).verdict == "fix"

    def test_a_range_is_refused(self):
        with pytest.raises(CourseError, match="'numpy>=2' is not pinned"):
            doctor.parse_pins("torch==2.13.0\nnumpy>=2\n")


@pytest.mark.parametrize(
    "version, verdict", [((3, 11, 9), "ok"), ((3, 13, 0), "ok"), ((3, 14, 0), "fix"), ((3, 10, 0), "fix")]
)
def test_python_must_be_the_pinned_one(monkeypatch, version, verdict):
    monkeypatch.setattr(sys, "version_info", version)
    finding = doctor.check_python()
    assert finding.verdict == verdict
    assert ".".join(map(str, version)) in finding.sentence
    assert (verdict == "ok") or "needs 3.11, 3.12 or 3.13" in finding.sentence


class TestFiles:
    def test_all_well(self, healthy):
        assert [found(name).verdict for name in ("generator", "embedder", "datasets")] == ["ok"] * 3

    def test_a_share_of_the_questions_is_a_note(self, healthy, monkeypatch):
        monkeypatch.setenv("COURSE_SHARE", "0.5")
        finding = found("datasets")
        assert finding.verdict == "note" and finding.sentence.endswith("a share of 0.5 (COURSE_SHARE)")
        monkeypatch.setenv("COURSE_SHARE", "half")
        finding = found("datasets")
        assert finding.verdict == "fix" and finding.sentence.startswith("COURSE_SHARE is 'half'")

    def test_a_corrupted_model_is_one_sentence(self, healthy):
        healthy.models.verify_generator = raising(CourseError(CORRUPTED))
        assert found("generator") == Finding("generator", "fix", CORRUPTED)
        assert found("embedder").verdict == "ok"

    def test_a_missing_embedder_is_one_sentence(self, healthy):
        healthy.models.embedder_folder = raising(CourseError("The embedder is gone: install it."))
        assert found("embedder") == Finding("embedder", "fix", "The embedder is gone: install it.")

    @pytest.mark.parametrize("problem", [OSError("cannot read x"), ValueError("bad line 3 of y\nTraceback")])
    def test_a_surprise_is_one_line_and_does_not_end_the_visit(self, healthy, problem):
        healthy.datasets.load_articles = raising(problem)
        assert found("datasets") == Finding("datasets", "fix", str(problem).splitlines()[0])

    def test_packages_that_are_missing_are_blamed_not_the_model(self, healthy, monkeypatch):
        monkeypatch.setitem(sys.modules, "utils.models", None)
        finding = found("generator")
        assert finding.verdict == "fix" and "cannot be checked" in finding.sentence and "make lab" in finding.sentence


class TestMachine:
    Memory = namedtuple("Memory", "available")
    Disk = namedtuple("Disk", "total used free")

    @pytest.mark.parametrize("free, verdict", [(1.9, "fix"), (2.1, "note"), (2.9, "note"), (3.1, "ok")])
    def test_memory(self, monkeypatch, free, verdict):
        monkeypatch.setattr(psutil, "virtual_memory", lambda: self.Memory(free * 2**30))
        monkeypatch.setattr(doctor, "_container_room", lambda: None)
        finding = doctor.check_memory()
        assert finding.verdict == verdict and f"{free} GiB" in finding.sentence

    def group(self, folder, limit, used, given_up):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{limit}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {given_up}\n")

    def test_a_container_s_limit_counts(self, monkeypatch, tmp_path):
        self.group(tmp_path, 2 * 2**30, 2**30, 0)
        room_in = doctor._container_room
        room = partial(room_in, tmp_path, tmp_path / "no-such-file")
        assert room() == 2**30
        monkeypatch.setattr(doctor, "_container_room", room)
        assert doctor.check_memory().verdict == "fix"
        self.group(tmp_path, "max", 2**30, 0)
        assert room() is None
        assert room_in(tmp_path / "elsewhere", tmp_path / "no-such-file") is None

    def test_files_that_were_read_leave_room(self, tmp_path):
        self.group(tmp_path, 4 * 2**30, 4 * 2**30, 3 * 2**30)
        assert doctor._container_room(tmp_path, tmp_path / "no-such-file") == 3 * 2**30

    def test_a_hub_s_limit_on_the_process_s_own_group_counts(self, tmp_path):
        (tmp_path / "own").write_text("1:name=systemd:/x\n0::/hub/user-1.service\n")
        self.group(tmp_path / "hub", "max", 5, 0)
        self.group(tmp_path / "hub" / "user-1.service", 2**30, 2**29, 0)
        assert doctor._container_room(tmp_path, tmp_path / "own") == 2**29
        self.group(tmp_path / "hub", 2**29, 2**28, 0)
        assert doctor._container_room(tmp_path, tmp_path / "own") == 2**28

    def test_memory_without_psutil_is_a_note(self, monkeypatch):
        original = builtins.__import__

        def importing(name, *arguments):
            if name == "psutil":
                raise ImportError(name)
            return original(name, *arguments)

        monkeypatch.setattr(builtins, "__import__", importing)
        assert doctor.check_memory().verdict == "note"

    @pytest.mark.parametrize("free, verdict", [(1.9, "fix"), (2.1, "ok")])
    def test_disk(self, monkeypatch, free, verdict):
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: self.Disk(0, 0, free * 2**30))
        finding = doctor.check_disk()
        assert finding.verdict == verdict and f"{free} GiB" in finding.sentence
        assert (verdict == "ok") or "free some space" in finding.sentence

    def test_a_read_only_checkout_is_only_a_note(self, monkeypatch, tmp_path):
        assert doctor.check_checkout(tmp_path).verdict == "ok"
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        finding = doctor.check_checkout(tmp_path)
        assert finding.verdict == "note" and "edits are not saved" in finding.sentence

    def test_progress_that_cannot_be_kept_is_a_note_with_the_fix(self, monkeypatch, tmp_path):
        monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "open" / "not yet" / "progress.json"))
        monkeypatch.setenv("COURSE_LEDGER", str(tmp_path / "closed" / "ledger.json"))
        (tmp_path / "closed").mkdir()
        assert doctor.check_progress().verdict == "ok"
        monkeypatch.setattr(os, "access", lambda path, mode: path.name != "closed")
        finding = doctor.check_progress()
        assert finding.verdict == "note" and "ledger.json cannot be written" in finding.sentence
        assert "set COURSE_PROGRESS and COURSE_LEDGER" in finding.sentence
        (tmp_path / "closed" / "ledger.json").write_text("{}")  # writable itself, but no new file can take its place
        assert doctor.check_progress().verdict == "note"


class TestReport:
    FINDINGS = [Finding("a", "ok", "fine"), Finding("b", "note", "limited"), Finding("c", "fix", "broken")]

    def test_one_line_each_and_quiet_hides_what_is_ok(self, capsys):
        assert doctor.report(self.FINDINGS) is False
        assert capsys.readouterr().out == "ok   a: fine\nnote b: limited\nfix  c: broken\n"
        assert doctor.report(self.FINDINGS[:2], quiet=True) is True
        assert capsys.readouterr().out == "note b: limited\n"

    @pytest.mark.parametrize("findings, status", [(FINDINGS, 1), (FINDINGS[:2], 0)])
    def test_the_command_s_status_says_whether_something_must_be_fixed(self, monkeypatch, findings, status):
        monkeypatch.setattr(doctor, "diagnose", lambda: findings)
        assert command_line.main(["doctor", "--quiet"]) == status

    def test_every_sentence_is_one_line(self, healthy):
        findings = doctor.diagnose()
        assert len(findings) == 10
        assert all(finding.sentence and "\n" not in finding.sentence for finding in findings)

    def test_a_course_error_becomes_one_line_and_status_1(self, monkeypatch, capsys):
        monkeypatch.setattr(doctor, "diagnose", raising(CourseError("One thing: fix it.")))
        assert command_line.main(["doctor"]) == 1
        assert capsys.readouterr().err == "One thing: fix it.\n"
