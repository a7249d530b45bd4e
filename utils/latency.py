"""Where the seconds of an answer go: embedding, search, prefill, decode (used in notebook 08).

Prefill reads the prompt, all its tokens at once; decode writes the answer, one token after another.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import faiss
import pandas as pd
import torch
from transformers import Cache

from utils.decoding import up_to_end
from utils.errors import CourseError
from utils.models import Generator
from utils.retrieval import DenseIndex
from utils.retrieval.dense import embed

STAGES = ("embed", "search", "prefill", "decode")
TOKENS = ("read", "written")


@dataclass(frozen=True)
class Generation:
    """What one batch of prompts gave, and its seconds.  answers: token ids, the ending one included."""

    answers: list[list[int]]
    prefill: float
    decode: float


@dataclass(frozen=True)
class Spans:
    """Seconds of one answer, stage by stage.  read, written: tokens of the prompt and of the answer."""

    embed: float
    search: float
    prefill: float
    decode: float
    read: int
    written: int

    @property
    def total(self) -> float:
        """Seconds from the question to the answer."""
        return self.embed + self.search + self.prefill + self.decode


@torch.inference_mode()
def timed_generation(
    generator: Generator, rows: Sequence[list[int]], exactly: int | None = None, prefix: Cache | None = None
) -> Generation:
    """Answers to one batch of prompts, greedily decoded, with the seconds of prefill and decode.

    rows: token ids of whole prompts, padded to one length.  exactly: write this many tokens, past an ending one; else
    every row goes on to its ending token, or for `generator.answer_tokens`.  prefix: what `read_prefix` returned for
    the first tokens of the only row; a copy is used, and making it counts as prefill.
    Raises CourseError without rows, and for a prefix with several.
    """
    if not rows or (prefix is not None and len(rows) > 1):
        raise CourseError("timed_generation takes at least one prompt, and with a prefix exactly one: pass in a list.")
    ends = [] if exactly else generator.ends
    inputs = generator.tokenizer.pad({"input_ids": list(rows)}, return_tensors="pt")
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    start = time.perf_counter()
    cache = copy.deepcopy(prefix)
    done = cache.get_seq_length() if cache is not None else 0
    new, cache = _step(generator, ids[:, done:], mask, cache)
    prefilled = time.perf_counter()
    written, ended = [new], _is_end(new, ends)
    for _ in range((exactly or generator.answer_tokens) - 1):
        if ended.all():
            break
        mask = torch.cat([mask, torch.ones_like(new)], dim=1)
        new, cache = _step(generator, new, mask, cache)
        written.append(new)
        ended |= _is_end(new, ends)
    decoded = time.perf_counter()
    answers = [up_to_end(row, ends) for row in torch.cat(written, dim=1).tolist()]
    return Generation(answers, prefilled - start, decoded - prefilled)


@torch.inference_mode()
def read_prefix(generator: Generator, ids: list[int]) -> Cache:
    """The model's state after reading these tokens, to go on from: keys, values and convolution states."""
    return generator.model(input_ids=torch.tensor([ids]), use_cache=True, logits_to_keep=1).past_key_values


def common_prefix(rows: Sequence[list[int]]) -> list[int]:
    """The tokens with which all prompts begin, but never a whole prompt: its last token has to be read anew."""
    shortest = min(rows, key=len, default=[])[:-1]
    for place, token in enumerate(shortest):
        if any(row[place] != token for row in rows):
            return shortest[:place]
    return shortest


class SplitSearch:
    """The search of a `DenseIndex` in two timed steps: the question becomes a vector, the vector finds passages."""

    def __init__(self, index: DenseIndex, embedder: object) -> None:
        """Puts the index's vectors into a flat index of the same kind, in the same order."""
        self._embedder, self._passages, vectors = embedder, index.passages, index.vectors
        self._flat = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(vectors)

    def __call__(self, question: str, k: int) -> tuple[list, float, float]:
        """The k best passages, and the seconds of embedding and of searching; without any for k = 0."""
        if k == 0:
            return [], 0.0, 0.0
        start = time.perf_counter()
        vector = embed([question], self._embedder)
        embedded = time.perf_counter()
        _, places = self._flat.search(vector, min(k, len(self._passages)))
        searched = time.perf_counter()
        return [self._passages[place] for place in places[0]], embedded - start, searched - embedded


def widened(generator: Generator, factor: int) -> Generator:
    """A generator of the same architecture, `factor` times as wide, with random weights.

    It writes nonsense at the speed of a trained model of its size: the seconds depend on the shapes, not on the numbers
    in them.  Raises CourseError when its configuration does not name the widths.
    """
    config = copy.deepcopy(generator.model.config)
    widths = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")
    missing = [name for name in widths if not getattr(config, name, None)]
    if missing:
        raise CourseError(
            f"This model's configuration has no {missing[0]}, so it cannot be widened: leave this part out."
        )
    for name in widths:
        setattr(config, name, factor * getattr(config, name))
    torch.manual_seed(0)
    return Generator(
        f"{generator.name}, {factor} times as wide", type(generator.model)(config).eval(), generator.tokenizer
    )


def in_turn(rounds: int, questions: Iterable[str], arms: dict[str, Callable[[str], Spans]]) -> dict[str, list[Spans]]:
    """Every arm answers every question, the arms taking turns, so that a slow minute of the computer hits all alike.

    Another arm begins in each round: what runs first finds the processor's caches filled by something else.  Each arm
    answers one question before anything counts.  Of the rounds, every question keeps the one with the median total.
    """
    questions, names = list(questions), list(arms)
    for arm in arms.values():
        arm(questions[0])
    found: dict[str, list[Spans]] = {name: [] for name in arms}
    turn = 0
    for question in questions:
        taken: dict[str, list[Spans]] = {name: [] for name in arms}
        for _ in range(rounds):
            for name in names[turn:] + names[:turn]:
                taken[name].append(arms[name](question))
            turn = (turn + 1) % len(names)
        for name, spans in taken.items():
            found[name].append(sorted(spans, key=lambda one: one.total)[(rounds - 1) // 2])
    return found


def in_milliseconds(spans: dict[str, list[Spans]], percentile: Callable[[list[float], int], float]) -> pd.DataFrame:
    """p50 and p95 of each stage and of the total in milliseconds, one row per arm, with median tokens.

    percentile: of some values, as built in notebook 08.
    """
    rows = {}
    for name, found in spans.items():
        row = {
            f"{stage} p{percent}": 1000 * percentile([getattr(one, stage) for one in found], percent)
            for stage in (*STAGES, "total")
            for percent in (50, 95)
        }
        rows[name] = row | {count: percentile([getattr(one, count) for one in found], 50) for count in TOKENS}
    return pd.DataFrame.from_dict(rows, orient="index").round(1)


def _step(
    generator: Generator, ids: torch.Tensor, mask: torch.Tensor, cache: Cache | None
) -> tuple[torch.Tensor, Cache]:
    """The next token of every row, and the state to go on from."""
    output = generator.model(
        input_ids=ids, attention_mask=mask, past_key_values=cache, use_cache=True, logits_to_keep=1
    )
    return output.logits[:, -1].argmax(dim=-1, keepdim=True), output.past_key_values


def _is_end(tokens: torch.Tensor, ends: list[int]) -> torch.Tensor:
    return torch.isin(tokens, torch.tensor(ends, dtype=torch.long))
