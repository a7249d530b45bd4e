"""Which options of a prediction a measurement reaches, and what that means for the learner's bet."""

from __future__ import annotations

from typing import Literal

from utils.ledger import Ledger, Measurement
from utils.quiz.options import Expectation
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import Prediction

Verdict = Literal["held", "not held", "too close"]
DIGITS = 9  # rounded, so that 0.3 - 0.1 is not below 0.2


def measurements_for(prediction: Prediction, ledger: Ledger) -> dict[str, Measurement] | None:
    """The measurements that settle a prediction, by key; None while any of them is missing."""
    found = {key: measurement for key in prediction.ledger_keys if (measurement := ledger.get(key))}
    return found if found and len(found) == len(prediction.ledger_keys) else None


def held(prediction: Prediction, answer: QuizAnswer, ledger: Ledger) -> Verdict | None:
    """Whether the learner's prediction came true, did not, or is too close to call; None while it is not measured."""
    found = measurements_for(prediction, ledger)
    return None if found is None else verdict(prediction, answer, reached(prediction, found))


def verdict(prediction: Prediction, answer: QuizAnswer, options: list[Expectation]) -> Verdict:
    """The verdict on an answer when the measurement reaches these options."""
    if prediction.options[prediction.position(answer.option)] not in options:
        return "not held"
    return "held" if len(options) == 1 else "too close"


def reached(prediction: Prediction, found: dict[str, Measurement]) -> list[Expectation]:
    """The options that the measurements reach: one, or several where the intervals do not decide.

    With `grades_with`, an option is reached when its bounds share a number with the interval of the measurement.
    With a `key` for each option, an option is ruled out when its whole interval is below that of another.
    """
    if prediction.grades_with:
        low, high = _bounds(found[prediction.grades_with])
        return [option for option in prediction.options if option.meets(low, high)]
    least = max(_bounds(measurement)[0] for measurement in found.values())
    return [option for option in prediction.options if option.key and _bounds(found[option.key])[1] >= least]


def _bounds(measurement: Measurement) -> tuple[float, float]:
    low, high = measurement.bounds
    return round(low, DIGITS), round(high, DIGITS)
