"""Adapters on disk: what is loaded is what was saved, nothing else is accepted, and no kill loses the older one."""

import copy
import errno
import hashlib
import json
import os
import re
import shutil
from dataclasses import replace

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from utils.datasets import load_articles, load_examples, load_questions
from utils.errors import CourseError
from utils.finetuning import (
    LoraPlan,
    adapters,
    fingerprint,
    house_training_examples,
    load_adapter,
    save_adapter,
    train_lora,
)
from utils.finetuning.adapters import CONFIG_FILE, MANIFEST_FILE, WEIGHTS_FILE, examples_sha256, read_manifest
from utils.models import load_generator
from utils.paths import OF_THE_SYSTEM, write_atomically
from utils.rag import answer_closed_book

FILES = {WEIGHTS_FILE, CONFIG_FILE, MANIFEST_FILE}


class Killed(BaseException):
    """What a killed process looks like from inside: no `except` and no clean-up in the code under test runs for it."""


@pytest.fixture(scope="module")
def base():
    return load_generator()


@pytest.fixture(scope="module")
def training():
    return house_training_examples(load_examples()[:16], load_articles(), k=0)


@pytest.fixture(scope="module")
def tuned(base, training):
    return train_lora(base, training, LoraPlan(rank=4, epochs=2, batch_size=4))[0]


@pytest.fixture(scope="module")
def other(base, training):
    """Another adapter on the same base: B filled with random numbers."""
    model = copy.deepcopy(train_lora(base, training[:1], LoraPlan(rank=2, alpha=8, epochs=1))[0].model)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.02)
    return replace(base, model=model)


@pytest.fixture
def saved(tmp_path, base, tuned, training):
    """A folder with the adapter; beside it a copy can be changed."""
    save_adapter(tuned, base, tmp_path / "house", training)
    return tmp_path / "house"


def numbers(generator):
    return {name: weight for name, weight in generator.model.state_dict().items() if "lora_" in name}


def same_adapter(first, second):
    one, two = numbers(first), numbers(second)
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_loaded_adapter_answers_like_the_saved_one(base, tuned, saved):
    questions = load_questions("dev")[:12]
    before, after, plain = (
        [answer.text for answer in answer_closed_book(questions, generator)]
        for generator in (tuned, load_adapter(base, saved), base)
    )
    assert after == before != plain


def test_every_number_and_setting_comes_back(base, tuned, other, saved, tmp_path):
    save_adapter(other, base, tmp_path / "other")
    for folder, generator in ((saved, tuned), (tmp_path / "other", other)):
        loaded = load_adapter(base, folder)
        assert same_adapter(loaded, generator)
        mine, its = (g.model.peft_config["default"] for g in (loaded, generator))
        assert (mine.r, mine.lora_alpha, set(mine.target_modules)) == (its.r, its.lora_alpha, set(its.target_modules))
        assert not loaded.model.training
        assert not any(weight.requires_grad for weight in loaded.model.parameters())


def test_the_base_and_the_random_numbers_stay_as_they_were(base, saved):
    weights, state = copy.deepcopy(base.model.state_dict()), torch.get_rng_state()
    load_adapter(base, saved)
    assert torch.equal(state, torch.get_rng_state())
    after = base.model.state_dict()
    assert weights.keys() == after.keys() and all(torch.equal(weights[name], after[name]) for name in weights)


def test_loading_warns_of_nothing_that_a_learner_could_fix(base, saved, recwarn):
    load_adapter(base, saved)
    assert [str(warning.message) for warning in recwarn if warning.category is UserWarning] == []


def test_the_folder_holds_three_files_and_no_pickle(saved):
    assert set(os.listdir(saved)) == FILES
    assert os.listdir(saved.parent) == ["house"]
    with safe_open(saved / WEIGHTS_FILE, framework="pt") as file:
        names = list(file.keys())
    assert len(names) == 36 and all(".lora_A." in name or ".lora_B." in name for name in names)


def test_peft_reads_it_too(base, tuned, saved):
    loaded = PeftModel.from_pretrained(copy.deepcopy(base.model), saved)
    assert same_adapter(replace(base, model=loaded), tuned)
    loaded.load_adapter(saved, adapter_name="second")
    assert set(loaded.peft_config) == {"default", "second"}


def test_saving_twice_writes_the_same_bytes(base, tuned, training, saved):
    save_adapter(tuned, base, saved.parent / "again", training)
    for name in FILES:
        assert (saved / name).read_bytes() == (saved.parent / "again" / name).read_bytes()


def test_no_file_names_a_folder_of_this_computer(saved, base):
    assert os.path.isabs(base.name)
    assert all(os.path.dirname(base.name).encode() not in (saved / name).read_bytes() for name in FILES)


def test_the_manifest_says_where_the_adapter_comes_from(saved, training):
    manifest = read_manifest(saved)
    assert (manifest.base, manifest.examples) == ("models/little-reader", len(training))
    assert manifest.examples_sha256 == examples_sha256(training)
    assert set(manifest.packages) == {"peft", "safetensors", "torch", "transformers"}


