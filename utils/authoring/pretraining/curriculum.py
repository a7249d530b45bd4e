"""What the model practises when: copying first, then reading; a stage ends on competence, not on the clock.

Copying uses random tokens, so it teaches the bare skill.  Reading starts with ten kinds of facts in few words, until
the model finds the sentence that answers; then come more kinds, more passages and other kinds of conversation.
Three ways that learned worse: advancing on the clock; all kinds of facts at once, where a model still quoted random
sentences after four million tokens; and judging competence by single tokens, most of which such a model gets right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from utils.authoring.pretraining.conversations import Level

WARM_UPS = 3
LEVELS = (
    Level(passages=1, facts=3, topics=2, wordings=2, follow_ups=2, unanswerable=0.03),
    Level(passages=2, facts=3, topics=4, wordings=6, follow_ups=4, unanswerable=0.05, formatted=0.1, closed_book=0.05),
    Level(passages=3, facts=3, follow_ups=5, unanswerable=0.1, formatted=0.15, closed_book=0.1, breadth=0.1),
    # Citing the right one of several is learned of a sudden, under a heavy weight and while the rate is high, or not
    # at all: a run with the weight of other choices had it by chance alone after 100 minutes.
    Level(
        passages=5,
        facts=3,
        follow_ups=6,
        citation_weight=40.0,
        unanswerable=0.15,
        formatted=0.25,
        closed_book=0.15,
        two_facts=0.04,
        breadth=0.1,
    ),
    # The shelves that a pipeline shows are shorter again, so that the last minutes hold more questions,
    # and more of them are on things that no passage speaks of.
    Level(
        passages=4,
        facts=4,
        follow_ups=5,
        citation_weight=12.0,
        unanswerable=0.3,
        formatted=0.33,
        records=0.17,
        closed_book=0.19,
        two_facts=0.05,
        breadth=0.1,
    ),
)
# What a trained model learns on: records, which need the bare value, beside everything that it can do.
RECORDS = replace(
    LEVELS[-1], passages=5, facts=4, follow_ups=6, formatted=0.48, records=0.8, closed_book=0.14, unanswerable=0.24
)
# The stage of a trained model that goes on: after the last level, and reached by no goal.
GOING_ON = WARM_UPS + len(LEVELS)


class Goal(NamedTuple):
    """What ends a stage: shares of exact answers, and of right numbers of passages."""

    exact: float
    citing: float = 0.0


# Formats and inventions are hardly ever exact, so the goals fall as their share grows.  With one to five passages
# chance gives less than half of the numbers.
GOALS = (Goal(0.6), Goal(0.6), Goal(0.7), Goal(0.75), Goal(0.58), Goal(0.3), Goal(0.3, citing=0.8))
MEMORY = 0.97


@dataclass
class Curriculum:
    """Where training stands: first the warm-ups on random tokens, then `LEVELS`; a trained model is `GOING_ON`.

    competence: running mean of the share of answers predicted right to the last token, but for passages' numbers.
    citing: running mean of the share of these numbers predicted right.
    """

    stage: int = 0
    competence: float = 0.0
    citing: float = 0.0

    @property
    def warms_up(self) -> bool:
        """Whether random tokens are copied, before the first conversation."""
        return self.stage < WARM_UPS

    @property
    def level(self) -> Level:
        """What conversations are drawn from now; during the warm-ups, what comes after them."""
        return (*LEVELS, RECORDS)[max(0, self.stage - WARM_UPS)]

    def note(self, exact: float, cited: float) -> bool:
        """Takes in one step's share of exact answers and of right numbers (nan: none stood there).

        True when that ended the stage.
        """
        self.competence = MEMORY * self.competence + (1 - MEMORY) * exact
        if not math.isnan(cited):
            self.citing = MEMORY * self.citing + (1 - MEMORY) * cited
        if self.stage >= len(GOALS):
            return False
        goal = GOALS[self.stage]
        if self.competence < goal.exact or self.citing < goal.citing:
            return False
        self.stage += 1
        self.competence = self.citing = 0.0
        return True


def copy_rows(stage: int, vocabulary: int, rows: int, random: torch.Generator) -> torch.Tensor:
    """Random strings written twice, (rows, 2 × length): predicting the second half takes copying.

    Stage 0 uses the same 64 tokens, stage 1 random subsets, stage 2 up to the whole vocabulary.
    """
    length = _between(4, 20, random)
    if stage == 0:
        subset = torch.arange(5, 69)
    else:
        sizes = [64, 128, 256] if stage == 1 else [128, 256, 512, vocabulary - 5]
        subset = torch.randperm(vocabulary - 5, generator=random)[: sizes[_between(0, len(sizes) - 1, random)]] + 5
    half = subset[torch.randint(len(subset), (rows, length), generator=random)]
    return torch.cat([half, half], dim=1)


def _between(low: int, high: int, random: torch.Generator) -> int:
    return int(torch.randint(low, high + 1, (1,), generator=random))
