"""What the model practises when: copying, then finding, then reading; a stage ends on competence, not on the clock.

Copying and finding use random tokens, so they teach the bare skill: repeat a string; quote the sentence that holds a
given word.  Text comes after, few kinds of facts first.  Two ways that learned worse: advancing on the clock, and
judging competence by single tokens, since a model that quotes a random sentence predicts nine tokens in ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from utils.pretraining.conversations import Level

COPY_STAGES = 3
FIND_STAGES = 3
WARM_UPS = COPY_STAGES + FIND_STAGES
LEVELS = (
    Level(passages=2, facts=3, trades=2, topics=3, wordings=2, unanswerable=0.05, questions=(3, 6)),
    Level(passages=3, facts=4, trades=5, topics=8, formatted=0.05, unanswerable=0.10, questions=(3, 6)),
    Level(passages=3, facts=5, formatted=0.15, closed_book=0.08, unanswerable=0.12, two_facts=0.04, questions=(3, 7)),
    Level(passages=5, facts=5, formatted=0.20, closed_book=0.10, unanswerable=0.15, two_facts=0.06, questions=(3, 8)),
)
GOALS = (0.6, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.75, 0.7)
MEMORY = 0.97


@dataclass
class Curriculum:
    """Where training stands: first the warm-ups on random tokens, then `LEVELS`.

    competence: running mean of the share of answers predicted right to the last token.
    """

    stage: int = 0
    competence: float = 0.0

    @property
    def warms_up(self) -> bool:
        return self.stage < WARM_UPS

    @property
    def level(self) -> Level:
        return LEVELS[max(0, self.stage - WARM_UPS)]

    def note(self, exact: float) -> bool:
        """Takes in one step's share of exact answers; True when that ended the stage."""
        self.competence = MEMORY * self.competence + (1 - MEMORY) * exact
        if self.stage == len(GOALS) or self.competence < GOALS[self.stage]:
            return False
        self.stage += 1
        self.competence = 0.0
        return True


@dataclass(frozen=True)
class Markers:
    """Token ids that the warm-ups borrow from the chat template."""

    user: int
    assistant: int
    end: int
    stop: int


def warm_up_rows(stage: int, markers: Markers, vocabulary: int, rows: int, random: torch.Generator) -> torch.Tensor:
    """Rows for a warm-up stage, (rows, length); the answers are what `answer_mask` marks."""
    if stage < COPY_STAGES:
        return _copy_rows(stage, vocabulary, rows, random)
    return _find_rows(stage - COPY_STAGES, markers, vocabulary, rows, random)


def _copy_rows(stage: int, vocabulary: int, rows: int, random: torch.Generator) -> torch.Tensor:
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


def _find_rows(stage: int, markers: Markers, vocabulary: int, rows: int, random: torch.Generator) -> torch.Tensor:
    """Sentences of random tokens, then three queries: words of one sentence, and that sentence as the answer."""
    count, length = _between(2, 3 + 2 * stage, random), _between(4, 5 + 2 * stage, random)
    sentences = torch.randint(5, vocabulary, (rows, count, length), generator=random)
    sentences[:, :, -1] = markers.stop
    parts = [torch.full((rows, 1), markers.user), sentences.flatten(1)]
    every = torch.arange(rows)[:, None]
    for number in range(3):
        target = torch.randint(count, (rows, 1), generator=random)
        places = torch.rand((rows, length - 2), generator=random).argsort(dim=1)[:, :2] + 1
        sentence = sentences[every, target].squeeze(1)
        lead = [torch.full((rows, 1), markers.user)] * (number > 0)
        parts += [*lead, sentence[every, places], torch.full((rows, 1), markers.assistant), sentence]
        parts.append(torch.full((rows, 1), markers.end))
    return torch.cat(parts, dim=1)


def answer_mask(stage: int, rows: torch.Tensor, markers: Markers) -> torch.Tensor:
    """Which tokens of warm-up rows are answers, (rows, length) bool: copies, or what follows the assistant's marker."""
    if stage < COPY_STAGES:
        mask = torch.zeros_like(rows, dtype=torch.bool)
        mask[:, rows.shape[1] // 2 + 1 :] = True
        return mask
    opened = (rows == markers.assistant).cumsum(1)
    closed = (rows == markers.end).cumsum(1)
    return (opened > closed) & (rows != markers.assistant) | (rows == markers.end)


def _between(low: int, high: int, random: torch.Generator) -> int:
    return int(torch.randint(low, high + 1, (1,), generator=random))
