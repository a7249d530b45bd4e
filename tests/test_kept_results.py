"""Results that a test run keeps: found again under the same inputs and weights, and under no others."""

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from utils.authoring import kept_results
from utils.authoring.kept_results import FOLDER, STARTUP, install, prepare_kernels
from utils.finetuning import LoraPlan, TrainingExample, train_lora
from utils.finetuning.loop import Run
from utils.models import Generator, load_embedder, load_generator


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Results are kept in this folder, until the test ends."""
    for kind, method in [(Generator, "complete"), (Run, "train"), (SentenceTransformer, "encode")]:
        monkeypatch.setattr(kind, method, getattr(kind, method))
    monkeypatch.setenv(FOLDER, str(tmp_path))
    install()
    return tmp_path


def ask(*texts):
    return [[{"role": "user", "content": text}] for text in texts]


def refuse(*arguments, **named):
    raise AssertionError("computed again")


def test_an_answer_is_computed_once(folder, monkeypatch):
    generator = load_generator()
    first = generator.complete(ask("Who?", "Where?"))
    monkeypatch.setattr("utils.models.decode", refuse)
    assert load_generator().complete(ask("Who?", "Where?"), progress=True) == first
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?"))
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?", "Where?"), batch_tokens=64)
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?", "Where?"), grammar=lambda ids: [0])


def test_other_weights_answer_for_themselves(folder, monkeypatch):
    generator = load_generator()
    generator.complete(ask("Who?"))
    with torch.no_grad():
        next(generator.model.parameters()).mul_(1.01)
    monkeypatch.setattr("utils.models.decode", refuse)
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?"))


def test_an_adapter_is_trained_once_and_a_disabled_one_answers_for_itself(folder, monkeypatch):
    generator, plan = load_generator(), LoraPlan(rank=2, alpha=4, epochs=1)
    lesson = [TrainingExample(messages, "I am Ada.") for messages in ask("Who are you?", "Who is it?")]
    first, losses = train_lora(generator, lesson, plan)
    said = first.complete(ask("Who?"))
    with monkeypatch.context() as patched:
        patched.setattr(Run, "_epoch", refuse)
        second, again = train_lora(generator, lesson, plan)
        assert again == losses and not second.model.training
        pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
        assert all(torch.equal(*pair) for pair in pairs)
        for others in [(lesson[::-1], plan), (lesson, LoraPlan(rank=2, alpha=4, epochs=1, seed=1))]:
            with pytest.raises(AssertionError, match="again"):
                train_lora(generator, *others)
    monkeypatch.setattr("utils.models.decode", refuse)
    assert second.complete(ask("Who?")) == said
    with second.model.disable_adapter(), pytest.raises(AssertionError, match="again"):
        second.complete(ask("Who?"))


def test_each_of_two_adapters_answers_for_itself(folder, monkeypatch):
    generator, lesson = load_generator(), [TrainingExample(messages, "I am Ada.") for messages in ask("Who are you?")]
    both, _ = train_lora(generator, lesson, LoraPlan(rank=2, alpha=4, epochs=1))
    both.model.add_adapter("second", both.model.peft_config["default"])
    both.complete(ask("Who?"))
    monkeypatch.setattr("utils.models.decode", refuse)
    both.complete(ask("Who?"))
    both.model.set_adapter("second")
    with pytest.raises(AssertionError, match="again"):
        both.complete(ask("Who?"))


def test_a_model_with_code_of_its_own_is_always_asked(folder, monkeypatch):
    generator = load_generator()
    layer = next(part for part in generator.model.modules() if isinstance(part, torch.nn.Linear))
    hook = layer.register_forward_hook(lambda *arguments: None)
    generator.complete(ask("Who?"))
    monkeypatch.setattr("utils.models.decode", refuse)
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?"))
    hook.remove()
    layer.__class__ = type("Own", (type(layer),), {"__module__": "__main__"})
    with pytest.raises(AssertionError, match="again"):
        generator.complete(ask("Who?"))


def test_a_model_that_gave_its_hidden_states_still_counts_as_the_same(folder, monkeypatch):
    generator = load_generator()
    first = generator.complete(ask("Who?"))
    generator.model(torch.tensor([[1, 2]]), output_hidden_states=True)
    assert any(part._forward_hooks for part in generator.model.modules()), "the library leaves hooks behind"
    monkeypatch.setattr("utils.models.decode", refuse)
    assert generator.complete(ask("Who?")) == first


def test_texts_are_embedded_once(folder, monkeypatch):
    embedder = load_embedder()
    texts = [f"sentence {n}" for n in range(kept_results.FEWEST_TEXTS)]
    first = embedder.encode(texts, normalize_embeddings=True)
    monkeypatch.setattr(SentenceTransformer, "forward", refuse)
    assert np.array_equal(embedder.encode(texts, normalize_embeddings=True), first)
    for changed in [texts[1:], texts[:-1] + ["another"], texts[::-1]]:
        with pytest.raises(AssertionError, match="again"):
            embedder.encode(changed, normalize_embeddings=True)
    with pytest.raises(AssertionError, match="again"):
        embedder.encode(texts, normalize_embeddings=False)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_kernel_keeps_results_only_where_a_folder_is_named(tmp_path, monkeypatch, wanted):
    prepare_kernels(tmp_path)
    (script,) = (tmp_path / "profile_default" / "startup").glob("*.py")
    assert script.read_text(encoding="utf-8") == STARTUP
    installed, names = [], {}
    monkeypatch.setattr(kept_results, "install", lambda: installed.append(True))
    monkeypatch.setenv(FOLDER, "somewhere" if wanted else "")
    exec(compile(STARTUP, "startup", "exec"), names)
    assert installed == [True] * wanted
    assert set(names) == {"__builtins__"}  # a notebook that forgets an import must fail