def test_the_examples_checksum_sees_every_change(training):
    changed = [replace(training[0], completion=training[0].completion + "!"), *training[1:]]
    others = [changed, training[:-1], training[::-1], [*training[:-1], replace(training[-1], messages=[])]]
    assert len({examples_sha256(examples) for examples in [training, list(training), *others]}) == 5


def test_a_fingerprint_sees_examples_and_settings(training):
    plan = LoraPlan()
    plans = [plan, replace(plan, epochs=4), replace(plan, seed=1), replace(plan, learning_rate=1e-3)]
    marks = {fingerprint(training, one) for one in plans} | {fingerprint(training[:-1], plan)}
    assert len(marks) == 5 and fingerprint(list(training), LoraPlan()) in marks
    assert all(len(mark) == 8 for mark in marks)


def test_a_file_of_the_system_is_no_other_file(base, tuned, tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"mac")
    save_adapter(tuned, base, tmp_path)
    assert load_adapter(base, tmp_path)


# What is refused


def changed_base(base):
    model = copy.deepcopy(base.model)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1e-3
    return replace(base, model=model)


def smaller_base(base):
    config = copy.deepcopy(base.model.config)
    config.intermediate_size = 256
    return replace(base, model=AutoModelForCausalLM.from_config(config))


@pytest.mark.parametrize("another", [changed_base, smaller_base])
def test_another_base_is_refused(base, tuned, saved, another):
    with pytest.raises(CourseError, match=r"was trained on models/little-reader, and .* has other weights now: .*\.$"):
        load_adapter(another(base), saved)
    with pytest.raises(CourseError, match=r"does not belong to models/little-reader, .*\.$"):
        save_adapter(tuned, another(base), saved)


def test_an_adapter_is_not_loaded_onto_one_that_has_one(base, tuned, saved):
    with pytest.raises(CourseError, match="has other weights now"):
        load_adapter(tuned, saved)


def test_a_merged_adapter_is_not_saved(base, tuned, tmp_path):
    model = copy.deepcopy(tuned.model)
    model.merge_adapter()
    with pytest.raises(CourseError, match="unmerge the adapter if it is merged"):
        save_adapter(replace(base, model=model), base, tmp_path / "merged")
    assert os.listdir(tmp_path) == []


def test_a_generator_without_an_adapter_is_not_saved(base, tmp_path):
    with pytest.raises(CourseError, match=r"has no adapter to save: .*\.$"):
        save_adapter(base, base, tmp_path / "nothing")


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def double_alpha(path):
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"lora_alpha": 2 * settings["lora_alpha"]}))


def another_version(path):
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": "9"}))


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    "name, spoil",
    [
        (WEIGHTS_FILE, flip_a_bit), (WEIGHTS_FILE, cut_short), (CONFIG_FILE, double_alpha),
        (MANIFEST_FILE, cut_short), (MANIFEST_FILE, another_version),
    ],
)  # fmt: skip
def test_a_changed_file_is_refused(base, saved, name, spoil):
    spoil(saved / name)
    with pytest.raises(CourseError, match=rf"{name} was changed or cut short: [^.]*\.$"):
        load_adapter(base, saved)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CONFIG_FILE])
def test_a_missing_file_is_refused(base, saved, name):
    (saved / name).unlink()
    with pytest.raises(CourseError, match=rf"{name} is missing: [^.]*\.$"):
        load_adapter(base, saved)


def test_a_manifest_that_lists_no_file_is_refused(base, saved):
    path = saved / MANIFEST_FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": {}}))
    with pytest.raises(CourseError, match="was changed or cut short"):
        load_adapter(base, saved)


