"""From conversations to tensors: token ids, which tokens are answers, and which of these are choices."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol, TypeVar

import torch
from transformers import PreTrainedTokenizerBase

from utils.authoring.pretraining.conversations import Conversation, Conversations, Level
from utils.authoring.pretraining.records import Sought
from utils.authoring.pretraining.tokenizer import ROLES
from utils.decoding import batches_of_similar_length

POOL = 96


@dataclass(frozen=True)
class Batch:
    """Rows of token ids, padded on the right.

    ids: (rows, length) long.  answer, context: (rows, length) bool, the tokens to predict of each sort.
    choice: (rows, length) bool, the tokens of answers where something new begins.
    sought: (rows, length) bool, the tokens of bare values.
    """

    ids: torch.Tensor
    answer: torch.Tensor
    context: torch.Tensor
    choice: torch.Tensor
    sought: torch.Tensor

    @property
    def tokens(self) -> int:
        """How many tokens are to be predicted, of answers and of their context."""
        return int(self.answer.sum() + self.context.sum())


class Row(NamedTuple):
    """A conversation in token ids; for each, whether it is of an answer to learn, a choice, and of a bare value."""

    ids: list[int]
    answer: list[bool]
    choice: list[bool]
    sought: list[bool]


class HasIds(Protocol):
    """Anything in token ids."""

    @property
    def ids(self) -> list[int]:
        """The token ids."""


Encoded = TypeVar("Encoded", bound=HasIds)


def encode(conversation: Conversation, tokenizer: PreTrainedTokenizerBase) -> Row:
    """A conversation as the chat template writes it."""
    backend = tokenizer.backend_tokenizer
    row = Row([], [], [], [])
    skip = conversation.unguided
    answers = iter(conversation.parts)
    for message in conversation.messages:
        body = backend.encode(" " + message["content"])
        is_answer = message["role"] == "assistant"
        learned = is_answer and skip <= 0
        parts = [" ", *next(answers)] if is_answer else []
        starts, values = _starts(parts), _values(parts)
        length = len(body.ids) + 1
        row.ids.extend([backend.token_to_id(ROLES[message["role"]]), *body.ids, tokenizer.eos_token_id])
        row.answer.extend([False] + [learned] * length)
        row.choice.extend([False, *(learned and _overlaps(span, starts) for span in body.offsets), False])
        row.sought.extend([False, *(learned and _overlaps(span, values) for span in body.offsets), False])
        skip -= is_answer
    return row


def _starts(parts: Sequence[str]) -> list[tuple[int, int]]:
    """Where each part but the first begins in the whole text: from its first sign to its first letter, both within."""
    spans, at = [], len(parts[0]) if parts else 0
    for part in parts[1:]:
        spans.append((at, at + len(part) - len(part.lstrip()) + 1))
        at += len(part)
    return spans


def _values(parts: Sequence[str]) -> list[tuple[int, int]]:
    """Where the bare values are in the whole text."""
    ends = list(accumulate(map(len, parts)))
    return [(end - len(part), end) for part, end in zip(parts, ends, strict=True) if isinstance(part, Sought)]


def _overlaps(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(span[0] < stop and start < span[1] for start, stop in others)


def in_batches(rows: Iterable[Encoded], tokens: int) -> list[list[Encoded]]:
    """Rows of like length side by side, with at most so many tokens in a batch, padding included."""
    rows = list(rows)
    lengths = [len(row.ids) for row in rows]
    return [[rows[place] for place in batch] for batch in batches_of_similar_length(lengths, tokens)]


def make_batch(rows: Sequence[Row], pad: int) -> Batch:
    """Pads rows to one length."""
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad)
    answer, context, choice, sought = (torch.zeros((len(rows), length), dtype=torch.bool) for _ in range(4))
    for index, row in enumerate(rows):
        end = len(row.ids)
        ids[index, :end] = torch.tensor(row.ids)
        answer[index, :end] = torch.tensor(row.answer)
        choice[index, :end] = torch.tensor(row.choice)
        sought[index, :end] = torch.tensor(row.sought)
        context[index, 1:end] = ~torch.tensor(row.answer[1:])
    return Batch(ids, answer, context, choice, sought)


class BatchStream:
    """Endless batches of about `tokens` tokens: conversations of like length side by side, to pad little."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, seed: int | str, tokens: int, max_length: int) -> None:
        self._tokenizer, self._tokens, self._max_length = tokenizer, tokens, max_length
        self._conversations = Conversations(seed)
        self._rng = random.Random(f"{seed} order")
        self.level = Level(passages=1, facts=2)

    def __iter__(self) -> Iterator[Batch]:
        while True:
            level, batches = self.level, self._pool()
            for batch in batches:
                if self.level != level:
                    break
                yield batch

    def _pool(self) -> list[Batch]:
        rows = [encode(self._conversations.draw(self.level), self._tokenizer) for _ in range(POOL)]
        short = [row for row in rows if len(row.ids) <= self._max_length]
        batches = [make_batch(alike, self._tokenizer.pad_token_id) for alike in in_batches(short, self._tokens)]
        self._rng.shuffle(batches)
        return batches
