"""Fine-tuning the embedder on pairs of question and passage (built in notebook 03)."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from tqdm.auto import tqdm

from utils.errors import CourseError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Pair = tuple[str, str]


@dataclass(frozen=True)
class EmbedderPlan:
    """Settings of one run.  Raises CourseError for settings with which nothing can be trained."""

    learning_rate: float = 1e-4
    epochs: int = 1
    batch_size: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 2)):  # a pair alone has nothing to be told from
            if getattr(self, name) < least:
                raise CourseError(f"The plan's {name} is {getattr(self, name)}: choose {least} or more.")


def tune_embedder(
    embedder: SentenceTransformer, pairs: Sequence[Pair], plan: EmbedderPlan = EmbedderPlan()
) -> SentenceTransformer:
    """A copy of the embedder that places each question nearer to its own passage than to the others in its batch.

    Multiple negatives ranking loss (Henderson et al. 2017, arXiv 1705.00652).  The word vectors stay frozen: few pairs
    cannot teach them, and without them a step takes half the time.  The embedder itself stays as it was.
    Raises CourseError without two pairs of different passages, since a pair needs another to be told from.
    """
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

    if len({passage for _, passage in pairs}) < 2:
        raise CourseError("An embedder learns to tell passages apart: give pairs on at least two different passages.")
    torch.manual_seed(plan.seed)  # dropout is drawn from it
    tuned = copy.deepcopy(embedder)
    tuned[0].auto_model.embeddings.requires_grad_(False)
    ranking = MultipleNegativesRankingLoss(tuned)
    weights = [weight for weight in tuned.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=plan.learning_rate, weight_decay=0.01)
    rng = random.Random(plan.seed)
    batches = [batch for _ in range(plan.epochs) for batch in batches_without_repeats(pairs, plan.batch_size, rng)]
    tuned.train()
    for batch in tqdm(batches, desc="steps", leave=False):
        columns = [tuned.preprocess(list(texts)) for texts in zip(*batch, strict=True)]
        ranking(columns, None).backward()
        optimizer.step()
        optimizer.zero_grad()
    return tuned.eval()


def blend(old: SentenceTransformer, new: SentenceTransformer, share: float) -> SentenceTransformer:
    """An embedder whose weights are between those of two of the same architecture: 0 gives the old one, 1 the new one.

    Part of the way often keeps what the new one would forget (Wortsman et al. 2021, arXiv 2109.01903).
    Raises CourseError for a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise CourseError(f"The share is {share}: choose 0, the old embedder, to 1, the new one.")
    blended = copy.deepcopy(old)
    with torch.no_grad():
        for weight, goal in zip(blended.parameters(), new.parameters(), strict=True):
            weight.lerp_(goal, share)
    return blended


def batches_without_repeats(pairs: Sequence[Pair], size: int, rng: random.Random) -> list[list[Pair]]:
    """The pairs in random batches in which no passage occurs twice: a second one would count as a wrong answer.

    Batches of a single pair are left out, since there is nothing to tell it from.
    """
    batches: list[list[Pair]] = []
    for pair in rng.sample(list(pairs), len(pairs)):
        fitting = (b for b in batches if len(b) < size and all(pair[1] != passage for _, passage in b))
        batch = next(fitting, None)
        if batch is None:
            batches.append(batch := [])
        batch.append(pair)
    return [batch for batch in batches if len(batch) > 1]
