"""One notebook's quiz as the learner sees it: cards, plain answers, and predictions graded by measurements."""

from __future__ import annotations

from typing import Any

from IPython.display import display

from utils.ledger import Ledger
from utils.quiz import feedback
from utils.quiz.cards import QuestionCard, card_for
from utils.quiz.names import quiz_name
from utils.quiz.progress import Progress, QuizAnswer
from utils.quiz.questions import load_quiz
from utils.quiz.schema import Prediction, Quiz, QuizQuestion, check_confidence
from utils.quiz.standing import Standing, standing_in, valid_answer
from utils.quiz.verdicts import measurements_for
from utils.widgets import FixedReprBox


def open_quiz(number: str) -> QuizSession:
    """The quiz of notebook `number` ("02") with the learner's progress and evidence ledger.

    Raises CourseError when the quiz file is missing or wrong.  A damaged progress file is set aside, and a
    printed sentence says so.
    """
    session = QuizSession(load_quiz(number), Progress.load(), Ledger.open())
    session.say_notices()
    return session


class QuizSession:
    """Shows questions, records answers, grades predictions.  Displaying it shows every card.

    ledger: shows which predictions are measured and may no longer be changed; None when none is.
    """

    def __init__(self, quiz: Quiz, progress: Progress, ledger: Ledger | None = None) -> None:
        self._quiz = quiz
        self._progress = progress
        self._ledger = ledger
        progress.answers()  # a damaged file is reported here, not at the first click

    def show(self, *ids: str) -> None:
        """Display the cards of the named questions, or of all.  Raises CourseError for an unknown id."""
        for question in self._named(ids):
            display(self.card(question.id))

    def card(self, id: str) -> QuestionCard:
        """The card of one question, restored to the learner's earlier answer."""
        question = self._quiz.find(id)
        answer = self._answer_to(question)
        card = card_for(self._quiz.quiz, question, answer, lambda *said: self._record(question, *said))
        if answer:
            card.restore_feedback(self._told_before(question, answer))
        return card

    def answer(self, id: str, answer: object, confidence: str | None = None) -> None:
        """Record an answer and print its feedback: the card without widgets.

        answer: "b" for an option, "ac" for several, "cab" for an order, 42 or "42" for a number; capitals and
        spaces do not matter.
        confidence: "guess", "fairly sure", "certain" or None.  Raises CourseError for anything unknown.
        """
        question = self._quiz.find(id)
        plain = question.read(answer)
        check_confidence(confidence)
        print(self._record(question, plain, confidence))

    def score(self) -> None:
        """Print how many questions of this notebook are answered, and how many of them are right."""
        print(self._standing().in_words())

    def grade_predictions(self, ledger: Ledger, *ids: str) -> None:
        """Print for each named prediction, or for all, what was said, what was measured, and the verdict."""
        for question in self._named(ids):
            if isinstance(question, Prediction):
                print(feedback.after_measurement(question, self._answer_to(question), ledger))

    def say_notices(self) -> None:
        """Print what the learner should know about the progress file, if anything."""
        for notice in self._progress.take_notices():
            print(notice)

    def __repr__(self) -> str:
        return quiz_name(self._quiz.quiz, len(self._quiz.questions))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        cards = [self.card(question.id) for question in self._quiz.questions]
        markdown = "\n\n".join(card.markdown for card in cards)
        return FixedReprBox(repr(self), markdown, list(cards))._repr_mimebundle_(**kwargs)

    def _named(self, ids: tuple[str, ...]) -> list[QuizQuestion]:
        return [self._quiz.find(id) for id in ids] or list(self._quiz.questions)

    def _answer_to(self, question: QuizQuestion) -> QuizAnswer | None:
        return valid_answer(question, self._progress.answers().get(self._quiz.key(question)))

    def _told_before(self, question: QuizQuestion, answer: QuizAnswer) -> str:
        if isinstance(question, Prediction) and self._is_measured(question):
            assert self._ledger is not None
            return feedback.verdict_on(question, answer, self._ledger)
        return feedback.after_answer(question, answer.option, answer.confidence)

    def _is_measured(self, prediction: Prediction) -> bool:
        return self._ledger is not None and measurements_for(prediction, self._ledger) is not None

    def _record(self, question: QuizQuestion, answer: str, confidence: str | None) -> str:
        """Save the answer; the feedback, with anything to say about the progress file."""
        said = self._predict if isinstance(question, Prediction) else self._try
        return " ".join([*said(question, answer, confidence), *self._progress.take_notices()])

    def _predict(self, question: Prediction, answer: str, confidence: str | None) -> list[str]:
        before = self._answer_to(question)
        measured = self._is_measured(question)
        if measured and before and not before.late:
            assert self._ledger is not None
            return [feedback.locked(question, before, self._ledger)]
        self._progress.record_answer(self._quiz.key(question), answer, confidence, late=measured)
        return [feedback.after_answer(question, answer, confidence), *([feedback.too_late()] if measured else [])]

    def _try(self, question: QuizQuestion, answer: str, confidence: str | None) -> list[str]:
        before = self._answer_to(question)
        right = feedback.is_right(question, answer)
        self._progress.record_answer(self._quiz.key(question), answer, confidence, right)
        changed = [feedback.after_retry(question, before, answer)] if before else []
        return [feedback.after_answer(question, answer), *changed, self._standing().score]

    def _standing(self) -> Standing:
        return standing_in(self._quiz, self._progress.answers())
