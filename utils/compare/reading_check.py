"""Can this model read these texts at all?  Asked with the gold passage alone in its prompt, before any search."""

from __future__ import annotations

from dataclasses import dataclass

from utils.compare.arms import Bench
from utils.compare.own_case import FEWEST, facts_of
from utils.compare.tables import percent
from utils.evaluation import Interval, score, share_interval
from utils.rag import answer_from

# A model that misses this, with the right passage in front of it, is not held back by the search.
BAR = 0.6
TOO_FEW = f"At least {FEWEST} are needed to judge a model by them."


@dataclass(frozen=True)
class Reading:
    """share: right answers with only the gold passages in the prompt; None where no question could be tried."""

    share: Interval | None
    questions: int

    @property
    def in_words(self) -> str:
        """What the share says about the model, with advice."""
        if self.share is None:
            return "No question of the training half has its answer in a document, word for word: check the questions."
        mean, low, high = (percent(value) for value in (self.share.mean, self.share.low, self.share.high))
        measured = (
            f"With the right passage in its prompt, the model answers {mean} of {self.questions} questions of the "
            f"training half correctly (95 % interval {low} to {high})."
        )
        verdict = TOO_FEW if self.questions < FEWEST else _verdict(self.share)
        return f"{measured} {verdict}"


def check_reading(bench: Bench) -> Reading:
    """Asks the training half, which is there to choose with, so that the test half stays unseen."""
    case = bench.case
    asked = [question for question in case.training if case.gold_passages(question)]
    if not asked:
        return Reading(None, 0)
    gold = [case.gold_passages(question) for question in asked]
    answers = answer_from(asked, gold, bench.kept.of(bench.generator), company=case.company)
    return Reading(share_interval(score(answers)["right"], facts_of(asked)), len(asked))


def _verdict(share: Interval) -> str:
    if share.high < BAR:
        return (
            "This model cannot read these texts with this prompt, and a better search cannot lift it much above this "
            "share. Choose another model with --generator, such as smollm2, a larger model of the Hugging Face Hub, or "
            "a server."
        )
    if share.low >= BAR:
        return "It reads these texts well enough for a comparison."
    return f"Whether that reaches {percent(BAR)} is too close to call: write more questions, or try another model."
