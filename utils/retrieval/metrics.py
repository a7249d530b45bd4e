"""How good is a ranking?  Metrics of retrieval with right and wrong passages only, no half-right ones.

Built by hand in notebook 01.  The tests compare them with ir-measures (MacAvaney, Macdonald and Ounis, ECIR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2


def recall_at_k(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]], k: int) -> float:
    """Share of a question's gold passages that are among the first k, averaged over the questions (ir-measures' R@k).

    rankings: one list of ids per question, best first, each id once.  gold: the right ids, same order.
    Raises ValueError when the lengths differ, without questions, when k < 1, when an id is listed twice, and when a
    question has no gold passage.
    """
    _check("recall_at_k", rankings, gold, k)
    shares = [len(right & set(ranking[:k])) / len(right) for ranking, right in zip(rankings, gold, strict=True)]
    return sum(shares) / len(shares)


def reciprocal_rank(ranking: Sequence[str], gold: set[str]) -> float:
    """1 / rank of the first gold passage, ranks counted from 1; 0 when there is none."""
    return next((1 / rank for rank, found in enumerate(ranking, start=1) if found in gold), 0.0)


def mrr(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]]) -> float:
    """Mean reciprocal rank over the questions (RR in ir-measures).  Arguments and errors as for `recall_at_k`."""
    _check("mrr", rankings, gold)
    return sum(reciprocal_rank(ranking, right) for ranking, right in zip(rankings, gold, strict=True)) / len(gold)


def ndcg_at_k(rankings: Sequence[Sequence[str]], gold: Sequence[set[str]], k: int) -> float:
    """Mean normalised discounted cumulative gain over the questions (nDCG@k in ir-measures).

    A gold passage at rank r gains 1 / log2(1 + r); the sum over the first k is divided by that of a perfect ranking.
    Järvelin and Kekäläinen (2002), with gains of 0 and 1.  Arguments and errors as for `recall_at_k`.
    """
    _check("ndcg_at_k", rankings, gold, k)
    return sum(_ndcg(ranking[:k], right, k) for ranking, right in zip(rankings, gold, strict=True)) / len(gold)


def _ndcg(ranking: Sequence[str], gold: set[str], k: int) -> float:
    gain = sum(1 / log2(1 + rank) for rank, found in enumerate(ranking, start=1) if found in gold)
    return gain / sum(1 / log2(1 + rank) for rank in range(1, min(k, len(gold)) + 1))


def _check(name: str, rankings: Sequence[Sequence[str]], gold: Sequence[set[str]], k: int = 1) -> None:
    if len(rankings) != len(gold) or not gold or k < 1:
        raise ValueError(f"{name} needs one ranking per question, at least one question, and k of 1 or more")
    if not all(gold):
        raise ValueError(f"{name} needs a gold passage for each question: leave out those that have none")
    if any(len(set(ranking)) < len(ranking) for ranking in rankings):
        raise ValueError(f"{name} needs rankings that list each id once: `ranked_articles` makes them from hits")
