"""The dashboard: what is done, which predictions came true, what to do next, and starting over.

from utils.course.dashboard import open_dashboard
open_dashboard()
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import ipywidgets as widgets

from utils.course.calibration import figure
from utils.course.overview import Overview, look_over
from utils.course.reset import notebook_numbers, reset
from utils.course.transfer import export_text, import_text
from utils.errors import CourseError
from utils.ledger import Ledger
from utils.quiz.progress import Progress
from utils.widgets import STYLE, FixedReprBox, action_button, alert_html, button_row

NAME = "Dashboard of the course"
MARKDOWN = (
    "**Your progress.** If no buttons appear here, run these in a terminal: `python -m utils.course progress` "
    "for what is done, which of your predictions came true and what to do next; `python -m utils.course reset 02` "
    "to start notebook 02 over."
)
TABLE_STYLE = """<style>
.course-card table { border-collapse: collapse; }
.course-card th, .course-card td { padding: 2px 12px 2px 0; text-align: left; vertical-align: top; }
.course-card img { max-width: 100%; height: auto; }
</style>"""


def open_dashboard() -> Dashboard:
    """The dashboard on the learner's own progress and ledger."""
    return Dashboard(Progress.load(), Ledger.open())


class Dashboard(FixedReprBox):
    """The dashboard as widgets; its text form is the same at every run.

    start_over: restores a fresh copy of the notebook with that number, and returns a sentence about it.
    """

    def __init__(self, progress: Progress, ledger: Ledger, start_over: Callable[[str], str] = reset) -> None:
        self._progress, self._ledger, self._start_over = progress, ledger, start_over
        self._asked: str | None = None
        self.report = widgets.HTML()
        self.message = widgets.HTML()
        # Sent once, when the field loses focus: a click on the button could overtake values sent at each key press.
        self.text = widgets.Textarea(
            continuous_update=False,
            description="Progress as text",
            rows=4,
            style={"description_width": "initial"},
            layout={"width": "100%"},
        )
        self.reset_buttons = {
            number: action_button(f"Start notebook {number} over", lambda number=number: self._reset(number))
            for number in notebook_numbers()
        }
        self.refresh_button = action_button("Refresh", self.refresh)
        self.export_button = action_button("Show my progress as text", self._export)
        self.import_button = action_button("Add the progress in the field", self._import)
        super().__init__(NAME, MARKDOWN, self._parts())
        self.add_class("course-card")
        self.refresh()

    def refresh(self) -> None:
        """Read progress and ledger again, and show them."""
        self._asked = None
        self.report.value = report_html(look_over(self._progress, self._ledger))

    def _parts(self) -> list[widgets.Widget]:
        return [
            widgets.HTML(STYLE + TABLE_STYLE),
            self.report,
            self.refresh_button,
            widgets.HTML("<p><strong>Move your progress to another computer</strong></p>"),
            button_row([self.export_button, self.import_button]),
            self.text,
            widgets.HTML("<p><strong>Start over</strong><br>Your old copy is backed up, never deleted.</p>"),
            button_row(list(self.reset_buttons.values())),
            self.message,
        ]

    def _export(self) -> None:
        self.text.value = export_text(self._progress, self._ledger)
        self._say("Your answers and measurements are in the field: copy all of it.")

    def _import(self) -> None:
        self._try(lambda: import_text(self.text.value, self._progress, self._ledger))

    def _reset(self, number: str) -> None:
        if self._asked != number:
            self._asked = number
            self._say(f'Sure? Press "Start notebook {number} over" again: your copy of it will be backed up.')
            return
        self._try(lambda: self._start_over(number))

    def _try(self, action: Callable[[], str]) -> None:
        try:
            said = action()
        except CourseError as problem:
            said = str(problem)
        self.refresh()
        self._say(said)

    def _say(self, text: str) -> None:
        self.message.value = alert_html(escape(text))


def report_html(overview: Overview) -> str:
    """The overview as a table, a picture with the same counts in text, and the next step."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in overview.calibration.in_words())
    problems = "".join(f"<p>{escape(problem)}</p>" for problem in overview.problems)
    return (
        f"{problems}{_table(overview)}<p><strong>Your predictions and what you measured</strong></p>"
        f"{_picture(overview)}<ul>{lines}</ul><p><strong>Next:</strong> {escape(overview.next_step)}</p>"
    )


def _table(overview: Overview) -> str:
    heads = ("notebook", "state", "answered", "right", "values measured")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(
        f'<tr><th scope="row">{escape(notebook.stem)}</th><td>{notebook.state}</td><td>{notebook.answered}</td>'
        f"<td>{notebook.right}</td><td>{notebook.measurements}</td></tr>"
        for notebook in overview.notebooks
    )
    return f"<table><caption><strong>What is done</strong></caption><tr>{head}</tr>{rows}</table>"


def _picture(overview: Overview) -> str:
    if not overview.calibration.settled:
        return ""
    from utils.plots import image_html

    words = "Bars of the counts listed below, one for each level of confidence."
    return image_html(figure(overview.calibration), words)
