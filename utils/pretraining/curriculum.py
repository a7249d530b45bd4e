"""What the model practises when: copying first, then one passage, then many; a stage ends on competence.

Advancing on the clock was tried and learned worse (accuracy stayed behind the difficulty).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from utils.pretraining.conversations import Level

COPY_STAGES = 3
LEVELS = (
    Level(passages=1, facts=2, formatted=0.03, closed_book=0.03, unanswerable=0.05),
    Level(passages=2, facts=3, formatted=0.10, closed_book=0.06, unanswerable=0.10, two_facts=0.03),
    Level(passages=3, facts=4, formatted=0.18, closed_book=0.08, unanswerable=0.15, two_facts=0.05),
    Level(passages=5, facts=5, formatted=0.22, closed_book=0.10, unanswerable=0.15, two_facts=0.06),
)
COPY_GOAL, READ_GOAL = 0.9, 0.9
MEMORY = 0.97


@dataclass
class Curriculum:
    """Where training stands: stages 0 to 2 copy random strings, later ones read `LEVELS`.

    competence: running mean of the share of answer tokens that were predicted right.
    """

    stage: int = 0
    competence: float = 0.0

    @property
    def copies(self) -> bool:
        return self.stage < COPY_STAGES

    @property
    def level(self) -> Level:
        return LEVELS[max(0, self.stage - COPY_STAGES)]

    def note(self, accuracy: float) -> bool:
        """Takes in one step's accuracy; True when that ended the stage."""
        self.competence = MEMORY * self.competence + (1 - MEMORY) * accuracy
        goal = COPY_GOAL if self.copies else READ_GOAL
        if self.competence < goal or self.stage == COPY_STAGES + len(LEVELS) - 1:
            return False
        self.stage += 1
        self.competence = 0.0
        return True


def copy_rows(stage: int, vocabulary: int, rows: int, generator: torch.Generator) -> torch.Tensor:
    """Random strings written twice, (rows, 2 × length): predicting the second half takes copying.

    Stage 0 uses the same 64 tokens, stage 1 random subsets, stage 2 up to the whole vocabulary.
    """

    def pick(options: list[int]) -> int:
        return options[int(torch.randint(len(options), (1,), generator=generator))]

    length = int(torch.randint(4, 21, (1,), generator=generator))
    if stage == 0:
        subset = torch.arange(2, 66)
    else:
        size = pick([64, 128, 256]) if stage == 1 else pick([128, 256, 512, vocabulary - 2])
        subset = torch.randperm(vocabulary - 2, generator=generator)[:size] + 2
    half = subset[torch.randint(len(subset), (rows, length), generator=generator)]
    return torch.cat([half, half], dim=1)
