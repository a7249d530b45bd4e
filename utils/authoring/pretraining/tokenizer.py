"""The generator's tokenizer: byte-level BPE with single digits, chat markers and a chat template."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from utils.authoring.pretraining.conversations import Conversations, Level

VOCABULARY = 3072
PAD, END = "<|pad|>", "<|end|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}

# A space follows each marker, so that a quoted sentence has the same tokens in a passage and in an answer.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|' + message['role'] + '|> ' + message['content'] + '<|end|>' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"
)
SAMPLE_LEVEL = Level(passages=3, facts=4, closed_book=0.1, formatted=0.3, unanswerable=0.1, two_facts=0.05, breadth=0.3)


def train_tokenizer(conversations: int = 20_000, seed: str = "tokenizer") -> PreTrainedTokenizerFast:
    """Learns the merges on sampled conversations and wraps the result with the chat template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END, *ROLES.values()],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    stream = Conversations(seed)
    texts = (" " + m["content"] for _ in range(conversations) for m in stream.draw(SAMPLE_LEVEL).messages)
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=list(ROLES.values()),
        chat_template=CHAT_TEMPLATE,
        padding_side="left",
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
