"""One notebook's quiz as the learner meets it: cards, plain answers, and predictions held to the evidence."""

from __future__ import annotations

from typing import Any

from IPython.display import display

from utils.ledger import Ledger
from utils.quiz.cards import FixedReprBox, QuestionCard
from utils.quiz.feedback import after_answer, after_measurement, is_right
from utils.quiz.progress import Answer, Progress
from utils.quiz.questions import Prediction, Question, Quiz, check_choice, check_confidence, load_quiz


def open_quiz(number: str) -> QuizSession:
    """The quiz of notebook `number` ("02") with the learner's progress.

    Raises CourseError when the quiz file is missing or wrong; a damaged progress file is set aside
    and reported in a printed sentence.
    """
    session = QuizSession(load_quiz(number), Progress.load())
    session.say_notices()
    return session


class QuizSession:
    """Shows questions, records answers, grades predictions.  Displaying it shows every card."""

    def __init__(self, quiz: Quiz, progress: Progress) -> None:
        self._quiz = quiz
        self._progress = progress
        progress.answers()  # a damaged file is reported here, not at the first click

    def show(self, *ids: str) -> None:
        """Display the cards of the named questions, or of all.  Raises CourseError for an unknown id."""
        for question in self._named(ids):
            display(self.card(question.id))

    def card(self, id: str) -> QuestionCard:
        """The card of one question, restored to the learner's earlier answer."""
        question = self._quiz.find(id)
        answer = self._answer_to(question)
        card = QuestionCard(self._quiz.quiz, question, answer, lambda *said: self._record(question, *said))
        if answer:
            card.show_feedback(after_answer(question, answer.option, answer.confidence))
        return card

    def answer(self, id: str, letter: str, confidence: str | None = None) -> None:
        """Record option `letter` and print its feedback: the card without widgets.

        confidence: "guess", "fairly sure", "certain" or None.  Raises CourseError for anything unknown.
        """
        question = self._quiz.find(id)
        check_choice(question, letter)
        check_confidence(confidence)
        print(self._record(question, letter, confidence))

    def grade_predictions(self, ledger: Ledger, *ids: str) -> None:
        """Print one line for each prediction named (or all): what was said, what was measured, the verdict."""
        for question in self._named(ids):
            if isinstance(question, Prediction):
                print(after_measurement(question, self._answer_to(question), ledger))

    def say_notices(self) -> None:
        """Print what the learner should know about the progress file, if anything."""
        for notice in self._progress.take_notices():
            print(notice)

    def __repr__(self) -> str:
        count = len(self._quiz.questions)
        return f"Quiz {self._quiz.quiz}: {count} question{'s' if count > 1 else ''}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        cards = [self.card(question.id) for question in self._quiz.questions]
        markdown = "\n\n".join(card.markdown for card in cards)
        return FixedReprBox(repr(self), markdown, list(cards))._repr_mimebundle_(**kwargs)

    def _named(self, ids: tuple[str, ...]) -> list[Question]:
        return [self._quiz.find(id) for id in ids] or list(self._quiz.questions)

    def _answer_to(self, question: Question) -> Answer | None:
        """The learner's answer, unless it names an option that does not exist."""
        answer = self._progress.answers().get(self._quiz.key(question))
        return answer if answer and answer.option in question.letters and len(answer.option) == 1 else None

    def _record(self, question: Question, letter: str, confidence: str | None) -> str:
        """Save the answer; the feedback, with anything to say about the progress file."""
        self._progress.record_answer(self._quiz.key(question), letter, confidence, is_right(question, letter))
        return " ".join([after_answer(question, letter, confidence), *self._progress.take_notices()])
