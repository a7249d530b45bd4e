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


def sentence_chunks(sentences: list[str], size: int, overlap: int) -> list[str]:
    """Texts of `size` sentences each, of which every one repeats the last `overlap` sentences of the one before.

    The last may be shorter; none holds repeated sentences only.  overlap < size.  Exercise of notebook 01.
    """
    chunks = []
    for start in range(0, len(sentences), size - overlap):
        chunks.append(" ".join(sentences[start : start + size]))
        if start + size >= len(sentences):
            break
    return chunks


def cosine_search(query: np.ndarray, vectors: np.ndarray, k: int) -> list[int]:
    """Positions of the k vectors whose direction is nearest to the query's, the nearest first.

    query: shape (dimensions,).  vectors: shape (passages, dimensions), of any length but zero.
    Exercise of notebook 01.
    """
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return np.argsort(-cosines, kind="stable")[:k].tolist()


def mean_recall(rankings: list[list[str]], gold: list[list[str]], k: int) -> float:
    """Share of its right ids that a question finds among the first k, averaged over the questions.

    rankings, gold: one list of ids for each question, same order.  Exercise of notebook 01.
    """
    shares = [len(set(ranking[:k]) & set(right)) / len(right) for ranking, right in zip(rankings, gold, strict=True)]
    return sum(shares) / len(shares)


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
