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


def user_prompt(question: str, passages: list[tuple[str, str]]) -> str:
    """The question, the passages as `[1] Title. Text` numbered from 1, and the question again, one a line.

    passages: pairs of title and text.  Exercise of notebook 02.
    """
    numbered = [f"[{number}] {title}. {text}" for number, (title, text) in enumerate(passages, start=1)]
    return "\n".join([f"Question: {question}", *numbered, f"Question: {question}"])


def best_threshold(scores: list[float], answerable: list[bool]) -> float:
    """The score from which on to answer, so that both kinds of question fare best on average; the lowest, if several.

    scores: the best hit's score of each question.  answerable: whether it has an answer; some have, some have not.
    Exercise of notebook 02.
    """

    def balanced_accuracy(threshold: float) -> float:
        answered = [score >= threshold for score, known in zip(scores, answerable, strict=True) if known]
        withheld = [score < threshold for score, known in zip(scores, answerable, strict=True) if not known]
        return (sum(answered) / len(answered) + sum(withheld) / len(withheld)) / 2

    return max(sorted(scores), key=balanced_accuracy)


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


def failed_half(gold: set[str], shown: set[str]) -> str:
    """Which half of a pipeline failed on a question: "search" when a gold article was not shown, else "reading".

    gold, shown: ids of articles.  Exercise of notebook 03.
    """
    return "reading" if gold <= shown else "search"


def rrf(rankings: list[list[str]], k: int = 60) -> list[str]:
    """Ids by reciprocal rank fusion, best first.  rankings: each best first; ranks count from 1.

    Exercise of notebook 03.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] = scores.get(name, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda name: -scores[name])


def apply_change(texts: dict[str, str], kind: str, article_id: str, text: str | None) -> dict[str, str]:
    """The handbook after one change.  kind: "add", "replace" or "withdraw"; text: the new one, None if withdrawn.

    Exercise of notebook 04.
    """
    new = dict(texts)
    if kind == "withdraw" or text is None:
        new.pop(article_id)
    else:
        new[article_id] = text
    return new
