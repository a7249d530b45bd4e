"""A question as static Markdown, for places where widgets don't render."""

from __future__ import annotations

from html import escape

from utils.quiz.schema import Knowledge, Numeric, Ordering, QuizQuestion


def as_markdown(question: QuizQuestion) -> str:
    """The question, its options and how to answer it in plain text."""
    head = [f"**{_plain(question.title)}**", "", effort(question), "", _plain(question.text), ""]
    return "\n".join([*head, *_options(question), "", _how(question)])


def effort(question: QuizQuestion) -> str:
    """Difficulty and minutes in words: "easy, about 1 minute"."""
    level = ("easy", "medium", "hard")[question.difficulty - 1]
    return f"{level}, about {question.minutes} minute{'s' if question.minutes > 1 else ''}"


def _options(question: QuizQuestion) -> list[str]:
    if isinstance(question, Numeric):
        return [f"Answer in {_plain(question.unit)}." if question.unit else "Answer with a number."]
    return [
        f"- **{letter}** {_plain(option.text)}"
        for letter, option in zip(question.letters, question.options, strict=True)
    ]


def _how(question: QuizQuestion) -> str:
    call = f'quiz.answer("{question.id}", '
    if isinstance(question, Numeric):
        return f"Answer with `{call}42)`, or another number."
    if isinstance(question, Ordering):
        return f'Answer with `{call}"{question.letters}")`, the letters in your order.'
    if isinstance(question, Knowledge) and question.several:
        return f'Answer with `{call}"{question.letters[0]}{question.letters[-1]}")`: all the letters that apply.'
    return f'Answer with `{call}"a")`, or another letter.'


def _plain(text: str) -> str:
    """`text` with the characters escaped that mean something in Markdown or HTML."""
    escaped = escape(text, quote=False)
    for mark in "\\`*_[]$":
        escaped = escaped.replace(mark, f"\\{mark}")
    return escaped
