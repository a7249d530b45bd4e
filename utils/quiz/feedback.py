"""What the learner is told, in words: after an answer, and after the measurement."""

from __future__ import annotations

from utils.ledger import Ledger, Measurement, show_number
from utils.quiz.progress import Answer
from utils.quiz.questions import Decision, Expectation, Prediction, Question, check_choice


def after_answer(question: Question, letter: str, confidence: str | None = None) -> str:
    """Feedback on option `letter`, beginning "Right.", "Not quite." or "Recorded."."""
    if isinstance(question, Prediction):
        return _recorded(question, letter, confidence)
    choice = question.options[check_choice(question, letter)]
    verdict = "Right." if choice.right else "Not quite."
    return f"{verdict} {choice.feedback} Evidence: {question.evidence}."


def is_right(question: Question, letter: str) -> bool | None:
    """Whether option `letter` is right; None for a prediction, which only a measurement can settle."""
    return question.options[check_choice(question, letter)].right if isinstance(question, Decision) else None


def after_measurement(prediction: Prediction, answer: Answer | None, ledger: Ledger) -> str:
    """What the learner said, what they measured, and which option that bears out, under the question's title."""
    found = {key: measurement for key in prediction.ledger_keys if (measurement := ledger.get(key))}
    if not found or len(found) < len(prediction.ledger_keys):
        verdict = f"{_said(prediction, answer)} Not measured yet: notebook {prediction.measured_in} does that."
    else:
        verdict = _verdict(prediction, answer, found)
    return f"{prediction.title}\n  {verdict}"


def _verdict(prediction: Prediction, answer: Answer | None, found: dict[str, Measurement]) -> str:
    held = _options_that_held(prediction, found)
    said, measured = _said(prediction, answer), _measured(prediction, found)
    if answer is None:
        return f"{said} Your measurement, {measured}, fits {_quoted(held)}."
    if prediction.options[check_choice(prediction, answer.option)] in held:
        return f"Right. {said} You measured {measured}."
    return f"Not quite. {said} You measured {measured}, which fits {_quoted(held)}. {held[0].feedback}"


def _recorded(prediction: Prediction, letter: str, confidence: str | None) -> str:
    option = prediction.options[check_choice(prediction, letter)]
    sure = f" ({confidence})" if confidence else ""
    if prediction.ledger_keys:
        when = f"Notebook {prediction.measured_in} measures it."
    else:
        when = f"It is measured in a later notebook, {prediction.measured_in}."
    return f'Recorded. You expect "{option.text}"{sure}. {option.feedback} {when}'


def _said(prediction: Prediction, answer: Answer | None) -> str:
    if answer is None:
        return "You made no prediction."
    option = prediction.options[check_choice(prediction, answer.option)]
    sure = f" ({answer.confidence})" if answer.confidence else ""
    return f'You said "{option.text}"{sure}.'


def _options_that_held(prediction: Prediction, found: dict[str, Measurement]) -> list[Expectation]:
    """The options borne out: one by its bounds, or all that share the highest value."""
    if prediction.grades_with:
        number = _number(prediction, found)
        return [option for option in prediction.options if option.holds_for(number)]
    best = max(measurement.value for measurement in found.values())
    return [option for option in prediction.options if option.key and found[option.key].value == best]


def _number(prediction: Prediction, found: dict[str, Measurement]) -> float:
    """The graded number, rounded so that 0.9 - 0.7 is not below 0.2."""
    less = found[prediction.minus].value if prediction.minus else 0.0
    return round(found[prediction.grades_with or ""].value - less, 9)


def _measured(prediction: Prediction, found: dict[str, Measurement]) -> str:
    """The measured values in words, each with its interval."""
    words = ", ".join(f"{key} {measurement.in_words()}{_interval(measurement)}" for key, measurement in found.items())
    if not prediction.minus:
        return words
    unit = found[prediction.minus].unit
    difference = _number(prediction, found)
    points = f"{100 * difference:+.0f} points" if unit == "share" else show_number(difference, unit)
    return f"{words}, a difference of {points}"


def _interval(measurement: Measurement) -> str:
    if measurement.low is None or measurement.high is None:
        return ""
    low, high = (show_number(bound, measurement.unit) for bound in (measurement.low, measurement.high))
    return f" ({low} to {high})"


def _quoted(held: list[Expectation]) -> str:
    return " and ".join(f'"{option.text}"' for option in held)
