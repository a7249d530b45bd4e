"""Arms side by side: one table, its verdicts in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from utils.evaluation import Difference, outcome_shares, paired_difference, score
from utils.handbook import Answer

METRICS = {
    "right": "right",
    "in_format": "in format",
    "citation_precision": "citation precision",
    "citation_recall": "citation recall",
    "complete": "right, cited, in format",
}


def score_arms(arms: Mapping[str, Sequence[Answer]]) -> dict[str, pd.DataFrame]:
    """Scores of each arm.  Raises ValueError when the arms did not answer the same questions in the same order."""
    asked = {name: [answer.question.id for answer in answers] for name, answers in arms.items()}
    if len({tuple(ids) for ids in asked.values()}) > 1:
        raise ValueError("the arms answered different questions, so they cannot be compared")
    return {name: score(answers) for name, answers in arms.items()}


def summary_table(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per arm: the mean of every metric, as shares from 0 to 1."""
    rows = {name: [table[metric].mean() for metric in METRICS] for name, table in scores.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(METRICS.values()))


def outcome_table(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per arm: the shares of the five outcomes."""
    return pd.DataFrame({name: outcome_shares(table) for name, table in scores.items()}).T


def compare(scores: Mapping[str, pd.DataFrame], first: str, second: str, metric: str = "right") -> Difference:
    """How far the first arm is above the second.  metric: a key of METRICS.

    Raises KeyError for an unknown arm or metric.
    """
    pair = pd.DataFrame({"first": scores[first][metric], "second": scores[second][metric]}).astype(float).dropna()
    return paired_difference(pair["first"].tolist(), pair["second"].tolist())


def as_points(difference: Difference) -> str:
    """A difference of shares in words: `+31 points (95 % interval +22 to +40): higher`.

    Whole points; below half a point one decimal, so that a bound near zero shows its sign: `+0.3`.
    """
    mean, low, high = (_points(share) for share in (difference.mean, difference.low, difference.high))
    return f"{mean} points (95 % interval {low} to {high}): {difference.verdict}"


def _points(share: float) -> str:
    points = 100 * share
    words = f"{points:+.0f}" if abs(points) > 0.5 else f"{points:+.1f}".removesuffix(".0")
    return "0" if words in ("+0", "-0") else words


def as_percent(table: pd.DataFrame) -> pd.DataFrame:
    """Shares as whole percentages, a dash where there is nothing to measure."""
    return table.map(percent)


def percent(share: float) -> str:
    """A share as a whole percentage, a dash where there is none (NaN)."""
    return "–" if pd.isna(share) else f"{100 * share:.0f} %"
