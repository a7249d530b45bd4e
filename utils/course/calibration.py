"""How well a learner's confidence fits: predictions by confidence, and how many of them came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.ledger import Ledger
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import CONFIDENCES, Quiz
from utils.quiz.standing import valid_answer
from utils.quiz.verdicts import Verdict, held

UNSAID = "not said"
ENOUGH = 4
FEW = 2


@dataclass(frozen=True)
class Level:
    """The settled predictions of one level of confidence, and how many of them came true.

    A prediction is settled when its measurement clearly fits it, or clearly does not.
    """

    word: str
    settled: int
    held: int

    @property
    def share(self) -> float:
        """Share that came true, 0 to 1; 0 when none is settled."""
        return self.held / self.settled if self.settled else 0.0

    def in_words(self) -> str:
        """The level as a line: "certain: 2 of 3 came true"."""
        return f"{self.word}: {self.held} of {self.settled} came true" if self.settled else f"{self.word}: none settled"


@dataclass(frozen=True)
class Calibration:
    """The levels from "guess" to "certain", and how many predictions are in none of them.

    waiting: not measured yet.  late: made after the measurement.  too_close: the measurement does not decide.
    """

    levels: tuple[Level, ...]
    waiting: int
    late: int
    too_close: int

    @property
    def settled(self) -> int:
        """How many predictions count."""
        return sum(level.settled for level in self.levels)

    def in_words(self) -> list[str]:
        """The same counts as the figure in text, one line each."""
        lines = [level.in_words() for level in self.levels if level.settled or level.word != UNSAID]
        if self.too_close:
            lines.append(f"too close to call: {self.too_close}")
        lines.append(f"waiting for a measurement: {self.waiting}")
        if self.late:
            lines.append(f"made after the measurement, so not counted: {self.late}")
        return [*lines, self.reading()]

    def reading(self) -> str:
        """What the counts say about the learner's confidence, in a sentence."""
        levels = {level.word: level for level in self.levels}
        guess, certain = levels["guess"], levels["certain"]
        if self.settled < ENOUGH:
            return f"Too few predictions are settled yet ({self.settled}) to say how well your confidence fits."
        if certain.settled >= FEW and certain.share < 0.75:
            return 'You were certain more often than you were right: keep "certain" for what you would bet money on.'
        if guess.settled >= FEW and guess.share > 0.75:
            return "Your guesses came true nearly every time: you know more than you think."
        return self._trend()

    def _trend(self) -> str:
        shares = [level.share for level in self.levels if level.settled and level.word != UNSAID]
        if len(shares) < 2:
            return "You used only one level of confidence: use the others too, to see how well they fit."
        if shares == sorted(shares):
            return "The surer you were, the more often you were right, as far as this few predictions can tell."
        if shares == sorted(shares, reverse=True):
            return "The surer you were, the less often you were right, as far as this few predictions can tell."
        return "Your confidence does not follow how often you were right yet."


def calibrate(quizzes: Sequence[Quiz], answers: dict[str, QuizAnswer], ledger: Ledger) -> Calibration:
    """Compare every prediction that has an answer with the learner's own measurements."""
    found = [
        (answer, held(question, answer, ledger))
        for quiz in quizzes
        for question in quiz.predictions
        if (answer := valid_answer(question, answers.get(quiz.key(question))))
    ]
    counted = [(answer.confidence or UNSAID, verdict) for answer, verdict in found if verdict and not answer.late]
    levels = [_level(word, [verdict for said, verdict in counted if said == word]) for word in (*CONFIDENCES, UNSAID)]
    return Calibration(
        levels=tuple(levels),
        waiting=sum(verdict is None for _, verdict in found),
        late=sum(answer.late for answer, _ in found),
        too_close=sum(verdict == "too close" for _, verdict in counted),
    )


def figure(calibration: Calibration) -> bytes:
    """The calibration as a PNG picture: one bar for each level of confidence, with its counts as text."""
    from utils.plots import canvas, png

    levels = [level for level in calibration.levels if level.settled or level.word != UNSAID]
    drawing, axes = canvas(6, 0.5 * len(levels) + 1.2)
    words = [level.word for level in levels]
    axes.barh(words, [level.share for level in levels], color="#56B4E9", edgecolor="black", hatch="//")
    for row, level in enumerate(levels):
        label = f"{level.held} of {level.settled}" if level.settled else "none settled"
        text = axes.text(0.02, row, label, va="center", fontsize=10)
        text.set_bbox({"facecolor": "white", "alpha": 0.9, "edgecolor": "none", "pad": 2})
    axes.set(title="Which of your predictions came true", xlim=(0, 1), xlabel="share that came true", ylabel="you said")
    axes.invert_yaxis()
    return png(drawing)


def _level(word: str, verdicts: Sequence[Verdict]) -> Level:
    right = verdicts.count("held")
    return Level(word, right + verdicts.count("not held"), right)
