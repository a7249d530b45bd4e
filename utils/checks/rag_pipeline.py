"""Checkers of notebook 02."""

from __future__ import annotations

import math
import random
from typing import Any

from utils.checks import references
from utils.checks.exercise import Attempt, Exercise, Stopped, number, shown

QUESTION = "What does delivery cost?"
PASSAGES = [("Delivery", "Delivery costs $12."), ("Returns", "Goods may be returned within 30 days.")]
NUMBERED = ["[1] Delivery. Delivery costs $12.", "[2] Returns. Goods may be returned within 30 days."]
ASKED = f"Question: {QUESTION}"


def diagnose_prompt(attempt: Attempt) -> str | None:
    """The first mistake in a learner's user_prompt, or None."""
    text = prompt_text(attempt(question=QUESTION, passages=PASSAGES))
    return _check_line_breaks(text) or _check_questions(text.split("\n")) or _check_other_counts(attempt)


def prompt_text(result: Any) -> str:
    """The returned text.  Raises Stopped when it is not a text."""
    if isinstance(result, (list, tuple)) and all(isinstance(line, str) for line in result):
        raise Stopped('Those are the lines: join them into one text with "\\n".join(...).')
    if not isinstance(result, str):
        raise Stopped(f"Return one text, not {shown(result)}.")
    return result


def _check_line_breaks(text: str) -> str | None:
    if text.startswith("\n"):
        return "The text begins with a line break: the question is the first line."
    if text.endswith("\n"):
        return "The text ends with a line break: the question is the last line, and nothing follows it."
    if "\n" not in text and PASSAGES[0][1] in text:
        return 'The text is all on one line: put a line break, "\\n", between the lines.'
    if "\n\n" in text:
        return 'There are empty lines in the text: put one line break, "\\n", between two lines.'
    return None


def _check_questions(lines: list[str]) -> str | None:
    first, last = lines[0], lines[-1]
    if QUESTION not in first and QUESTION not in last:
        return f"The first line and the last should be {ASKED!r}, and your text begins with {shown(first)}."
    if QUESTION not in first:
        return "The question comes only after the passages: put it before them too, so that the model reads for it."
    if QUESTION not in last:
        return "The question comes only before the passages: put it after them too."
    for place, line in (("first", first), ("last", last)):
        if line == QUESTION:
            return f'"Question: " is missing in the {place} line: it should be {ASKED!r}.'
        if line != ASKED:
            return f"The {place} line should be {ASKED!r}, and yours is {shown(line)}."
    return None if lines[1:-1] == NUMBERED else _wrong_passages(lines[1:-1])


def _wrong_passages(lines: list[str]) -> str:
    if lines and lines[0].startswith("[0]"):
        return "The first passage has the number 0: count from 1, with enumerate(passages, start=1)."
    if len(lines) != len(NUMBERED):
        return f"Each of the 2 passages should be one line between the questions, and yours has {len(lines)} there."
    if all(
        text in line and title not in line.split(text)[0] for (title, text), line in zip(PASSAGES, lines, strict=True)
    ):
        return 'The titles are missing: a sentence such as "It costs $12" needs its title to say what it is about.'
    right, line = next(pair for pair in zip(NUMBERED, lines, strict=True) if pair[0] != pair[1])
    return f"A passage should be the line {right!r}, and yours is {shown(line)}."


def _check_other_counts(attempt: Attempt) -> str | None:
    for count in (1, 3):
        passages = [*PASSAGES, ("Hours", "We open at 9:00 am.")][:count]
        expected = [f"[{place}] {title}. {text}" for place, (title, text) in enumerate(passages, start=1)]
        if prompt_text(attempt(question=QUESTION, passages=passages)).split("\n") != [ASKED, *expected, ASKED]:
            return f"With two passages it was right, with {count} it was not: number each, in order."
    return None


QUESTIONS = ("What does it cost?", "how long do I have", "Who is Dana Okafor?", "Is it free? And when?")
TITLED = (("Delivery", "It costs $12."), ("opening hours", "We open at 9:00 am!"), ("Wi-Fi", "Ask Dana: ext. 44"),
          ("Returns", "You have 30 days. Keep the label."), ("Rental", "{deposit} is {40}%."))  # fmt: skip


def draw_prompt(draws: random.Random) -> dict[str, Any]:
    """A question and one passage to twelve, of which some may be the same."""
    most = draws.choice([2, 4, 12])
    passages = [draws.choice(TITLED) for _ in range(draws.randint(1, most))]
    return {"question": draws.choice(QUESTIONS), "passages": passages}


def diagnose_threshold(attempt: Attempt) -> str | None:
    """The first mistake in a learner's best_threshold, or None."""
    return _check_clear_gap(attempt) or _check_balance(attempt) or _check_order_and_ties(attempt)


