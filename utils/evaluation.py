"""One scorer for every arm: five outcomes, format, citations, and intervals for differences.

It knows questions and answers, not how an answer was made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from utils.citations import cited_numbers, without_citations
from utils.handbook import Answer
from utils.house_format import follows_house_format
from utils.matching import contains_whole, normalise
from utils.prompts import is_abstention
from utils.sentences import sentences

Outcome = Literal["correct", "wrong", "unsupported", "abstained rightly", "abstained wrongly"]
OUTCOMES: tuple[Outcome, ...] = ("correct", "wrong", "unsupported", "abstained rightly", "abstained wrongly")
RIGHT: frozenset[str] = frozenset({"correct", "abstained rightly"})


@dataclass(frozen=True)
class Interval:
    """A mean over questions, with a 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference(Interval):
    """How far one arm is above another on the same questions, with a 95 % interval."""

    @property
    def verdict(self) -> str:
        """In words: does the interval exclude zero?"""
        return "higher" if self.low > 0 else "lower" if self.high < 0 else "no clear difference"


def outcome(answer: Answer) -> Outcome:
    """What became of a question.

    correct: the answer holds every gold value, even where it also says what the handbook does not say.
    wrong: the answer is a real sentence of a shown passage, but not the right one.
    unsupported: the right value is missing and no shown passage says what the answer says.
    """
    question = answer.question
    if question.answerable and all(_says(answer.text, value) for value in question.values):
        return "correct"
    if is_abstention(answer.text) and is_abstention(_own_words(answer)):
        return "abstained wrongly" if question.answerable else "abstained rightly"
    return "wrong" if quotes_a_passage(answer) else "unsupported"


def _says(text: str, value: str) -> bool:
    """Whether a text holds a value, as it is or as prompts show it, where a document's brackets are no citations."""
    return any(contains_whole(text, one) for one in {value, without_citations(value)})


def _own_words(answer: Answer) -> str:
    """An answer without the sentences of passages that sound like an abstention: quoting one says something."""
    text = answer.text
    for sentence in (one for passage in answer.passages for one in sentences(passage.text) if is_abstention(one)):
        if contains_whole(text, sentence.removesuffix(".")):
            text = normalise(text).replace(normalise(sentence.removesuffix(".")), "")
    return text


def quotes_a_passage(answer: Answer) -> bool:
    """Whether the answer holds a whole sentence of a shown passage, word for word; its full stop may come later."""
    quotable = (sentence for passage in answer.passages for sentence in sentences(without_citations(passage.text)))
    return any(contains_whole(answer.text, sentence.removesuffix(".")) for sentence in quotable)


def cited_articles(answer: Answer) -> list[str]:
    """Ids of the articles that the answer cites, each once, in order; a mark that points at no passage is "?7"."""
    numbers, shown = cited_numbers(answer.text), answer.passages
    return list(dict.fromkeys(shown[n - 1].article_id if 1 <= n <= len(shown) else f"?{n}" for n in numbers))


def score(answers: Sequence[Answer]) -> pd.DataFrame:
    """One row per answer: id, category, outcome, right, in_format, citation_precision, citation_recall, complete.

    right: correct, or abstained where the handbook does not say.  complete: right, in the house format, and cited
    where there is something to cite.  Citation columns are missing (NaN) for unanswerable questions; without any
    citation, precision counts 0.  Raises ValueError without answers.
    """
    if not answers:
        raise ValueError("there are no answers to score")
    return pd.DataFrame([_row(answer) for answer in answers])


def _row(answer: Answer) -> dict[str, object]:
    what, gold, cited = outcome(answer), set(answer.question.articles), cited_articles(answer)
    good = sum(article in gold for article in cited)
    answerable = answer.question.answerable
    right, in_format = what in RIGHT, follows_house_format(answer.text)
    return {
        "id": answer.question.id,
        "category": answer.question.category,
        "outcome": what,
        "right": right,
        "in_format": in_format,
        "citation_precision": good / max(1, len(cited)) if answerable else np.nan,
        "citation_recall": good / len(gold) if answerable else np.nan,
        "complete": right and in_format and (good > 0 or not answerable),
    }


