"""How well a learner's confidence fits: predictions by confidence, and how many of them held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.ledger import Ledger
from utils.quiz.feedback import held
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import CONFIDENCES, Quiz
from utils.quiz.standing import valid_answer

UNSAID = "not said"
ENOUGH = 4
FEW = 2


@dataclass(frozen=True)
class Level:
    """The measured predictions of one confidence, and how many of them held."""

    word: str
    measured: int
    held: int

    @property
    def share(self) -> float:
        """Share that held, 0 to 1; 0 where nothing is measured."""
        return self.held / self.measured if self.measured else 0.0

    def in_words(self) -> str:
        """The level as a line: "certain: 2 of 3 held"."""
        return f"{self.word}: {self.held} of {self.measured} held" if self.measured else f"{self.word}: none measured"


@dataclass(frozen=True)
class Calibration:
    """The levels from "guess" to "certain", what waits for its measurement, and what came too late to count."""

    levels: tuple[Level, ...]
    waiting: int
    late: int

    @property
    def measured(self) -> int:
        """How many predictions count."""
        return sum(level.measured for level in self.levels)

    def in_words(self) -> list[str]:
        """The figure's text twin, a line each."""
        lines = [level.in_words() for level in self.levels if level.measured or level.word != UNSAID]
        lines.append(f"waiting for a measurement: {self.waiting}")
        if self.late:
            lines.append(f"made after the measurement, so not counted: {self.late}")
        return [*lines, self.reading()]

    def reading(self) -> str:
        """What the counts say about the learner's confidence, in a sentence."""
        levels = {level.word: level for level in self.levels}
        guess, certain = levels["guess"], levels["certain"]
        if self.measured < ENOUGH:
            return f"Too few predictions are measured yet ({self.measured}) to say how well your confidence fits."
        if certain.measured >= FEW and certain.share < 0.75:
            return 'You were certain more often than you were right: keep "certain" for what you would bet on.'
        if guess.measured >= FEW and guess.share > 0.75:
            return "Your guesses held nearly every time: you know more than you say."
        return self._trend()

    def _trend(self) -> str:
        shares = [level.share for level in self.levels if level.measured and level.word != UNSAID]
        if len(shares) < 2:
            return (
                "You used one degree of confidence only: say more exactly how sure you are, and you can learn from it."
            )
        if shares == sorted(shares):
            return "The surer you were, the more often you were right, as far as so few predictions can tell."
        if shares == sorted(shares, reverse=True):
            return "The surer you were, the less often you were right, as far as so few predictions can tell."
        return "How sure you were and how often you were right do not go together yet."


def calibrate(quizzes: Sequence[Quiz], answers: dict[str, QuizAnswer], ledger: Ledger) -> Calibration:
    """Hold every prediction with an answer to the learner's own measurements."""
    found = [
        (answer, held(question, answer, ledger))
        for quiz in quizzes
        for question in quiz.predictions
        if (answer := valid_answer(question, answers.get(quiz.key(question))))
    ]
    counted = [(answer.confidence or UNSAID, right) for answer, right in found if right is not None and not answer.late]
    levels = [_level(word, [right for said, right in counted if said == word]) for word in (*CONFIDENCES, UNSAID)]
    waiting = sum(right is None for _, right in found)
    return Calibration(tuple(levels), waiting, sum(answer.late for answer, _ in found))


def figure(calibration: Calibration) -> bytes:
    """The calibration as a PNG picture: one bar for each confidence, its counts written beside it."""
    from utils.plots import canvas, png

    levels = [level for level in calibration.levels if level.measured or level.word != UNSAID]
    drawing, axes = canvas(6, 0.5 * len(levels) + 1.2)
    words = [level.word for level in levels]
    axes.barh(words, [level.share for level in levels], color="#56B4E9", edgecolor="black", hatch="//")
    for row, level in enumerate(levels):
        label = f"{level.held} of {level.measured}" if level.measured else "none measured"
        text = axes.text(0.02, row, label, va="center", fontsize=10)
        text.set_bbox({"facecolor": "white", "alpha": 0.9, "edgecolor": "none", "pad": 2})
    axes.set(title="Which of your predictions held", xlim=(0, 1), xlabel="share that held", ylabel="you said")
    axes.invert_yaxis()
    return png(drawing)


def _level(word: str, results: Sequence[bool]) -> Level:
    return Level(word, len(results), sum(results))
