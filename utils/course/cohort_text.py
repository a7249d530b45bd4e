"""A class at a glance, as plain text: what `python -m utils.course cohort` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from utils.course.calibration import Calibration
from utils.course.cohort import FEWEST_VOTES, BetCount, Cohort, LearnerState, QuestionCount
from utils.course.exports import Learner, Skipped, clean
from utils.quiz.schema import Numeric


def as_text(cohort: Cohort, names: bool = False) -> str:
    """The class as plain text.  names: show the files' names; otherwise learners are numbered in that order."""
    parts = [
        (_counted(len(cohort.learners), "learner"), _head(cohort)),
        ("Questions that split the room, by their first answers", _splits(cohort.splitting)),
        ("Questions", [question_in_words(one) for one in cohort.questions if one.answered] or ["no answers yet"]),
        (
            "Bets, by each learner's own measurements",
            [bet_in_words(one) for one in cohort.bets if _placed(one)] or ["none"],
        ),
        ("How sure they were, and what came true", _calibration_lines(cohort.calibration)),
        ("Learners, those with the fewest answers first", [_line(one, names) for one in cohort.learners] or ["none"]),
        ("Files that do not count", [f"{_who('file', one, names)}: {one.reason}" for one in cohort.skipped]),
        ("Problems", list(cohort.problems)),
    ]
    return "\n\n".join("\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in parts if lines)


def question_in_words(count: QuestionCount) -> str:
    """The question and its counts in a line."""
    name = f"{count.quiz} {count.question.id}"
    if count.right is None:
        return f"{name}: {count.answered} bets ({votes_in_words(count)})"
    return f"{name}: {count.answered} answered, {count.right} right, {count.right_at_once} at the first try"


def votes_in_words(count: QuestionCount) -> str:
    """The first answers, most frequent first: "b 5, a 4"."""
    return ", ".join(f"{answer} {votes}" for answer, votes in _ranked(count.votes))


def bet_in_words(bet: BetCount) -> str:
    """The verdicts in a line."""
    right, wrong = bet.verdicts["held"], bet.verdicts["not held"]
    others = (("too close to call", bet.verdicts["too close"]), ("not measured", bet.verdicts[None]))
    settled = [f"{right} of {right + wrong} came true"] if right + wrong else []
    rest = [f"{count} {word}" for word, count in (*others, ("late", bet.late)) if count]
    return f"{bet.quiz} {bet.question.id}: {'; '.join(settled + rest)}"


def _head(cohort: Cohort) -> list[str]:
    lines = [f"skipped: {_counted(len(cohort.skipped), 'file')}; the reasons are at the end"] if cohort.skipped else []
    if cohort.stale:
        answers = _counted(cohort.stale, "answer")
        lines.append(f"not counted: {answers} to questions that this copy of the course words differently or lacks")
    return lines or ["every file counts"]


def _splits(questions: Sequence[QuestionCount]) -> list[str]:
    lines = []
    for one in questions:
        lines.append(f"{one.quiz} {one.question.id}, {one.question.title}: {votes_in_words(one)}")
        for answer, _ in _ranked(one.votes)[:2]:
            if not isinstance(one.question, Numeric) and len(answer) == 1:
                lines.append(f"  {answer}: {one.question.texts(answer)[0]}")
    return lines or [f"none with at least {FEWEST_VOTES} answers"]


def _ranked(votes: Counter[str]) -> list[tuple[str, int]]:
    return sorted(votes.items(), key=lambda pair: (-pair[1], pair[0]))


def _calibration_lines(calibration: Calibration) -> list[str]:
    return calibration.in_words()[:-1]  # the last line speaks to a single learner


def _placed(bet: BetCount) -> bool:
    return bool(sum(bet.verdicts.values()) + bet.late)


def _line(state: LearnerState, names: bool) -> str:
    last = f"last in notebook {state.last}" if state.last else "no notebook known"
    when = f" on {state.at} UTC" if state.at else ""
    line = f"{_who('learner', state.learner, names)}: {state.answered} answered, {state.right} right, {last}{when}"
    return "; ".join([line, *state.needs])


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _who(word: str, file: Learner | Skipped, names: bool) -> str:
    return clean(file.name) if names else f"{word} {file.number}"
