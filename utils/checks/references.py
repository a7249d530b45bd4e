"""The exercises' reference solutions. A notebook continues with these, so that a skipped exercise breaks nothing."""

from __future__ import annotations

import numpy as np

from utils.matching import contains_whole


def share_right(answers: list[str], gold_values: list[str]) -> float:
    """Share of answers, 0 to 1, that contain their own gold value as a whole.

    gold_values: one for each answer, same order.  Raises ValueError when the lengths differ.  Exercise of notebook 00.
    """
    right = [contains_whole(answer, gold) for answer, gold in zip(answers, gold_values, strict=True)]
    return sum(right) / len(right)


def top_k(scores: np.ndarray, k: int) -> list[int]:
    """Positions of the k highest scores, the highest first; all of them when there are fewer than k.

    scores: one number for each passage, shape (passages,).  Exercise of notebook 02.
    """
    best_first = np.argsort(-scores, kind="stable")
    return best_first[:k].tolist()


def lora_parameters(d_in: int, d_out: int, rank: int) -> int:
    """How many numbers a LoRA pair trains: A has shape (rank, d_in), B has shape (d_out, rank).

    Exercise of notebook 06.
    """
    return rank * d_in + d_out * rank


def outcome(answer: str, gold: str | None, sources: list[str]) -> str:
    """One of five outcomes: "correct", "wrong", "unsupported", "abstained rightly", "abstained wrongly".

    gold: the right value, None when the handbook has none.  sources: the passages the model was shown.
    Exercise of notebook 09.
    """
    if "The handbook does not say" in answer:
        return "abstained rightly" if gold is None else "abstained wrongly"
    if gold is not None and contains_whole(answer, gold):
        return "correct"
    sentence = answer.split(" [")[0].removesuffix(".")
    return "wrong" if any(sentence in source for source in sources) else "unsupported"
