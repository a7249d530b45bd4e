"""The exercises' reference solutions.  A notebook continues with these where the learner's function is not right.

Each docstring states the exercise's domain: on these inputs a checker compares the learner's function with this one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from utils.matching import contains_whole
from utils.prompts import is_abstention
from utils.sentences import sentences


def share_right(answers: list[str], gold_values: list[str]) -> float:
    """Share of answers, 0 to 1, that contain their own gold value as a whole, in capitals or not.

    answers: at least one.  gold_values: one for each answer, same order; words and whole numbers, perhaps with "$".
    A value is whole where no letter or digit touches it.  Exercise of notebook 00.
    """
    right = 0
    for answer, gold in zip(answers, gold_values, strict=True):
        whole_value = rf"(?<![\w.,]){re.escape(gold)}(?!\w|[.,:]\d)"
        right += re.search(whole_value, answer, re.IGNORECASE) is not None
    return right / len(answers)


def sentence_chunks(sentences: list[str], size: int, overlap: int) -> list[str]:
    """Texts of `size` sentences each; each one begins with the last `overlap` sentences of the previous one.

    The last may be shorter; none holds only repeated sentences.  sentences: at least one; the same one may come again.
    size: 1 or more.  overlap: 0 or more, less than size.  Exercise of notebook 01.
    """
    chunks = []
    for start in range(0, len(sentences), size - overlap):
        chunks.append(" ".join(sentences[start : start + size]))
        if start + size >= len(sentences):
            break
    return chunks


def cosine_search(query: np.ndarray, vectors: np.ndarray, k: int) -> list[int]:
    """Positions of the k vectors whose direction is nearest to the query's, the nearest first.

    query: shape (dimensions,).  vectors: shape (passages, dimensions), at least one.  Lengths may be anything above
    zero; no two cosines are equal.  k: 1 or more; with more than there are vectors, return all positions.
    Exercise of notebook 01.
    """
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    return np.argsort(-cosines, kind="stable")[:k].tolist()


def mean_recall(rankings: list[list[str]], gold: list[list[str]], k: int) -> float:
    """Share of its right ids that a question finds among the first k, averaged over the questions.

    rankings, gold: one list of ids for each question, same order, at least one question.  A ranking may be empty,
    shorter than k, or hold an id twice, which counts once; right ids differ, and there is at least one.  k: 1 or more.
    Exercise of notebook 01.
    """
    shares = [len(set(ranking[:k]) & set(right)) / len(right) for ranking, right in zip(rankings, gold, strict=True)]
    return sum(shares) / len(shares)


def user_prompt(question: str, passages: list[tuple[str, str]]) -> str:
    """The question, the passages as `[1] Title. Text` numbered from 1, and the question again, one a line.

    passages: pairs of title and text, at least one; the same pair may come again.  No text has a line break.
    Exercise of notebook 02.
    """
    numbered = [f"[{number}] {title}. {text}" for number, (title, text) in enumerate(passages, start=1)]
    return "\n".join([f"Question: {question}", *numbered, f"Question: {question}"])


def best_threshold(scores: list[float], answerable: list[bool]) -> float:
    """The lowest score to answer at: the one with the best mean of two shares, the lowest of these if several tie.

    The shares: of the questions with an answer, those that score at least as high; of those without, those that score
    lower.  scores: the best hit's score of each question, in any order; two may be equal.  answerable: whether it has
    an answer; at least one has, and at least one has not.  Exercise of notebook 02.
    """

    def balanced_accuracy(threshold: float) -> float:
        answered = [score >= threshold for score, known in zip(scores, answerable, strict=True) if known]
        withheld = [score < threshold for score, known in zip(scores, answerable, strict=True) if not known]
        return (sum(answered) / len(answered) + sum(withheld) / len(withheld)) / 2

    return max(sorted(scores), key=balanced_accuracy)


def outcome(answer: str, gold: str | None, sources: list[str]) -> str:
    """One of five outcomes: "correct", "wrong", "unsupported", "abstained rightly", "abstained wrongly".

    answer: any text, also an empty one.  gold: the right value, None when the handbook has none.  sources: the texts of
    the passages that the model was shown, perhaps none; one space between words, and no marks such as "[1]".
    Exercise of notebook 09.
    """
    if gold is not None and contains_whole(answer, gold):
        return "correct"
    if is_abstention(answer):
        return "abstained rightly" if gold is None else "abstained wrongly"
    quoted = any(
        contains_whole(answer, sentence.removesuffix(".")) for source in sources for sentence in sentences(source)
    )
    return "wrong" if quoted else "unsupported"


def failed_half(gold: set[str], shown: set[str]) -> str:
    """Which half of a pipeline failed on a question: "search" when a gold article was not shown, else "reading".

    gold, shown: ids of articles; gold holds at least one, shown may be empty.  Exercise of notebook 03.
    """
    return "reading" if gold <= shown else "search"


def rrf(rankings: list[list[str]], k: int = 60) -> list[str]:
    """Ids by reciprocal rank fusion, best first.

    rankings: each best first, perhaps empty; ranks count from 1; a ranking holds an id once.  k: 0 or more.  No two ids
    have the same score.  Exercise of notebook 03.
    """
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            scores[name] = scores.get(name, 0.0) + 1 / (k + rank)
    return sorted(scores, key=lambda name: -scores[name])


def apply_change(texts: dict[str, str], kind: str, article_id: str, text: str | None) -> dict[str, str]:
    """A new dictionary: the handbook after one change.

    texts: from id to text, perhaps empty.  kind: "add" for an id that is not there yet, "replace" or "withdraw" for one
    that is.  text: the new one, None if withdrawn.  Exercise of notebook 04.
    """
    new = dict(texts)
    if kind == "withdraw" or text is None:
        new.pop(article_id)
    else:
        new[article_id] = text
    return new


def lora_forward(x: torch.Tensor, weight: torch.Tensor, A: torch.Tensor, B: torch.Tensor, alpha: float) -> torch.Tensor:
    """What a linear layer with a LoRA pair returns: the frozen layer's output, plus alpha / rank times the correction.

    x: shape (…, d_in), with one or more dimensions before the last.  weight: (d_out, d_in).  A: (rank, d_in).
    B: (d_out, rank).  alpha: any number.  A and B get gradients.  Exercise of notebook 05.
    """
    rank = A.shape[0]
    return x @ weight.T + alpha / rank * (x @ A.T @ B.T)


def merged_weight(weight: torch.Tensor, A: torch.Tensor, B: torch.Tensor, alpha: float) -> torch.Tensor:
    """A new weight that does what the frozen one and its LoRA pair do together.

    weight: (d_out, d_in).  A: (rank, d_in).  B: (d_out, rank).  alpha: any number; with -alpha, a merged pair is taken
    out again.  Exercise of notebook 05.
    """
    rank = A.shape[0]
    return weight + alpha / rank * (B @ A)


def masked_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the completions' tokens, each predicted from the position before it.

    logits: scores, shape (texts, tokens, vocabulary).  labels: shape (texts, tokens); each text's completion ends it,
    and its tokens have their ids; those before it, at least one, have -100 and do not count.  The result has a
    gradient where the logits need one.  Exercise of notebook 06.
    """
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def training_step(model: torch.nn.Module, optimizer: Any, batch: Any, loss_of: Callable[..., torch.Tensor]) -> float:
    """Moves the model's weights one step, and returns the loss that the batch had before it.

    loss_of: gives the loss of a model and a batch.  Exercise of notebook 06.
    """
    optimizer.zero_grad()
    loss = loss_of(model, batch)
    loss.backward()
    optimizer.step()
    return loss.item()


