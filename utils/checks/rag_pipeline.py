"""Checkers of notebook 02."""

from __future__ import annotations

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, number, shown

QUESTION = "What does delivery cost?"
PASSAGES = [("Delivery", "Delivery costs $12."), ("Returns", "Goods may be returned within 30 days.")]
NUMBERED = ["[1] Delivery. Delivery costs $12.", "[2] Returns. Goods may be returned within 30 days."]
ASKED = f"Question: {QUESTION}"


def diagnose_prompt(attempt: Attempt) -> str | None:
    """The first mistake in a learner's user_prompt, or None."""
    lines = _lines(attempt, PASSAGES)
    if lines == [ASKED, *NUMBERED, ASKED]:
        return _check_other_counts(attempt)
    if lines[:1] != [ASKED] and lines[-1:] != [ASKED]:
        return f"The question should be the first line and the last, as {ASKED!r}, and it is neither."
    if lines[:1] != [ASKED]:
        return "The question stands only after the passages: write it before them too, so that the model reads for it."
    if lines[-1:] != [ASKED]:
        return "The question stands only before the passages: write it after them once more."
    return _check_passages(lines[1:-1])


def _lines(attempt: Attempt, passages: list[tuple[str, str]]) -> list[str]:
    result = attempt(question=QUESTION, passages=passages)
    if isinstance(result, (list, tuple)) and all(isinstance(line, str) for line in result):
        raise Stopped('Those are the lines: join them into one text with "\\n".join(...).')
    if not isinstance(result, str):
        raise Stopped(f"Return one text, not {shown(result)}.")
    return result.split("\n")


def _check_passages(lines: list[str]) -> str:
    if lines and lines[0].startswith("[0]"):
        return "The first passage has the number 0: count from 1, with enumerate(passages, start=1)."
    if len(lines) != len(NUMBERED):
        return f"Between the two questions each passage has a line of its own: 2 of them, and there are {len(lines)}."
    if all(
        text in line and title not in line.split(text)[0] for (title, text), line in zip(PASSAGES, lines, strict=True)
    ):
        return 'The titles are missing: a sentence such as "It costs $12" needs its title to say what it\'s about.'
    return f"The first passage should be the line {NUMBERED[0]!r}, and yours is {shown(lines[0])}."


def _check_other_counts(attempt: Attempt) -> str | None:
    for count in (1, 3):
        passages = (PASSAGES * 2)[:count]
        expected = [f"[{place}] {title}. {text}" for place, (title, text) in enumerate(passages, start=1)]
        if _lines(attempt, passages) != [ASKED, *expected, ASKED]:
            return f"With two passages it was right, with {count} it was not: number as many as there are."
    return None


def diagnose_threshold(attempt: Attempt) -> str | None:
    """The first mistake in a learner's best_threshold, or None."""
    return _check_clear_gap(attempt) or _check_balance(attempt) or _check_order_and_ties(attempt)


def _threshold(attempt: Attempt, scores: list[float], answerable: list[bool]) -> float:
    found = number(attempt(scores=scores, answerable=answerable))
    if any(abs(found - score) < 1e-9 for score in scores):
        return found
    if found in range(1, len(scores)):
        raise Stopped(f"{found:.0f} is a position, or a count: return the score that stands there.")
    raise Stopped(f"The threshold is one of the scores {scores}, and you returned {found:g}.")


def _check_clear_gap(attempt: Attempt) -> str | None:
    scores, answerable = [0.2, 0.3, 0.7, 0.8], [False, False, True, True]
    found = _threshold(attempt, scores, answerable)
    if found == 0.7:
        return None
    if found == 0.3:
        return "At 0.3 the question that scores 0.3 is still answered, and it has no answer: compare with >=, not >."
    if found == 0.2:
        return "At 0.2 every question is answered: withhold where score < threshold, and count what it does for both."
    return "At 0.8 the question that scores 0.7 is withheld, and it has an answer. 0.7 does justice to all four."


def _check_balance(attempt: Attempt) -> str | None:
    scores = [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9]
    found = _threshold(attempt, scores, [score not in (0.5, 0.55) for score in scores])
    if found == 0.6:
        return None
    if found == 0.35:
        return (
            "With eight questions that have an answer and two that have none, answering everything looks best when "
            "all ten are counted together: take the share of each kind, and their mean."
        )
    return f"For ten scores of which 0.5 and 0.55 have no answer, the threshold is 0.6, and you returned {found:g}."


def _check_order_and_ties(attempt: Attempt) -> str | None:
    if _threshold(attempt, [0.9, 0.1, 0.5], [True, False, True]) != 0.5:
        return "With the scores in another order it is no longer right: try every score as the threshold."
    if _threshold(attempt, [0.9, 0.6, 0.4, 0.1], [True, False, True, False]) != 0.4:
        return "Here 0.4 and 0.9 are equally good: take the lower one, which answers more."
    return None


user_prompt = Exercise(
    name="user_prompt",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_prompt,
    praise="A number before each passage is all that a citation needs.",
    clue="Build a list of lines: the question, one line for each passage with enumerate(passages, start=1), the "
    'question. Then join them with "\\n".',
    sources=(references.user_prompt,),
)
best_threshold = Exercise(
    name="best_threshold",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_threshold,
    praise="It weighs both kinds of question alike, however many there are of each.",
    clue="Write a small function that judges one threshold: the share answered among those with an answer, plus the "
    "share withheld among those without. Then max(sorted(scores), key=...).",
    sources=(references.best_threshold,),
)
