"""A quiz question as plain HTML: its options in sight, the answer and the reasons behind a fold, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from docutils.nodes import make_id

from utils.quiz.markdown import effort
from utils.quiz.options import Bounded, Evidence
from utils.quiz.schema import Numeric, Ordering, Prediction, QuizQuestion


def question_html(question: QuizQuestion, stems: Mapping[str, str]) -> str:
    """The question, its options, and a `<details>` with the answer and the reason for each option.

    stems: the file name, without ending, of each notebook that has a page next to this one, by its number.
    """
    return "\n".join(
        [
            '<div class="course-question">',
            f'<p><strong class="course-title">{escape(question.title)}</strong><br>',
            f"<small>{question.kind.capitalize()}, {effort(question)}</small></p>",
            f"<p>{escape(question.text)}</p>",
            _options(question),
            f"<details><summary>{_summary(question)}</summary>",
            _answer(question),
            f"<p>{_source(question, stems)}</p>",
            "</details>",
            "</div>",
        ]
    )


def bounds_in_words(bounds: Bounded, unit: str = "") -> str:
    """The numbers between two bounds, in words: "under 3 minutes", "3 to 5 minutes", "5 minutes or more"."""
    low, high = (None if bound is None else f"{bound:,.12g}" for bound in (bounds.low, bounds.high))
    unit = f" {unit}" if unit else ""
    if low is None:
        return f"under {high}{unit}" if high else "any number"
    return f"{low}{unit} or more" if high is None else f"from {low} to under {high}{unit}"


def _options(question: QuizQuestion) -> str:
    if isinstance(question, Numeric):
        return f"<p>Answer in {escape(question.unit)}.</p>" if question.unit else "<p>Answer with a number.</p>"
    return _list("ol", (escape(option.text) for option in question.options), ' type="a"')


def _summary(question: QuizQuestion) -> str:
    return "What each bet would mean" if isinstance(question, Prediction) else "The answer, and why"


def _answer(question: QuizQuestion) -> str:
    if isinstance(question, Numeric):
        ranges = ((bounds_in_words(option, question.unit), option.feedback) for option in question.options)
        right = f"<p><strong>Right: {escape(f'{question.value:,.12g} {question.unit}'.strip())}</strong></p>"
        return right + _list("ul", (_reason(f"{words}:", feedback) for words, feedback in ranges))
    if isinstance(question, Ordering):
        steps = sorted(question.options, key=lambda step: step.place)
        return _list("ol", (_reason(f"{step.text}.", step.feedback) for step in steps))
    right = "" if isinstance(question, Prediction) else question.key
    reasons = zip(question.letters, question.options, strict=True)
    return _list(
        "ul",
        (_reason(f"{letter}, right:" if letter in right else f"{letter}:", one.feedback) for letter, one in reasons),
    )


def _source(question: QuizQuestion, stems: Mapping[str, str]) -> str:
    if isinstance(question, Prediction):
        return f"{_link(Evidence(notebook=question.measured_in, section='-'), stems, '')} measures it."
    section = question.evidence.section or ""
    words = f", {escape(f'“{section}”')}" if section else f", measurement {escape(question.evidence.ledger or '')}"
    return f"The evidence: {_link(question.evidence, stems, words)}."


def _link(evidence: Evidence, stems: Mapping[str, str], words: str) -> str:
    words = f"{'n' if words else 'N'}otebook {evidence.notebook}{words}"
    stem = stems.get(evidence.notebook)
    if stem is None:
        return words
    anchor = make_id(evidence.section or "")  # as Sphinx makes it from the heading
    return f'<a href="{escape(stem)}.html{f"#{anchor}" if anchor else ""}">{words}</a>'


def _reason(head: str, feedback: str) -> str:
    return f"<strong>{escape(head)}</strong> {escape(feedback)}"


def _list(tag: str, items: Iterable[str], attributes: str = "") -> str:
    return f"<{tag}{attributes}>{''.join(f'<li>{item}</li>' for item in items)}</{tag}>"