def outcome_shares(scores: pd.DataFrame) -> pd.Series:
    """Share of each of the five outcomes, in fixed order."""
    return scores["outcome"].value_counts(normalize=True).reindex(OUTCOMES, fill_value=0.0)


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    resamples: int = 2000,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> Difference:
    """Mean of first − second over the same questions, with a paired bootstrap interval (percentile, 95 %).

    Where few questions differ, that interval is too narrow: four that all favour one side would exclude zero.  So for
    values of 0 and 1, an interval excludes zero only if the exact sign test does (McNemar 1947), which needs six.

    groups: what each question is about, such as its fact.  Questions about the same are drawn together then, and
    count as one in the test.
    Raises ValueError when the lengths differ, when there is nothing to compare, and when a value is missing (NaN).
    """
    if len(first) != len(second) or not len(first):
        raise ValueError("a paired comparison needs the same questions, and at least one, on both sides")
    gaps = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    found = Difference(*_bootstrap(gaps, resamples, seed, groups=groups))
    if found.verdict == "no clear difference" or not np.isin(gaps, (-1, 0, 1)).all():
        return found
    low, high = _bounds_by_signs(gaps, groups)
    if low <= 0 < found.low:
        return replace(found, low=low)
    return replace(found, high=high) if found.high < 0 <= high else found


def _bounds_by_signs(gaps: np.ndarray, groups: Sequence[Hashable] | None) -> tuple[float, float]:
    """Bounds of a mean difference, from the exact interval for the share above zero (Clopper and Pearson 1934)."""
    sums = gaps if groups is None else np.bincount(_members(groups), gaps)
    decided = sums[sums != 0]
    positive = binomtest(int((decided > 0).sum()), decided.size).proportion_ci(method="exact")
    size = np.abs(decided).sum() / gaps.size
    return float((2 * positive.low - 1) * size), float((2 * positive.high - 1) * size)


def mean_interval(
    values: Sequence[float], resamples: int = 2000, seed: int = 0, groups: Sequence[Hashable] | None = None
) -> Interval:
    """Mean of one value per question, with a bootstrap interval (percentile, 95 %).

    groups: as for `paired_difference`.  Raises ValueError without values, and when one is missing (NaN).
    """
    return Interval(*_bootstrap(np.asarray(values, dtype=float), resamples, seed, groups=groups))


def share_interval(values: Sequence[float], groups: Sequence[Hashable] | None = None) -> Interval:
    """Mean of values that are 0 or 1, with its interval, also where all of them are equal.

    The bootstrap then knows no other value, and its interval has no width.  So the open end is the exact bound: the
    share at which so many equal values come up in 2.5 % of samples (Clopper and Pearson 1934).
    groups: as for `paired_difference`; the exact bound counts each of them once.
    """
    found = mean_interval(values, groups=groups)
    bound = 0.025 ** (1 / len(values if groups is None else set(groups)))
    if found.low == found.high == 1:
        return Interval(1.0, bound, 1.0)
    return Interval(0.0, 0.0, 1 - bound) if found.low == found.high == 0 else found


def median_interval(values: Sequence[float], resamples: int = 2000, seed: int = 0) -> Interval:
    """The median of some values, with its bootstrap interval: a few extreme values hardly move it.

    The field `mean` of the result holds the median.  Raises ValueError like `mean_interval`.
    """
    return Interval(*_bootstrap(np.asarray(values, dtype=float), resamples, seed, np.median))


def _bootstrap(
    values: np.ndarray,
    resamples: int,
    seed: int,
    statistic: Callable[..., np.ndarray] = np.mean,
    groups: Sequence[Hashable] | None = None,
) -> tuple[float, float, float]:
    """A statistic of the values, and the bounds of its 95 % interval (percentile bootstrap).

    groups: draws whole groups of values (cluster bootstrap); the statistic is their mean then.
    """
    if not values.size:
        raise ValueError("an interval needs at least one value")
    if np.isnan(values).any():
        raise ValueError("a value is missing (NaN): leave that question out on both sides first")
    rng = np.random.default_rng(seed)
    if groups is None:
        drawn = statistic(values[rng.integers(0, values.size, (resamples, values.size))], axis=1)
    else:
        drawn = _means_of_drawn_groups(values, groups, resamples, rng)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(statistic(values)), float(low), float(high)


def _means_of_drawn_groups(
    values: np.ndarray, groups: Sequence[Hashable], resamples: int, rng: np.random.Generator
) -> np.ndarray:
    if len(groups) != values.size:
        raise ValueError("each value needs a group")
    members = _members(groups)
    sums, sizes = np.bincount(members, values), np.bincount(members)
    chosen = rng.integers(0, sizes.size, (resamples, sizes.size))
    return sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)


def _members(groups: Sequence[Hashable]) -> list[int]:
    """For each value, the number of its group."""
    place = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    return [place[group] for group in groups]
