"""Question cards for the notebook: core ipywidgets, usable by Tab, Space and Enter alone.

Every option is a plain Button. Radio buttons and menus want the arrow keys, which JupyterLab keeps
for moving between cells. A card knows nothing of files: `on_answer` records and returns the feedback.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from utils.quiz.progress import Answer
from utils.quiz.questions import CONFIDENCES, Prediction, Question

OnAnswer = Callable[[str, str | None], str]
CHOSEN = "course-chosen"

# The fallbacks after the commas serve VS Code and Colab, which lack JupyterLab's theme variables.
STYLE = """<style>
.course-card {
  border-left: 4px solid var(--jp-border-color1, #8a8a8a); padding: 4px 12px; margin: 8px 0; max-width: 52em; }
.course-card .widget-html-content, .course-card .jupyter-widget-html-content {
  white-space: normal; line-height: 1.5; color: var(--jp-content-font-color1, inherit); }
.course-card .course-option.jupyter-button {
  height: auto; min-height: 2.2em; padding: 6px 12px; margin: 3px 0; text-align: left; white-space: normal;
  overflow: visible; line-height: 1.4; color: var(--jp-content-font-color1, inherit);
  background: var(--jp-layout-color2, transparent); border: 1px solid var(--jp-border-color1, #8a8a8a); }
.course-card .course-option.jupyter-button:focus-visible {
  outline: 3px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
.course-card .course-option.course-chosen {
  border: 2px solid var(--jp-brand-color1, #1976d2); font-weight: 600; }
</style>"""


class FixedReprBox(widgets.VBox):
    """A VBox whose text form is the same at every run, with a Markdown twin where widgets don't render."""

    def __init__(self, name: str, markdown: str, children: list[widgets.Widget]) -> None:
        self._name = name
        self.markdown = markdown
        super().__init__(children)

    def __repr__(self) -> str:
        return self._name

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        return bundle and {**bundle, "text/plain": self._name, "text/markdown": self.markdown}


class QuestionCard(FixedReprBox):
    """One question: its text, a button for each option, for predictions the confidence, and the feedback."""

    def __init__(self, quiz: str, question: Question, answer: Answer | None, on_answer: OnAnswer) -> None:
        self._question = question
        self._on_answer = on_answer
        self._option = answer.option if answer else None
        self._confidence = answer.confidence if answer else None
        self.option_buttons = [_button(option.text) for option in question.options]
        self.confidence_buttons = [_button(word) for word in CONFIDENCES if isinstance(question, Prediction)]
        self.feedback = widgets.HTML()
        self._connect()
        self._mark()
        super().__init__(f"Quiz {quiz}, question {question.id}", as_markdown(question), self._parts())
        self.add_class("course-card")

    def show_feedback(self, text: str) -> None:
        """Show `text` under the options, its verdict in bold."""
        verdict, _, reason = text.partition(". ")
        self.feedback.value = f'<div role="status"><strong>{escape(verdict)}.</strong> {escape(reason)}</div>'

    def _parts(self) -> list[widgets.Widget]:
        heading = f"<p><strong>{escape(self._question.title)}</strong></p><p>{escape(self._question.text)}</p>"
        parts: list[widgets.Widget] = [widgets.HTML(STYLE + heading), *self.option_buttons]
        if self.confidence_buttons:
            row = widgets.HBox(self.confidence_buttons, layout=widgets.Layout(flex_flow="row wrap"))
            parts += [widgets.HTML("How sure are you?"), row]
        return [*parts, self.feedback]

    def _connect(self) -> None:
        for letter, button in zip(self._question.letters, self.option_buttons, strict=True):
            button.layout.width = "100%"
            button.on_click(lambda _, letter=letter: self._choose(letter))
        for word, button in zip(CONFIDENCES, self.confidence_buttons, strict=False):
            button.layout.width = "auto"
            button.on_click(lambda _, word=word: self._say_how_sure(word))

    def _choose(self, letter: str) -> None:
        self._option = letter
        self._record()

    def _say_how_sure(self, word: str) -> None:
        self._confidence = word
        self._record()

    def _record(self) -> None:
        self._mark()
        if self._option is None:
            self.show_feedback("Noted. Now choose an answer.")
            return
        self.show_feedback(self._on_answer(self._option, self._confidence))

    def _mark(self) -> None:
        """Say in words, not by colour alone, which buttons are the learner's."""
        texts = [option.text for option in self._question.options]
        chosen = [letter == self._option for letter in self._question.letters]
        _mark_buttons(self.option_buttons, texts, chosen, " (your answer)")
        _mark_buttons(
            self.confidence_buttons, list(CONFIDENCES), [word == self._confidence for word in CONFIDENCES], " (yours)"
        )


def as_markdown(question: Question) -> str:
    """The question as static text, for places where widgets don't render."""
    options = [
        f"- **{letter}** {_plain(option.text)}"
        for letter, option in zip(question.letters, question.options, strict=True)
    ]
    how = f'Answer with `quiz.answer("{question.id}", "a")`, or another letter.'
    return "\n".join([f"**{_plain(question.title)}**", "", _plain(question.text), "", *options, "", how])


def _button(text: str) -> widgets.Button:
    button = widgets.Button(description=text, layout=widgets.Layout(height="auto"))
    button.add_class("course-option")
    return button


def _mark_buttons(buttons: list[widgets.Button], texts: list[str], chosen: list[bool], mark: str) -> None:
    for button, text, is_chosen in zip(buttons, texts, chosen, strict=False):
        button.description = text + mark if is_chosen else text
        (button.add_class if is_chosen else button.remove_class)(CHOSEN)


def _plain(text: str) -> str:
    """`text` with the characters escaped that Markdown or HTML would take for its own."""
    escaped = escape(text, quote=False)
    for mark in "\\`*_[]$":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped
