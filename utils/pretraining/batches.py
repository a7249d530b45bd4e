"""From conversations to tensors: token ids, and which tokens are answers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from utils.pretraining.conversations import Conversation, Conversations, Level
from utils.pretraining.tokenizer import ROLES

POOL = 96


@dataclass(frozen=True)
class Batch:
    """Rows of token ids, padded on the right.

    ids: (rows, length) long.  answer, context: (rows, length) bool, the tokens to predict of each sort.
    """

    ids: torch.Tensor
    answer: torch.Tensor
    context: torch.Tensor

    @property
    def tokens(self) -> int:
        return int(self.answer.sum() + self.context.sum())


def encode(conversation: Conversation, tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[bool]]:
    """Token ids of a conversation as the chat template writes it, and for each whether it is of an answer to learn."""
    backend = tokenizer.backend_tokenizer
    ids: list[int] = []
    answer: list[bool] = []
    skip = conversation.unguided
    for message in conversation.messages:
        body = backend.encode(" " + message["content"]).ids + [tokenizer.eos_token_id]
        ids += [backend.token_to_id(ROLES[message["role"]]), *body]
        is_answer = message["role"] == "assistant"
        answer += [False] + [is_answer and skip <= 0] * len(body)
        skip -= is_answer
    return ids, answer


def make_batch(rows: list[tuple[list[int], list[bool]]], pad: int) -> Batch:
    """Pads rows to one length."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    answer = torch.zeros((len(rows), length), dtype=torch.bool)
    context = torch.zeros((len(rows), length), dtype=torch.bool)
    for index, (row, marks) in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        answer[index, : len(row)] = torch.tensor(marks)
        context[index, 1 : len(row)] = ~torch.tensor(marks[1:])
    return Batch(ids, answer, context)


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
        rows = sorted((row for row in rows if len(row[0]) <= self._max_length), key=lambda row: len(row[0]))
        batches, start = [], 0
        for stop in range(1, len(rows) + 1):
            if stop == len(rows) or len(rows[stop][0]) * (stop + 1 - start) > self._tokens:
                batches.append(make_batch(rows[start:stop], self._tokenizer.pad_token_id))
                start = stop
        self._rng.shuffle(batches)
        return batches