def _threshold(attempt: Attempt, scores: list[float], answerable: list[bool]) -> float:
    found = number(attempt(scores=scores, answerable=answerable))
    near = [score for score in scores if math.isclose(found, score, rel_tol=1e-6)]
    if near:
        return near[0]
    if found in range(1, len(scores)):
        raise Stopped(f"{found:.0f} is a position, or a count: return the score at that position.")
    raise Stopped(f"The threshold should be one of the scores {scores}, and you returned {found:g}.")


def _check_clear_gap(attempt: Attempt) -> str | None:
    scores, answerable = [0.2, 0.3, 0.7, 0.8], [False, False, True, True]
    found = _threshold(attempt, scores, answerable)
    if found == 0.7:
        return None
    if found == 0.3:
        return "At 0.3 the question that scores 0.3 is still answered, and it has no answer: compare with >=, not >."
    if found == 0.2:
        return (
            "At 0.2 every question is answered, also the two without an answer: count the share withheld of these too."
        )
    return "At 0.8 the question that scores 0.7 is withheld, and it has an answer. 0.7 is right for all four."


def _check_balance(attempt: Attempt) -> str | None:
    scores = [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.75, 0.8, 0.9]
    found = _threshold(attempt, scores, [score not in (0.5, 0.55) for score in scores])
    if found == 0.6:
        return None
    if found == 0.35:
        return (
            "At 0.35 all ten questions are answered: 8 of the 8 with an answer, and 0 of the 2 others withheld. At 0.6 "
            "it is 5 of 8 and 2 of 2: take the share of each kind, then the mean of the two shares."
        )
    return f"For ten scores of which 0.5 and 0.55 have no answer, the threshold is 0.6, and you returned {found:g}."


def _check_order_and_ties(attempt: Attempt) -> str | None:
    if _threshold(attempt, [0.9, 0.1, 0.5], [True, False, True]) != 0.5:
        return "With the scores in another order it is no longer right: try every score as the threshold."
    found = _threshold(attempt, [0.9, 0.6, 0.4, 0.1], [True, False, True, False])
    if found != 0.4:
        return (
            "Of the scores 0.9, 0.6, 0.4 and 0.1, of which 0.6 and 0.1 have no answer, 0.4 and 0.9 are equally good: "
            f"take the lower one, which answers more. You returned {found:g}."
        )
    return None


COUNTS_WITHOUT_ROUNDING = {1, 2, 4}


def draw_scores(draws: random.Random) -> dict[str, Any]:
    """Scores of questions with an answer and of others, mixed; a tie only where shares are exact in floats."""
    while True:
        most = draws.choice([2, 4, 7])
        answerable = [True] * draws.randint(1, most) + [False] * draws.randint(1, most)
        draws.shuffle(answerable)
        # Questions with an answer score a little higher, as in the notebook; two may score the same.
        scores = [round(draws.uniform(-0.2, 0.8) + 0.2 * known, draws.choice([1, 2])) for known in answerable]
        if _is_certain(scores, answerable):
            return {"scores": scores, "answerable": answerable}


def _is_certain(scores: list[float], answerable: list[bool]) -> bool:
    """Whether every way to compute the shares finds the same threshold, however it rounds."""
    known, rest = sum(answerable), len(answerable) - sum(answerable)
    if {known, rest} <= COUNTS_WITHOUT_ROUNDING:
        return True
    values = sorted(
        sum((score >= threshold) == has for score, has in zip(scores, answerable, strict=True) if has) * rest
        + sum((score >= threshold) == has for score, has in zip(scores, answerable, strict=True) if not has) * known
        for threshold in set(scores)
    )  # whole numbers: the two shares, times both counts
    return values[-2:-1] != values[-1:]


user_prompt = Exercise(
    name="user_prompt",
    difficulty=1,
    minutes=5,
    diagnose=diagnose_prompt,
    read=prompt_text,
    draw=draw_prompt,
    praise="With a number in front of each passage, the model can cite it.",
    clue="Build a list of lines: the question, one line for each passage with enumerate(passages, start=1), the "
    'question. Then join them with "\\n".',
    sources=(references.user_prompt,),
)
best_threshold = Exercise(
    name="best_threshold",
    difficulty=2,
    minutes=8,
    diagnose=diagnose_threshold,
    read=number,
    draw=draw_scores,
    praise="Both kinds of question count the same, however many there are of each.",
    clue="Write a small function that judges one threshold: the share answered among those with an answer, plus the "
    "share withheld among those without. Then max(sorted(scores), key=...).",
    sources=(references.best_threshold,),
)
