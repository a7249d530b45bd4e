"""Models that were not trained here: five architectures, and chat templates of the shapes that people meet."""

import dataclasses

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from utils.chat import turn_ends
from utils.datasets import load_articles, load_examples, load_questions
from utils.decoding import decode, length_before_circles, length_without_circle
from utils.errors import CourseError
from utils.finetuning import LoraPlan, TrainingExample, house_training_examples, train_lora
from utils.finetuning.rows import encode_example
from utils.handbook import COMPANY
from utils.models import load_generator
from utils.prompts import ABSTENTION, FROM_PASSAGES, REMINDER, build_messages, fold_system, without_thoughts
from utils.rag import RagPipeline, answer_from
from utils.record import read_record
from utils.record_grammar import RecordGrammar
from utils.retrieval import Bm25Index

SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
GROUPED = SMALL | {"num_key_value_heads": 2, "head_dim": 8}
SIZES = {
    "llama": SMALL,
    "qwen3": GROUPED,
    "gemma3_text": GROUPED | {"sliding_window": 64, "layer_types": ["sliding_attention", "full_attention"]},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 2048},
    "lfm2": SMALL | {"num_key_value_heads": 2, "layer_types": ["conv", "full_attention"]},
}


@dataclasses.dataclass(frozen=True)
class Shape:
    """A chat template with its markers.  ends: what a turn ends with.  eos: what the model says that it ends with."""

    architecture: str
    template: str
    markers: tuple[str, ...]
    ends: str
    eos: str
    bos: str | None = None


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n%THOUGHT%{% endif %}"
)
SHAPES = {
    # A BOS that the template writes, a header for each turn, and a turn's end that is not the text's.
    "headers": Shape(
        "llama",
        "{{ bos_token }}{% for m in messages %}<|head|>{{ m.role }}<|/head|>\n\n{{ m.content | trim }}<|eot|>"
        "{% endfor %}{% if add_generation_prompt %}<|head|>assistant<|/head|>\n\n{% endif %}",
        ("<|bos|>", "<|eos|>", "<|head|>", "<|/head|>", "<|eot|>"), "<|eot|>", "<|eos|>", "<|bos|>",
    ),
    # A thought that the caller can switch off; answers that were given come without one.
    "switch for thoughts": Shape(
        "qwen3",
        CHATML.replace(
            "%THOUGHT%", "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
        ),
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>", "<|im_end|>",
    ),
    # A thought that the prompt always opens.
    "open thought": Shape(
        "qwen3", CHATML.replace("%THOUGHT%", "<think>\n"),
        ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>", "<|im_end|>",
    ),
    # No system role, another name for the assistant, turns that must alternate.
    "no system role": Shape(
        "gemma3_text",
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}"
        "{% endif %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate') }}"
        "{% endif %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}"
        "<end_of_turn>\n{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), "<end_of_turn>", "<eos>", "<bos>",
    ),
    # A system turn that is left out without a word; the text's end after each answer; neither BOS nor padding.
    "silent about the system": Shape(
        "gpt2",
        "{% for m in messages %}{% if m.role == 'user' %}Q: {{ m.content }}\n"
        "{% elif m.role == 'assistant' %}A: {{ m.content }}<|endoftext|>\n{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}A:{% endif %}",
        ("<|endoftext|>",), "<|endoftext|>", "<|endoftext|>",
    ),
    "with a start": Shape(
        "lfm2", "{{ bos_token }}" + CHATML.replace("%THOUGHT%", ""),
        ("<|startoftext|>", "<|im_start|>", "<|im_end|>"), "<|im_end|>", "<|im_end|>", "<|startoftext|>",
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=list(SHAPES))
def shape(request):
    return SHAPES[request.param]


