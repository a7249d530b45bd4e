"""Question cards for the notebook: core ipywidgets, usable by Tab, Space and Enter alone.

Options are Buttons or Checkboxes. Radio buttons and menus need the arrow keys, which JupyterLab uses
to move between cells. A card knows nothing about files: `on_answer` saves the answer and returns the feedback.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from utils.errors import CourseError
from utils.quiz.markdown import as_markdown, effort
from utils.quiz.names import card_name
from utils.quiz.progress import QuizAnswer
from utils.quiz.schema import CONFIDENCES, Knowledge, Numeric, Ordering, Prediction, QuizQuestion
from utils.widgets import STYLE, FixedReprBox, action_button, alert_html, button_row

OnAnswer = Callable[[str, str | None], str]
CHOSEN = "course-chosen"
KEYS = "keys: Tab, Space, Enter"


class QuestionCard(FixedReprBox):
    """One question: its text, the controls to choose with, the button that checks, and the feedback.

    Each kind of card defines its controls in `_controls`, and what is chosen now in `chosen`.
    """

    def __init__(self, quiz: str, question: QuizQuestion, answer: QuizAnswer | None, on_answer: OnAnswer) -> None:
        self._question = question
        self._on_answer = on_answer
        self.feedback = widgets.HTML()
        self.check_button = action_button("Check my answer", self._check)
        super().__init__(card_name(quiz, question.id), as_markdown(question), [])
        controls = self._controls(answer)
        self.children = (widgets.HTML(STYLE + self._heading()), *controls, self.check_button, self.feedback)
        self.add_class("course-card")

    @property
    def confidence(self) -> str | None:
        """How sure the learner is; None when they did not say."""
        return None

    def chosen(self) -> str | None:
        """What is chosen now, as an answer in text; None when nothing is."""
        raise NotImplementedError

    def show_feedback(self, text: str) -> None:
        """Show `text` under the options, its verdict in bold; a screen reader announces it at once."""
        self.feedback.value = alert_html(_verdict_html(text))

    def restore_feedback(self, text: str) -> None:
        """Show what was said in an earlier session, without announcing it."""
        self.feedback.value = f"<div>{_verdict_html(text)}</div>"

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        raise NotImplementedError

    def _heading(self) -> str:
        question = self._question
        return (
            f"<p><strong>{escape(question.title)}</strong><br>{effort(question)} · {KEYS}</p>"
            f"<p>{escape(question.text)}</p>"
        )

    def _check(self) -> None:
        chosen = self.chosen()
        if chosen is None:
            self.show_feedback("Nothing chosen yet. Choose an answer first.")
            return
        try:
            answer = self._question.read(chosen)
        except CourseError as problem:
            self.show_feedback(f"Not an answer yet. {problem}")
            return
        self.show_feedback(self._on_answer(answer, self.confidence))


class ChoiceCard(QuestionCard):
    """A button for each option; one is chosen."""

    def chosen(self) -> str | None:
        """The letter of the chosen option."""
        return self._letter

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        self._letter = answer.option if answer else None
        letters, options = self._question.letters, self._question.options
        self.option_buttons = [
            action_button(option.text, lambda letter=letter: self._choose(letter))
            for letter, option in zip(letters, options, strict=True)
        ]
        for button in self.option_buttons:
            button.layout.width = "100%"
        self._mark()
        return list(self.option_buttons)

    def _choose(self, letter: str) -> None:
        self._letter = letter
        self._mark()

    def _mark(self) -> None:
        """Say in words, not only by colour, which button is chosen."""
        texts = [option.text for option in self._question.options]
        _mark_buttons(self.option_buttons, texts, [letter == self._letter for letter in self._question.letters])


class PredictionCard(ChoiceCard):
    """A button for each option, and one for each level of confidence."""

    @property
    def confidence(self) -> str | None:
        """How sure the learner is."""
        return self._confidence

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        self._confidence = answer.confidence if answer else None
        self.confidence_buttons = [
            action_button(word, lambda word=word: self._say_how_sure(word)) for word in CONFIDENCES
        ]
        self.check_button.description = "Record my prediction"
        options = super()._controls(answer)
        return [*options, widgets.HTML("How sure are you?"), button_row(self.confidence_buttons)]

    def _say_how_sure(self, word: str) -> None:
        self._confidence = word
        self._mark()

    def _mark(self) -> None:
        super()._mark()
        _mark_buttons(self.confidence_buttons, list(CONFIDENCES), [word == self._confidence for word in CONFIDENCES])


class SeveralCard(QuestionCard):
    """A checkbox for each option; any number may be ticked."""

    def chosen(self) -> str | None:
        """The letters of the ticked options."""
        boxes = zip(self._question.letters, self.checkboxes, strict=True)
        return "".join(letter for letter, box in boxes if box.value) or None

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        ticked = answer.option if answer else ""
        self.checkboxes = [
            widgets.Checkbox(letter in ticked, description=option.text, indent=False, layout={"width": "100%"})
            for letter, option in zip(self._question.letters, self._question.options, strict=True)
        ]
        return [widgets.HTML("Tick everything that applies."), *self.checkboxes]


class OrderingCard(QuestionCard):
    """A button for each step; the buttons get their numbers in the order in which they are pressed."""

    def chosen(self) -> str | None:
        """The letters in the order in which the steps were pressed, once all are."""
        return self._order if len(self._order) == len(self._question.letters) else None

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        self._order = answer.option if answer else ""
        self.option_buttons = [
            action_button(step.text, lambda letter=letter: self._press(letter))
            for letter, step in zip(self._question.letters, self._question.options, strict=True)
        ]
        for button in self.option_buttons:
            button.layout.width = "100%"
        self.again_button = action_button("Clear my order", self._take_back)
        self._mark()
        how = widgets.HTML("Press the steps one after another: the first, the second, and so on.")
        return [how, *self.option_buttons, self.again_button]

    def _press(self, letter: str) -> None:
        if letter not in self._order:
            self._order += letter
            self._mark()

    def _take_back(self) -> None:
        self._order = ""
        self._mark()

    def _mark(self) -> None:
        for letter, step, button in zip(
            self._question.letters, self._question.options, self.option_buttons, strict=True
        ):
            place = self._order.find(letter) + 1
            button.description = f"{place}. {step.text}" if place else step.text
            (button.add_class if place else button.remove_class)(CHOSEN)


class NumericCard(QuestionCard):
    """A field for a number."""

    def chosen(self) -> str | None:
        """The text in the field."""
        return self.field.value.strip() or None

    def _controls(self, answer: QuizAnswer | None) -> list[widgets.Widget]:
        unit = f" ({self._question.unit})" if self._question.unit else ""
        # Values sent at each key press wait in the queue of a busy kernel, and a click on the button can overtake them:
        # the number would be graded without its last digits.  Sent once, when the field loses focus, it arrives first.
        self.field = widgets.Text(
            answer.option if answer else "",
            continuous_update=False,
            description=f"Your number{unit}",
            style={"description_width": "initial"},
            layout={"width": "24em", "max_width": "100%"},
        )
        return [self.field]


def card_for(quiz: str, question: QuizQuestion, answer: QuizAnswer | None, on_answer: OnAnswer) -> QuestionCard:
    """The card for a question's kind."""
    return _card_class(question)(quiz, question, answer, on_answer)


def _card_class(question: QuizQuestion) -> type[QuestionCard]:
    if isinstance(question, Prediction):
        return PredictionCard
    if isinstance(question, Ordering):
        return OrderingCard
    if isinstance(question, Numeric):
        return NumericCard
    return SeveralCard if isinstance(question, Knowledge) and question.several else ChoiceCard


def _mark_buttons(buttons: list[widgets.Button], texts: list[str], chosen: list[bool]) -> None:
    for button, text, is_chosen in zip(buttons, texts, chosen, strict=True):
        button.description = f"{text} (chosen)" if is_chosen else text
        (button.add_class if is_chosen else button.remove_class)(CHOSEN)


def _verdict_html(text: str) -> str:
    verdict, _, reason = text.partition(". ")
    return f"<strong>{escape(verdict)}.</strong> {escape(reason)}"
