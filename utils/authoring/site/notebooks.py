"""An executed solution as a page: what needs a running notebook becomes text, and everything else stays."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from utils.authoring.site.questions import question_html
from utils.course.notebook_files import code_cells, notebook_number
from utils.quiz.names import parsed
from utils.quiz.questions import load_quiz
from utils.quiz.schema import Quiz, QuizQuestion

WIDGET = "application/vnd.jupyter.widget-view+json"
NOTE = (
    "*This page shows the notebook as the course's authors executed it, with the solutions of the exercises. To work "
    "in it yourself, [get the course](../README.md) and open `notebooks/{name}`.*"
)
# No HTML passes through: an output is data.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


def notebook_page(notebook: NotebookNode, name: str, stems: Mapping[str, str]) -> NotebookNode:
    """A copy of an executed notebook in which no output needs a script.

    The cards of a quiz become its questions, with folded answers; other widgets become their text, and progress bars
    go.  A note below the first cell says what the page is.
    name: the notebook's file name.  stems: as for `question_html`.  Raises CourseError for a card whose question is
    not in the quiz file.
    """
    page = copy.deepcopy(notebook)
    for cell in code_cells(page):
        cell.outputs = [one for output in cell.outputs if (one := _without_widget(output, stems)) is not None]
    page.cells.insert(1, new_markdown_cell(NOTE.format(name=name), id="about-this-page"))
    return page


def shown_questions(output: Mapping[str, object]) -> list[QuizQuestion]:
    """The questions whose cards an output shows: none, one, or those of a whole quiz.

    Raises CourseError when the quiz file lacks the question.
    """
    data = output.get("data", {})
    if WIDGET not in data:
        return []
    shown = parsed(str(data.get("text/plain", "")))
    if shown is None:
        return []
    quiz = _quiz(shown.quiz)
    return [quiz.find(shown.question)] if shown.question else list(quiz.questions)


def decision_of(notebook: NotebookNode) -> str:
    """What the first cell says after "By the end you can decide"; empty where it says nothing of the kind."""
    found = re.search(r"\*\*By the end you can decide\*\* (.*?)(?:\n\n|\Z)", notebook.cells[0].source, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def title_of(notebook: NotebookNode) -> str:
    """The heading of the first cell."""
    return notebook.cells[0].source.partition("\n")[0].lstrip("# ")


def stems_of(paths: list[Path]) -> dict[str, str]:
    """The file names without ending, by the notebook's number: "02" → "02_rag_pipeline"."""
    return {notebook_number(path): path.stem for path in paths}


@cache
def _quiz(number: str) -> Quiz:
    """Each file is read once, not once for each of its cards."""
    return load_quiz(number)


def _without_widget(output: NotebookNode, stems: Mapping[str, str]) -> NotebookNode | None:
    data = output.get("data", {})
    if questions := shown_questions(output):
        html = "\n".join(question_html(question, stems) for question in questions)
    elif "text/html" not in data and "text/markdown" in data:
        html = _as_html(data["text/markdown"])
    else:
        return None if WIDGET in data else output
    return NotebookNode(output, data=NotebookNode({"text/html": html, "text/plain": data.get("text/plain", "")}))


def _as_html(markdown: str) -> str:
    """The Markdown of an output as HTML; its headings are no headings of the page."""
    tokens = MARKDOWN.parse(markdown)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = "p"
            token.attrs = {"class": "course-heading"} if token.nesting == 1 else {}
    return f'<div class="course-text">{MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})}</div>'
