"""What the learner is told, in words: after an answer, and after the measurement."""

from __future__ import annotations

from utils.ledger import Ledger, Measurement, show_number
from utils.quiz.options import Expectation
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import Graded, Knowledge, Numeric, Ordering, Prediction, QuizQuestion


def after_answer(question: QuizQuestion, answer: str, confidence: str | None = None) -> str:
    """Feedback on an answer in its one form, beginning "Right.", "Not quite." or "Recorded."."""
    if isinstance(question, Prediction):
        return _recorded(question, answer, confidence)
    verdict = "Right." if is_right(question, answer) else "Not quite."
    return f"{verdict} {_reason(question, answer)} See the evidence: {question.evidence}."


def is_right(question: QuizQuestion, answer: str) -> bool | None:
    """Whether an answer is right; None for a prediction, which only a measurement can settle."""
    if isinstance(question, Prediction):
        return None
    if isinstance(question, Numeric):
        return question.range_of(float(answer)).right
    return answer == question.key


def after_retry(question: QuizQuestion, before: QuizAnswer, answer: str) -> str:
    """What changed since the answer before: a sentence."""
    if before.option == answer:
        return "That is the same answer as before."
    if isinstance(question, Ordering):
        return "You changed the order of the steps."
    return f"You changed it from {in_words(question, before.option)}."


def in_words(question: QuizQuestion, answer: str) -> str:
    """An answer as the learner would say it: the texts of its options in quotes, or a number with its unit."""
    if isinstance(question, Numeric):
        return f"{answer} {question.unit}".strip()
    return " and ".join(f'"{text}"' for text in question.texts(answer))


def after_measurement(prediction: Prediction, answer: QuizAnswer | None, ledger: Ledger) -> str:
    """What the learner said, what they measured, and which option that bears out, under the question's title."""
    return f"{prediction.title}\n  {verdict_on(prediction, answer, ledger)}"


def verdict_on(prediction: Prediction, answer: QuizAnswer | None, ledger: Ledger) -> str:
    """The same in one line, without the title."""
    found = measurements_for(prediction, ledger)
    if found is None:
        return f"{_said(prediction, answer)} Not measured yet: notebook {prediction.measured_in} does that."
    return _verdict(prediction, answer, found)


def measurements_for(prediction: Prediction, ledger: Ledger) -> dict[str, Measurement] | None:
    """The measurements that settle a prediction, by key; None while any of them is missing."""
    found = {key: measurement for key in prediction.ledger_keys if (measurement := ledger.get(key))}
    return found if found and len(found) == len(prediction.ledger_keys) else None


def held(prediction: Prediction, answer: QuizAnswer, ledger: Ledger) -> bool | None:
    """Whether the learner's prediction was borne out; None while it is not measured."""
    found = measurements_for(prediction, ledger)
    if found is None:
        return None
    return prediction.options[prediction.position(answer.option)] in _options_that_held(prediction, found)


def locked(prediction: Prediction, answer: QuizAnswer, ledger: Ledger) -> str:
    """Why a prediction can no longer be changed."""
    earlier = [in_words(prediction, letter) for letter in answer.earlier if letter in prediction.letters]
    before = f" Before that you had chosen {', then '.join(earlier)}." if earlier else ""
    return (
        f"Not changed. Your measurement is in, and a bet that moves after the result would tell you nothing about "
        f"your foresight.{before} {verdict_on(prediction, answer, ledger)}"
    )


def too_late() -> str:
    """What is added to a prediction made after its measurement."""
    return "It was measured before you chose, so this does not count as a prediction."


def _reason(question: Graded, answer: str) -> str:
    if isinstance(question, Numeric):
        return question.range_of(float(answer)).feedback
    if isinstance(question, Ordering):
        return _order_reason(question, answer)
    if isinstance(question, Knowledge) and question.several:
        return _several_reason(question, answer)
    return question.options[question.position(answer)].feedback


def _several_reason(question: Knowledge, answer: str) -> str:
    """For a right answer every reason; else the reasons against what does not belong, and how many are missing."""
    wrong = [letter for letter in answer if letter not in question.key]
    missing = len(set(question.key) - set(answer))
    told = answer if answer == question.key else wrong
    reasons = [
        f'"{question.texts(letter)[0]}": {question.options[question.position(letter)].feedback}' for letter in told
    ]
    if missing:
        reasons.append(f"{missing} more belong{'s' if missing == 1 else ''} to the answer.")
    return " ".join(reasons)


def _order_reason(question: Ordering, answer: str) -> str:
    """For a right answer every reason; else how far it is right, and why the next step belongs elsewhere."""
    steps = [question.options[question.position(letter)] for letter in answer]
    good = next((place for place, step in enumerate(steps) if step.place != place + 1), len(steps))
    if good == len(steps):
        return " ".join(f'{step.place}. "{step.text}": {step.feedback}' for step in steps)
    stand = "The first step is right." if good == 1 else f"The first {good} steps are right." if good else ""
    return f'{stand} "{steps[good].text}" comes too early: {steps[good].feedback}'.strip()


def _verdict(prediction: Prediction, answer: QuizAnswer | None, found: dict[str, Measurement]) -> str:
    right = _options_that_held(prediction, found)
    said, measured = _said(prediction, answer), _measured(prediction, found)
    if answer is None:
        return f"{said} Your measurement, {measured}, fits {_quoted(right)}."
    late = f" {too_late()}" if answer.late else ""
    if prediction.options[prediction.position(answer.option)] in right:
        return f"Right. {said} You measured {measured}.{late}"
    return f"Not quite. {said} You measured {measured}, which fits {_quoted(right)}. {right[0].feedback}{late}"


def _recorded(prediction: Prediction, letter: str, confidence: str | None) -> str:
    option = prediction.options[prediction.position(letter)]
    sure = f" ({confidence})" if confidence else ""
    if prediction.ledger_keys:
        when = f"Notebook {prediction.measured_in} measures it."
    else:
        when = f"It is measured in a later notebook, {prediction.measured_in}."
    return f'Recorded. You expect "{option.text}"{sure}. {option.feedback} {when}'


def _said(prediction: Prediction, answer: QuizAnswer | None) -> str:
    if answer is None:
        return "You made no prediction."
    sure = f" ({answer.confidence})" if answer.confidence else ""
    return f"You said {in_words(prediction, answer.option)}{sure}."


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
