"""What the learner is told, in words: after an answer, and after the measurement."""

from __future__ import annotations

from utils.ledger import Ledger, Measurement
from utils.quiz.options import Expectation
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import Graded, Knowledge, Numeric, Ordering, Prediction, QuizQuestion
from utils.quiz.verdicts import measurements_for, reached, verdict


def after_answer(question: QuizQuestion, answer: str, confidence: str | None = None) -> str:
    """Feedback on an answer as `read` returns it, beginning "Right.", "Not quite." or "Recorded."."""
    if isinstance(question, Prediction):
        return _recorded(question, answer, confidence)
    begin = "Right." if is_right(question, answer) else "Not quite."
    return f"{begin} {_reason(question, answer)} See the evidence: {question.evidence}."


def is_right(question: QuizQuestion, answer: str) -> bool | None:
    """Whether an answer is right; None for a prediction, which only a measurement settles."""
    if isinstance(question, Prediction):
        return None
    if isinstance(question, Numeric):
        return question.range_of(float(answer)).right
    return answer == question.key


def after_retry(question: QuizQuestion, before: QuizAnswer, answer: str) -> str:
    """What changed since the previous answer, in a sentence."""
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
    """What the learner said, what they measured, and which options that reaches, under the question's title."""
    return f"{prediction.title}\n  {verdict_on(prediction, answer, ledger)}"


def verdict_on(prediction: Prediction, answer: QuizAnswer | None, ledger: Ledger) -> str:
    """The same in one line, without the title."""
    found = measurements_for(prediction, ledger)
    if found is None:
        return f"{_said(prediction, answer)} Not measured yet: notebook {prediction.measured_in} does that."
    return _verdict(prediction, answer, found)


def locked(prediction: Prediction, answer: QuizAnswer, ledger: Ledger) -> str:
    """Why a prediction can no longer be changed."""
    earlier = [in_words(prediction, letter) for letter in answer.earlier if letter in prediction.letters]
    before = f" Before that you had chosen {', then '.join(earlier)}." if earlier else ""
    return (
        f"Not changed. The measurement is in your ledger, and a prediction that changes afterwards tells you nothing "
        f"about how well you predict.{before} {verdict_on(prediction, answer, ledger)}"
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
    """For a right answer every reason; else why the wrong options do not belong, and how many are missing."""
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
    """For a right answer every reason; else how many steps are right, and why the next one belongs elsewhere."""
    steps = [question.options[question.position(letter)] for letter in answer]
    good = next((place for place, step in enumerate(steps) if step.place != place + 1), len(steps))
    if good == len(steps):
        return " ".join(f'{step.place}. "{step.text}": {step.feedback}' for step in steps)
    so_far = "The first step is right." if good == 1 else f"The first {good} steps are right." if good else ""
    return f'{so_far} "{steps[good].text}" comes too early: {steps[good].feedback}'.strip()


def _verdict(prediction: Prediction, answer: QuizAnswer | None, found: dict[str, Measurement]) -> str:
    options = reached(prediction, found)
    undecided = _undecided(prediction, options, found)
    said, measured = _said(prediction, answer), _measured(found)
    if answer is None:
        fits = f"is too close to call: {undecided}" if undecided else f"fits {_quoted(options, 'or')}"
        return f"{said} Your measurement, {measured}, {fits}."
    said = f"{said} You measured {measured}"
    late = f" {too_late()}" if answer.late else ""
    match verdict(prediction, answer, options):
        case "held":
            return f"Right. {said}.{late}"
        case "too close":
            return f"Too close to call. {said}: {undecided}.{late}"
        case "not held":
            # While several options fit, the cause is open, so no feedback names one.
            cause = "" if undecided else f" {options[0].feedback}"
            return f"Not quite. {said}, which fits {_quoted(options, 'or')}.{cause}{late}"


def _undecided(prediction: Prediction, options: list[Expectation], found: dict[str, Measurement]) -> str:
    """Why several options are reached; empty when only one is."""
    if len(options) == 1:
        return ""
    if prediction.grades_with:
        return f"the interval reaches {_quoted(options, 'and')}"
    if len({found[option.key].value for option in options if option.key}) == 1:
        return f"{_quoted(options, 'and')} share the highest value"
    return f"the intervals leave {_quoted(options, 'and')}"


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


def _measured(found: dict[str, Measurement]) -> str:
    """The measured values in words, each with its interval."""
    return ", ".join(f"{key} {measurement.in_words()}{_interval(measurement)}" for key, measurement in found.items())


def _interval(measurement: Measurement) -> str:
    words = measurement.interval_in_words()
    return f" ({words})" if words else ""


def _quoted(options: list[Expectation], word: str) -> str:
    """The texts of the options in quotes: "A", "B" and "C"."""
    *others, last = (f'"{option.text}"' for option in options)
    return f"{', '.join(others)} {word} {last}" if others else last