def percentile(values: list[float], percent: int) -> float:
    """The smallest of the values that at least `percent` percent of them do not exceed.

    values: at least one, in any order; two may be equal.  percent: a whole number from 1 to 100, such that
    percent / 100 * len(values) is no rounding error away from a whole number.  Exercise of notebook 08.
    """
    place = -(-len(values) * percent // 100)  # rounded up
    return sorted(values)[place - 1]


def break_even(fixed: float, each: float, other_fixed: float, other_each: float) -> float:
    """The number of questions from which on the other approach costs no more; infinite when it never does.

    fixed, each: what one approach costs a year without any question, and per 1,000 questions.  other_fixed,
    other_each: the same for the other.  All are 0 or more, and other_fixed is more than fixed.  Exercise of notebook
    08.
    """
    if other_each >= each:
        return float("inf")
    return 1000 * (other_fixed - fixed) / (each - other_each)


def nearest_votes(similarities: np.ndarray, queues: list[str], k: int) -> list[str]:
    """For each ticket, the queue that most of its k nearest examples have; of tied queues, the nearest example's.

    similarities: shape (tickets, examples), at least one of each; a higher one is nearer, and no two of a ticket are
    equal.  queues: one for each example.  k: 1 or more; with more than there are examples, all of them vote.  Exercise
    of notebook 07.
    """
    chosen = []
    for row in similarities:
        votes = [queues[place] for place in np.argsort(-row)[:k]]
        chosen.append(max(votes, key=votes.count))
    return chosen


def extraction_rate(names: list[str], answers: list[list[str]]) -> float:
    """Share of names, 0 to 1, that at least one of their own answers contains as a whole, in capitals or not.

    names: at least one.  answers: for each name, the texts that several prompts brought out, at least one.  A name is
    whole where no letter or digit touches it.  Exercise of notebook 07.
    """
    out = [any(contains_whole(text, name) for text in texts) for name, texts in zip(names, answers, strict=True)]
    return sum(out) / len(out)


def quote_nearest(passages: list[list[str]], similarities: list[list[float]]) -> str:
    """The sentence that is most similar to the question, with its passage's number: "It costs $12. [2]".

    passages: for each passage its sentences, at least one of each.  similarities: the same shape, a higher one is
    nearer, and no two are equal.  Exercise of notebook 12.
    """
    rated = [
        (similarity, sentence, number)
        for number, (sentences, row) in enumerate(zip(passages, similarities, strict=True), start=1)
        for sentence, similarity in zip(sentences, row, strict=True)
    ]
    _, sentence, number = max(rated)
    return f"{sentence} [{number}]"


def carries_over(first: tuple[float, float], second: tuple[float, float]) -> str:
    """What the intervals of one difference, measured on two models, say: "same verdict" when both exclude zero on the
    same side; else "other verdict" when they do not overlap; else "cannot tell".

    Each is a lower and an upper end, and all four differ.  Exercise of notebook 12.
    """
    sides = [(low > 0) - (high < 0) for low, high in (first, second)]
    if sides[0] == sides[1] != 0:
        return "same verdict"
    apart = first[0] > second[1] or second[0] > first[1]
    return "other verdict" if apart else "cannot tell"


def next_step(shares: dict[str, tuple[float, float] | None], bar: float) -> tuple[str | None, str]:
    """The step that settles the matter, and how: walks up from the cheapest one.

    shares: for each step, the cheapest first, the two ends of its interval, or None where it was not measured.  "not
    measured", "enough" when all of the interval reaches the bar, "too close to call" when only a part does; (None, "end
    of the ladder") when every step is below it.  Exercise of notebook 10.
    """
    for step, interval in shares.items():
        if interval is None:
            return step, "not measured"
        low, high = interval
        if low >= bar:
            return step, "enough"
        if high >= bar:
            return step, "too close to call"
    return None, "end of the ladder"


def same_questions(first: dict[str, float], second: dict[str, float]) -> tuple[list[tuple[float, float]], list[str]]:
    """The two scores of each question that both arms answered, and the ids that only one of them answered.

    first, second: an arm's score for each question that it answered, by id; at least one, in any order.
    The pairs come in the first arm's order, its score first; the ids in any order.  Exercise of notebook A2.
    """
    pairs = [(score, second[name]) for name, score in first.items() if name in second]
    return pairs, sorted(first.keys() ^ second.keys())


def leaked(training: list[str], test: list[str]) -> list[str]:
    """The test questions whose wording is in the training set, in the order of the test, each time that they come.

    Two wordings are equal when their letters and digits are, in capitals or not.  training, test: at least one each,
    in plain letters, digits, spaces and punctuation.  Exercise of notebook A2.
    """

    def letters(text: str) -> str:
        return "".join(filter(str.isalnum, text.lower()))

    known = {letters(text) for text in training}
    return [text for text in test if letters(text) in known]


def split_questions(facts: dict[str, str]) -> tuple[list[str], list[str]]:
    """The training half and the test half, with every fact on one side only.

    facts: for each question its fact, at least one question.  Facts come in the order in which they first appear, each
    with all its questions; they go to training as long as it has less than half of all.  Exercise of notebook 11.
    """
    groups: dict[str, list[str]] = {}
    for question, fact in facts.items():
        groups.setdefault(fact, []).append(question)
    training: list[str] = []
    test: list[str] = []
    for group in groups.values():
        (training if len(training) < len(facts) / 2 else test).extend(group)
    return training, test


def merged(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """The pieces of a text, with each occurrence of the pair joined into one, from left to right.

    pieces: any number.  pair: two neighbours to join; a piece that was joined is not joined again.  Exercise of
    notebook A1.
    """
    result, place = [], 0
    while place < len(pieces):
        found = tuple(pieces[place : place + 2]) == pair
        result.append("".join(pair) if found else pieces[place])
        place += 2 if found else 1
    return result


def number_from(answer: str, value: str, passage: str) -> str:
    """Where an answer's number comes from: "right" (it is the value), "another" (another number of the passage),
    "invented" (not in the passage) or "no number".

    answer: at most one number, a run of digits.  value: a number of the passage, as digits.  Exercise of notebook A1.
    """
    numbers = re.findall(r"\d+", answer)
    if not numbers:
        return "no number"
    if numbers[0] == value:
        return "right"
    return "another" if numbers[0] in re.findall(r"\d+", passage) else "invented"


def merge_shards(shards: list[list[tuple[float, str]]], k: int) -> list[tuple[float, str]]:
    """The k best hits of all shards, best first, each passage once; all of them when there are fewer.

    shards: for each shard its hits, pairs of a score and a passage's id, best first; some may be empty.  A passage that
    several shards found has the same score in each, and no two passages have equal scores.  Exercise of notebook A3.
    """
    scores = {name: score for hits in shards for score, name in hits}
    return sorted(((score, name) for name, score in scores.items()), reverse=True)[:k]


def growth_exponent(sizes: list[float], values: list[float]) -> float:
    """The exponent of the power law that fits the values best: the slope of the line through the logarithms.

    sizes, values: three or more of each, all above zero, the sizes different.  The line is that of least squares.
    Exercise of notebook A3.
    """
    slope, _ = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(slope)
