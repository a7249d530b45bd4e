"""What a comparison found: shares and differences with their intervals, verdicts, and the next step of the ladder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from utils.compare.arms import HYBRID, LORA, NEAREST, PROMPT, RAG, SILENT, Arms, Bench
from utils.compare.lessons import MOST
from utils.compare.own_case import PASSAGE_TOKENS, Case
from utils.compare.reading_check import Reading
from utils.compare.tables import as_points, outcome_table, percent, score_arms
from utils.evaluation import RIGHT, Difference, Interval, paired_difference, share_interval
from utils.handbook import Answer
from utils.ladder import Findings, Needs, next_step

# The first of each pair is the dearer one: it has to be ahead to be worth its price.
PAIRS = ((RAG, PROMPT), (RAG, NEAREST), (LORA, SILENT), (HYBRID, RAG), (HYBRID, NEAREST))
# Which failures are shown first: an invented answer does more harm than silence.
HARM = ("unsupported", "wrong", "abstained wrongly")
NEEDS = {
    "If the facts stay as they are and no source is needed": Needs(),
    "If the facts change often or answers must name their source": Needs(facts_change=True, citations=True),
}


class Compared(NamedTuple):
    """The right answers of one arm minus those of another."""

    first: str
    second: str
    difference: Difference

    @property
    def in_words(self) -> str:
        """Such as "RAG over bare question: +61 points (95 % interval +50 to +72): higher"."""
        return f"{self.first} over {self.second}: {as_points(self.difference)}"


@dataclass(frozen=True)
class Results:
    """Everything that the report says.

    recall: of the search, over the answerable test questions.  bar: the share of right answers that is wanted.
    settings: what was run, by name.
    """

    case: Case
    reading: Reading
    recall: Interval
    arms: Arms
    bar: float
    settings: Mapping[str, str]

    @cached_property
    def scores(self) -> dict[str, pd.DataFrame]:
        """The scores of each arm, as `score_arms` gives them."""
        return score_arms(self.arms.answers)

    @cached_property
    def right(self) -> dict[str, Interval]:
        """The share of right answers of each arm."""
        return {name: share_interval(table["right"], self.case.test_facts) for name, table in self.scores.items()}

    @property
    def outcomes(self) -> pd.DataFrame:
        """The five outcomes of each arm."""
        return outcome_table(self.scores)

    @cached_property
    def differences(self) -> list[Compared]:
        """The pairs that were measured, with paired intervals that draw facts."""
        right = {name: table["right"].tolist() for name, table in self.scores.items()}
        return [
            Compared(one, other, paired_difference(right[one], right[other], groups=self.case.test_facts))
            for one, other in PAIRS
            if {one, other} <= right.keys()
        ]

    @property
    def best(self) -> str:
        """The arm with the most right answers; of equal ones the cheapest."""
        return max(self.scores, key=lambda name: self.scores[name]["right"].mean())

    def failures(self, arm: str, most: int = 10) -> list[tuple[str, Answer]]:
        """Wrong answers of an arm with their outcomes, the most harmful first."""
        pairs = zip(self.scores[arm]["outcome"], self.arms.answers[arm], strict=True)
        failed = [(outcome, answer) for outcome, answer in pairs if outcome not in RIGHT]
        return sorted(failed, key=lambda pair: HARM.index(pair[0]))[:most]

    def advice(self) -> dict[str, str]:
        """The next step of the ladder in words, for each set of needs."""
        if self.case.too_few:
            return dict.fromkeys(NEEDS, self.case.too_few)
        shares = self.right
        found = Findings(
            prompt=shares[PROMPT],
            rag=shares[RAG],
            recall=self.recall,
            lora=shares.get(LORA),
            hybrid=shares.get(HYBRID),
            reading=self.reading.share,
        )
        return {needs: next_step(found, wanted, self.bar).in_words() for needs, wanted in NEEDS.items()}

    def summary(self) -> list[str]:
        """The results in a few lines, for a terminal."""
        shares = [f"{name}: {in_percent(share)} right" for name, share in self.right.items()]
        gaps = [self.case.too_few] if self.case.too_few else [one.in_words for one in self.differences]
        left_out = [f"{name} is left out: {reason}" for name, reason in self.arms.left_out.items()]
        return [self.reading.in_words, *shares, *gaps, *left_out, *self.case.warnings()]


def in_percent(share: Interval) -> str:
    """A share in words: "62 % (95 % interval 50 % to 74 %)"."""
    return f"{percent(share.mean)} (95 % interval {percent(share.low)} to {percent(share.high)})"


def mean_of(values: Sequence[float]) -> str:
    """The mean of a column of scores in percent, a dash where nothing can be measured."""
    return percent(pd.Series(values, dtype=float).mean())


def settings_of(bench: Bench, limit: int | None = None) -> dict[str, str]:
    """What was run, by name, without a path of this computer."""
    embedder = Path(os.environ.get("COURSE_EMBEDDER", "")).name
    return {
        "company": bench.case.company,
        "model": bench.kept.identity_of(bench.generator),
        "embedder": embedder or "all-MiniLM-L6-v2, the course's own",
        "passages in a prompt": str(bench.k),
        "tokens of a passage, at most": str(PASSAGE_TOKENS),
        "training questions used, at most": str(MOST),
        "seed": str(bench.seed),
        "limit of questions": str(limit or "none"),
        "decoding": "greedy",
    }