def rewrite(folder, name, content):
    """Changes a file and its checksum in the manifest, as someone would who makes an adapter folder by hand."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))


def with_setting(folder, **changed):
    settings = json.loads((folder / CONFIG_FILE).read_text()) | changed
    rewrite(folder, CONFIG_FILE, json.dumps(settings).encode())


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda folder: with_setting(folder, r=0), "has rank 0"),
        (lambda folder: with_setting(folder, r="16"), "has no rank that is a whole number"),
        (lambda folder: with_setting(folder, peft_type="IA3"), "is no LoRA adapter but IA3"),
        (lambda folder: rewrite(folder, CONFIG_FILE, b"[]"), f"{CONFIG_FILE} was changed"),
        (lambda folder: rewrite(folder, CONFIG_FILE, b"r: 16"), f"{CONFIG_FILE} was changed"),
        (lambda folder: with_setting(folder, r=8), "cannot be put onto its base"),
        (lambda folder: with_setting(folder, target_modules=["attention"]), "cannot be put onto its base"),
        (lambda folder: rewrite(folder, WEIGHTS_FILE, b"no tensors"), "cannot be put onto its base"),
    ],
)
def test_an_adapter_made_by_hand_is_refused_in_one_sentence(base, saved, spoil, words):
    spoil(saved)
    with pytest.raises(CourseError, match=rf"{re.escape(words)}[^.]*: [^.]*(\.json[^.]*)?\.$"):
        load_adapter(base, saved)


def test_a_manifest_that_names_other_files_is_refused(base, saved):
    path = saved / MANIFEST_FILE
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"files": manifest["files"] | {"../adapter_model.bin": "0" * 64}}))
    with pytest.raises(CourseError, match="was changed or cut short"):
        load_adapter(base, saved)


def test_a_file_that_no_adapter_has_is_named(base, tuned, saved):
    for name in OF_THE_SYSTEM:
        (saved / name).touch()
    assert same_adapter(load_adapter(base, saved), tuned)
    (saved / "adapter_model.bin").touch()
    with pytest.raises(CourseError, match=r"holds a file that no adapter has, adapter_model\.bin: .*\.$"):
        load_adapter(base, saved)


def test_an_adapter_with_numbers_that_are_not_finite_is_not_saved(base, tuned, other, saved):
    model = copy.deepcopy(other.model)
    with torch.no_grad():
        next(weight for name, weight in model.named_parameters() if "lora_B" in name)[0, 0] = float("nan")
    with pytest.raises(CourseError, match=r"holds numbers that are not finite: .*\.$"):
        save_adapter(replace(base, model=model), base, saved)
    assert same_adapter(load_adapter(base, saved), tuned)


@pytest.mark.parametrize("make", [lambda path: None, os.mkdir, lambda path: open(path, "w").close()])
def test_no_adapter_there(base, tmp_path, make):
    make(tmp_path / "house")
    with pytest.raises(CourseError, match=r"There is no adapter in .*house: [^.]*\.$"):
        load_adapter(base, tmp_path / "house")


def test_a_folder_with_other_files_is_left_alone(base, tuned, tmp_path):
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(CourseError, match=r"holds other files, such as thesis\.txt: .*\.$"):
        save_adapter(tuned, base, tmp_path)
    assert os.listdir(tmp_path) == ["thesis.txt"]
    with pytest.raises(CourseError, match=r"is a file: .*\.$"):
        save_adapter(tuned, base, tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "ten years of work"


# Replacing an adapter


def test_an_empty_folder_and_an_older_adapter_are_replaced(base, tuned, other, tmp_path):
    (tmp_path / "empty").mkdir()
    for generator in (tuned, other, tuned):
        save_adapter(generator, base, tmp_path / "empty")
        assert same_adapter(load_adapter(base, tmp_path / "empty"), generator)
        assert os.listdir(tmp_path) == ["empty"]


STEPS = [("fsync", 1), ("fsync", 2), ("fsync", 3), ("replace", 1), ("replace", 3), ("rename", 1), ("rename", 2)]


def fail_at(monkeypatch, name, count, error):
    """Lets the `count`-th call of os.`name` fail, and tells which calls were made."""
    original, calls = getattr(os, name), []

    def failing(*arguments):
        calls.append(arguments)
        if len(calls) == count:
            raise error
        return original(*arguments)

    monkeypatch.setattr(os, name, failing)
    return calls


@pytest.mark.parametrize("name, count", STEPS)
def test_a_kill_at_any_step_leaves_the_older_adapter(base, tuned, other, saved, monkeypatch, name, count):
    with monkeypatch.context() as patch:
        calls = fail_at(patch, name, count, Killed())
        with pytest.raises(Killed):
            save_adapter(other, base, saved)
        assert len(calls) == count
    assert same_adapter(load_adapter(base, saved), tuned)
    save_adapter(other, base, saved)
    assert same_adapter(load_adapter(base, saved), other)
    assert os.listdir(saved.parent) == ["house"]


def test_a_kill_after_the_last_step_leaves_the_new_adapter(base, tuned, other, saved, monkeypatch):
    original = shutil.rmtree

    def killed_once_there_is_something(path, **named):
        if os.path.exists(path):
            raise Killed
        original(path, **named)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed_once_there_is_something)
        with pytest.raises(Killed):
            save_adapter(other, base, saved)
    assert len(os.listdir(saved.parent)) == 2
    assert same_adapter(load_adapter(base, saved), other)
    save_adapter(tuned, base, saved)
    assert same_adapter(load_adapter(base, saved), tuned)
    assert os.listdir(saved.parent) == ["house"]


@pytest.mark.parametrize("name, count", STEPS)
def test_a_full_disk_at_any_step_leaves_the_older_adapter(base, tuned, other, saved, monkeypatch, name, count):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        fail_at(patch, name, count, full)
        with pytest.raises(CourseError, match=r"house.*\.$") as caught:
            save_adapter(other, base, saved)
    assert ".tmp" not in str(caught.value)
    assert same_adapter(load_adapter(base, saved), tuned)
    assert os.listdir(saved.parent) == ["house"]


def test_two_saves_at_once_leave_a_whole_adapter(base, tuned, other, saved, monkeypatch):
    def swept(path, content):
        """Writes, but the other save has deleted what was written before the manifest."""
        if path.name == MANIFEST_FILE:
            shutil.rmtree(path.parent)
        write_atomically(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(adapters, "write_atomically", swept)
        with pytest.raises(CourseError, match=r"Another program .* at the same time: .*\.$"):
            save_adapter(other, base, saved)
    assert same_adapter(load_adapter(base, saved), tuned)
    assert os.listdir(saved.parent) == ["house"]
