"""LoRA training: starts as the base, learns, leaves the base alone, and repeats itself."""

import copy

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, OPTConfig

from utils.datasets import load_articles, load_examples
from utils.errors import CourseError
from utils.finetuning import (
    LoraPlan,
    TrainingExample,
    feed_forward_layers,
    house_examples,
    house_training_examples,
    train_lora,
)
from utils.finetuning.lora import IGNORED, completion_loss, encode_example, pad_left
from utils.models import load_generator

QUICK = LoraPlan(epochs=2, batch_size=4)


@pytest.fixture(scope="module")
def generator():
    return load_generator()


@pytest.fixture(scope="module")
def training():
    return house_training_examples(load_examples()[:16], load_articles(), k=0)


@pytest.fixture(scope="module")
def trained(generator, training):
    return train_lora(generator, training, QUICK)


def test_a_fresh_adapter_changes_nothing_and_counts_as_the_formula_says(generator):
    torch.manual_seed(0)
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(copy.deepcopy(generator.model), config)
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, generator.model(ids).logits)
    layers = [module for module in model.modules() if hasattr(module, "lora_A")]
    by_formula = sum(4 * (layer.in_features + layer.out_features) for layer in layers)
    assert by_formula == model.get_nb_trainable_parameters()[0] > 0


TINY = {
    "llama": LlamaConfig(vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=2),
    "gpt2": GPT2Config(vocab_size=8, n_embd=8, n_layer=2, n_head=2),
    "opt": OPTConfig(vocab_size=8, hidden_size=8, ffn_dim=8, num_hidden_layers=2, num_attention_heads=2),
}


@pytest.mark.parametrize(
    ("name", "ends"), [("llama", ["gate_proj", "up_proj", "down_proj"]), ("gpt2", ["c_fc", "c_proj"]), ("opt", None)]
)
def test_the_feed_forward_layers_of_other_architectures(name, ends):
    model = AutoModelForCausalLM.from_config(TINY[name])
    found = feed_forward_layers(model)
    if ends is None:
        assert found == "all-linear"  # its blocks have no name of their own
    else:
        assert [layer.split(".")[-1] for layer in found] == ends * 2
        assert not any("attn" in layer for layer in found)
    get_peft_model(model, LoraConfig(target_modules=found, task_type="CAUSAL_LM"))


def test_the_adapter_stands_in_the_feed_forward_layers_alone(generator, trained):
    adapted = [name for name, module in trained[0].model.named_modules() if hasattr(module, "lora_A")]
    assert len(adapted) == 3 * generator.model.config.num_hidden_layers
    assert all("feed_forward" in name for name in adapted)


@pytest.mark.parametrize("k", [1, 2, 3])
def test_examples_and_lessons_show_the_same(k):
    articles = load_articles()
    by_source = {example.source: example for example in load_examples()}
    assert set(by_source) == {None, 1, 2, 3}
    mixed = list(by_source.values())
    shown, training = house_examples(mixed, articles, k), house_training_examples(mixed, articles, k)
    for example, (question, passages, answer), one in zip(mixed, shown, training, strict=True):
        assert one.completion == answer
        assert question in one.messages[-1]["content"]
        assert all(passage.text in one.messages[-1]["content"] for passage in passages)
        ids = [passage.id for passage in passages]
        assert len(ids) == k
        assert ids == [identifier for identifier in example.articles if identifier in ids]
        if example.source:
            cited = int(answer.splitlines()[2].split("[")[1].rstrip("]"))
            assert ids[cited - 1] == example.articles[example.source - 1]
        else:
            assert ids == list(example.articles[:k])
            assert answer.splitlines()[2].endswith("none")


@pytest.mark.parametrize("k", [-1, 4])
def test_an_example_cannot_show_more_passages_than_it_has(k):
    with pytest.raises(ValueError, match=f"k is {k}: an example can show 1 to 3 passages"):
        house_training_examples(load_examples(), load_articles(), k)


def test_closed_book_lessons_show_no_passage_and_cite_nothing():
    examples, articles = load_examples()[:4], load_articles()
    for example, one in zip(examples, house_training_examples(examples, articles, k=0), strict=True):
        assert one.messages[-1]["content"] == f"Question: {example.question}"
        assert one.completion.splitlines()[2].endswith("none")


def test_training_lowers_the_loss(trained):
    losses = trained[1]
    assert len(losses) == 8
    assert losses[-1] < losses[0] / 2


def test_the_base_stays_as_it_was(generator, training):
    before = {name: value.clone() for name, value in generator.model.state_dict().items()}
    train_lora(generator, training[:4], LoraPlan(epochs=1, batch_size=4))
    after = generator.model.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_same_seed_trains_the_same_adapter(generator, training, trained):
    again = train_lora(generator, training, QUICK)[1]
    other = train_lora(generator, training, LoraPlan(epochs=2, batch_size=4, seed=1))[1]
    assert again == pytest.approx(trained[1], rel=1e-4)
    assert other != pytest.approx(trained[1], rel=1e-4)


def test_only_the_completion_counts(generator, training):
    rows = [encode_example(generator, one) for one in training[:3]]
    batch = pad_left(rows, pad=0)
    for row, (ids, completion) in enumerate(rows):
        labels = batch["labels"][row]
        assert (labels != IGNORED).sum() == completion
        assert labels[-completion:].tolist() == ids[-completion:]
        assert batch["attention_mask"][row].sum() == len(ids)
        text = generator.tokenizer.decode(ids[-completion:], skip_special_tokens=True).strip()
        assert text == training[row].completion


def test_the_loss_is_the_library_s_own(generator, training):
    batch = pad_left([encode_example(generator, one) for one in training[:3]], pad=0)
    with torch.no_grad():
        library = generator.model(**batch, use_cache=False).loss
        assert completion_loss(generator.model, batch).item() == pytest.approx(library.item(), rel=1e-4)


def test_nothing_to_learn(generator):
    with pytest.raises(CourseError, match="nothing to learn"):
        train_lora(generator, [])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"rank": 0}, "The plan's rank is 0: choose 1 or more."),
        ({"alpha": 0}, "alpha is 0"),
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"dtype": "float8"}, "dtype is 'float8': choose one of float32, bfloat16, auto"),
    ],
)
def test_a_plan_with_which_nothing_can_be_trained(setting, said):
    with pytest.raises(CourseError, match=said):
        LoraPlan(**setting)


def test_a_completion_longer_than_the_context(generator):
    short = TrainingExample([{"role": "user", "content": "Question: Why?"}], "Because.")
    endless = TrainingExample(short.messages, "stove " * 3000)
    with pytest.raises(CourseError, match=r"^Training example 2 has a completion of 3,\d\d\d tokens, .* 2,048,"):
        train_lora(generator, [short, endless])