@pytest.fixture(scope="module")
def other(shape, tmp_path_factory):
    """The generator from a folder of a tiny random model of that shape."""
    folder = tmp_path_factory.mktemp("other")
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer, bpe.decoder = ByteLevel(add_prefix_space=False), ByteLevelDecoder()
    bpe.train_from_iterator(
        [article.text for article in load_articles()],
        BpeTrainer(
            vocab_size=600,
            special_tokens=list(shape.markers),
            initial_alphabet=ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=shape.bos, eos_token=shape.eos, chat_template=shape.template
    ).save_pretrained(folder)
    end = bpe.token_to_id(shape.eos)
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        shape.architecture, vocab_size=bpe.get_vocab_size(), bos_token_id=None, eos_token_id=end, pad_token_id=None,
        max_position_embeddings=4096, initializer_range=0.4, **SIZES[shape.architecture],
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return load_generator(folder)


@pytest.fixture(scope="module")
def asked():
    return build_messages("Who is the manager?", COMPANY, load_articles()[:1], "Answer in capitals.")


def test_the_orders_are_spelled_out_once(other, asked):
    prompt = other.prompt(asked)
    assert not other.was_trained_here
    assert prompt.count(ABSTENTION) == 1 and FROM_PASSAGES not in prompt
    assert prompt.count("Answer in capitals.") == 1 and prompt.count(f"help desk of {COMPANY}") == 1


def test_the_course_s_own_model_keeps_its_prompt(asked):
    own = load_generator()
    assert own.was_trained_here and FROM_PASSAGES in own.prompt(asked) and ABSTENTION not in own.prompt(asked)


def test_the_reminder_stands_where_nothing_else_is_asked_for(other):
    passages, shown = load_articles()[:1], [("Who?", load_articles()[1:2], "ADA.")]
    assert REMINDER in other.prompt(build_messages("Who is the manager?", COMPANY, passages))
    for messages in (
        build_messages("Who is the manager?", COMPANY),
        build_messages("Who is the manager?", COMPANY, passages, "Answer in capitals."),
        build_messages("Who is the manager?", COMPANY, passages, examples=shown),
    ):
        assert REMINDER not in other.prompt(messages)


def test_orders_in_the_question_stay_as_they_are(other):
    """Only the system's own orders are spelled out, not what a customer writes."""
    prompt = other.prompt(build_messages(f"What does it mean: {FROM_PASSAGES}", COMPANY))
    assert prompt.count(FROM_PASSAGES) == 1 and "numbered passages alone" not in prompt


def test_a_prompt_never_ends_in_an_open_thought(other, asked):
    prompt = other.prompt(asked)
    assert prompt.count("<think>") == prompt.count("</think>") <= 1


def test_the_text_begins_with_one_bos_where_there_is_one(other, shape, asked):
    (ids,) = other.prompt_ids([asked])
    bos = other.tokenizer.bos_token_id
    assert ids.count(bos) == 1 and ids[0] == bos if shape.bos else bos is None


def test_the_end_of_a_turn_ends_an_answer(other, shape):
    assert turn_ends(other.tokenizer) == [other.tokenizer.convert_tokens_to_ids(shape.ends)]


def test_rag_answers_in_plain_text(other, shape):
    articles, questions = load_articles(), load_questions("dev")[:3]
    answers = [
        *RagPipeline(Bm25Index(articles), other).answer(questions),
        *answer_from(questions, [articles[:1], articles[:3], []], other),
    ]
    assert [answer.question for answer in answers] == questions * 2
    assert answers[-1].text == ABSTENTION
    assert not any(marker in answer.text for answer in answers for marker in (*shape.markers, "<think>", "</think>"))


def test_padding_and_batches_change_no_answer(other):
    conversations = [
        build_messages(question.text, COMPANY, load_articles()[:count])
        for count, question in enumerate(load_questions("dev")[:4])
    ]
    assert other.complete(conversations) == other.complete(conversations, batch_tokens=1)


def test_a_completion_is_learned_where_it_will_be_written(other, shape, asked):
    ids, length = encode_example(other, TrainingExample(asked, "The manager is Ada. [1]"))
    assert ids[:-length] == other.prompt_ids([asked])[0]
    learned = other.tokenizer.decode(ids[-length:])
    assert learned.strip().startswith("The manager is Ada. [1]") and shape.ends in learned
    assert "<think>" not in learned


@pytest.mark.parametrize("completion", ["end", "eot", "model", "Yes", "<|eot|>"])
def test_a_completion_that_is_part_of_a_marker_is_learned_with_its_end(other, shape, asked, completion):
    ids, length = encode_example(other, TrainingExample(asked, completion))
    assert ids[:-length] == other.prompt_ids([asked])[0]
    assert other.tokenizer.decode(ids[-length:]).rstrip().endswith(shape.ends)
    assert length < 20


def test_lora_and_the_hybrid(other):
    articles, questions = load_articles(), load_questions("dev")[:2]
    examples = house_training_examples(load_examples()[:6], articles, k=1)
    tuned, losses = train_lora(other, examples, LoraPlan(epochs=4, batch_size=3, learning_rate=1e-2))
    assert losses[-1] < losses[0]
    assert not tuned.was_trained_here and tuned.prompt(examples[0].messages) == other.prompt(examples[0].messages)
    answers = RagPipeline(Bm25Index(articles), tuned).answer(questions)
    assert [answer.question for answer in answers] == questions


def test_constrained_decoding_gives_a_record(other):
    grammar = RecordGrammar(other.tokenizer)
    (text,) = other.complete([build_messages("Who is the manager?", COMPANY, load_articles()[:1])], grammar=grammar)
    # A random model may still be in its quote when its tokens run out.
    assert any(read_record(text + rest) for rest in ("", '"', '", "value": "x", "kind": "amount", "cite": 1}')) or (
        read_record(text) == []
    )


def test_a_conversation_that_no_template_takes_gets_one_sentence(other, monkeypatch):
    monkeypatch.setattr(other.tokenizer, "chat_template", "{{ raise_exception('never') }}")
    with pytest.raises(CourseError, match=r"refuses the conversation: never\.$"):
        other.prompt([{"role": "user", "content": "Hello"}])


# Answers that go in circles


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        ([], None),
        ([1, 2, 3] * 3, None),  # nine tokens: a list may look like this
        ([1, 2, 3] * 4, 3),
        ([9, 8, *[1, 2, 3, 4] * 3], 6),
        ([9, 8, *[1, 2, 3, 4] * 3, 1, 2], 6),  # the round may be cut anywhere
        ([9, 8, *[1, 2, 3, 4] * 2], None),
        ([7] * 12, 1),
        ([7] * 11, None),
        ([*range(40)] * 3, 40),
        ([*range(41)] * 3, None),
    ],
)
def test_circles(ids, kept):
    assert length_without_circle(ids) == length_before_circles(ids) == kept


def test_an_answer_that_comes_out_of_its_circle_is_cut_all_the_same():
    assert length_without_circle([9, *[1, 2, 3, 4] * 3, 5]) is None
    assert length_before_circles([9, *[1, 2, 3, 4] * 3, 5]) == 5


def test_an_answer_that_goes_in_circles_ends_after_its_first_round():
    """One answer is made to repeat four tokens, the other never repeats; both stand in one batch."""
    own = load_generator()
    prompts = own.prompt_ids([build_messages(text, COMPANY) for text in ("Who?", "When?")])
    steps = []

    def grammar(ids):
        steps.append(len(ids))
        return [100 + len(ids) % 4] if len(steps) % 2 else [200 + len(ids)]

    answers = decode(own.model, own.tokenizer, prompts, 30, grammar=grammar, leave_circles=True)
    assert answers == [[100, 101, 102, 103], [*range(200, 230)]]
    steps.clear()
    assert decode(own.model, own.tokenizer, prompts, 30, grammar=grammar)[0] == [100 + n % 4 for n in range(30)]


def test_a_batch_of_circles_ends_early():
    own, asked = load_generator(), []
    prompts = own.prompt_ids([build_messages("Who?", COMPANY)])

    def grammar(ids):
        asked.append(len(ids))
        return [100 + len(ids) % 4]

    decode(own.model, own.tokenizer, prompts, 60, grammar=grammar, leave_circles=True)
    assert max(asked) == 11  # three rounds of four


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Monday.", "Monday."),
        ("<think>\nIs it?\n</think>\n\nMonday.", "\n\nMonday."),
        ("It must be.</think>Monday.", "Monday."),
        ("<think>\nIs it? It may", ""),
        ("The tag <think> opens it.", "The tag <think> opens it."),
    ],
)
def test_thoughts_are_no_part_of_an_answer(text, answer):
    assert without_thoughts(text) == answer


@pytest.mark.parametrize(
    ("roles", "folded"),
    [("su", "u"), ("sua", "ua"), ("uau", "uau"), ("s", "u"), ("sau", "uau")],
)
def test_a_system_turn_is_folded_into_the_next(roles, folded):
    names = {"s": "system", "u": "user", "a": "assistant"}
    told = [{"role": names[role], "content": f"{place}."} for place, role in enumerate(roles)]
    result = fold_system(told)
    assert [message["role"] for message in result] == [names[role] for role in folded]
    assert " ".join(message["content"] for message in result).split() == [message["content"] for message in told]
