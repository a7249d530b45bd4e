"""Whether the shipped quizzes are fair and their proofs exist: `python -m utils.authoring quizzes`.

The form of each file is checked on loading; this looks across files and into the notebooks.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from utils.errors import CourseError
from utils.paths import SOLUTIONS
from utils.quiz.options import Evidence
from utils.quiz.questions import QUIZZES, load_quiz, quiz_numbers
from utils.quiz.schema import Decision, Graded, Knowledge, Numeric, Ordering, Prediction, Quiz

HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)
ENOUGH = 8  # fewer keys than this cannot be expected to cover every position
LONGEST_TO_SHORTEST = 2


@dataclass(frozen=True)
class Source:
    """What a notebook offers as proof: headings, cell ids, and the ledger values that its code records."""

    cells: tuple[dict[str, Any], ...]

    @cached_property
    def headings(self) -> set[str]:
        """The texts of all headings."""
        return {heading for text in self._texts("markdown") for heading in HEADING.findall(text)}

    @cached_property
    def ids(self) -> set[str]:
        """The ids of all cells."""
        return {str(cell.get("id")) for cell in self.cells}

    def records(self, key: str) -> bool:
        """Whether a cell records the ledger value `key`, spelled out or put together in an f-string."""
        return any(_records(text, key) for text in self._texts("code"))

    def _texts(self, kind: str) -> Iterator[str]:
        return ("".join(cell.get("source", "")) for cell in self.cells if cell.get("cell_type") == kind)


def problems(quizzes: Path = QUIZZES, solutions: Path = SOLUTIONS) -> list[str]:
    """One sentence for each thing wrong with the quizzes of a folder, held against the notebooks of another."""
    found, loaded = [], []
    for number in quiz_numbers(quizzes):
        try:
            loaded.append(load_quiz(number, quizzes))
        except CourseError as problem:
            found.append(str(problem))
    return [*found, *unfair(loaded), *unproven(loaded, read_sources(solutions))]


def unfair(quizzes: Sequence[Quiz]) -> list[str]:
    """What gives keys away: positions, lengths; and feedback that is no sentence."""
    keys = [question for quiz in quizzes for question in quiz.graded if _has_one_letter(question)]
    texts = [line for quiz in quizzes for line in _unfair_texts(quiz)]
    return [*_unbalanced_positions(keys), *_telling_lengths(keys), *texts]


def unproven(quizzes: Sequence[Quiz], sources: dict[str, Source]) -> list[str]:
    """The proofs that do not resolve.  sources: notebooks by number.

    A prediction without ledger values belongs to a notebook that is still to come, and is passed over.
    """
    lines = []
    for quiz in quizzes:
        for question in quiz.questions:
            if isinstance(question, Prediction):
                missing = _missing_measurements(question, sources)
            else:
                missing = _missing_proofs(question.evidence, sources)
            lines += [f"{quiz.quiz}.yaml: question {question.id!r}: {problem}." for problem in missing]
    return lines


def read_sources(folder: Path) -> dict[str, Source]:
    """The notebooks of a folder by their number."""
    paths = sorted(folder.glob("*.ipynb"))
    return {path.name.partition("_")[0]: Source(tuple(_cells(path))) for path in paths}


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError, TypeError):
        raise CourseError(f"{path.name} is not a notebook that can be read: restore it with git.") from None


def _has_one_letter(question: Graded) -> bool:
    return isinstance(question, Decision) or (isinstance(question, Knowledge) and not question.several)


def _unbalanced_positions(questions: Sequence[Decision | Knowledge]) -> list[str]:
    counts = Counter(question.key for question in questions)
    letters = max((question.letters for question in questions), key=len, default="")
    if len(questions) < ENOUGH:
        return []
    said = ", ".join(f"{letter} {counts[letter]}" for letter in letters)
    most = math.ceil(len(questions) / len(letters)) + 1
    if max(counts.values()) > most or any(not counts[letter] for letter in letters):
        return [f"The keys are not balanced over the positions ({said}): move some right options."]
    return []


def _telling_lengths(questions: Sequence[Decision | Knowledge]) -> list[str]:
    longest = sum(_key_is_longest(question) for question in questions)
    if len(questions) >= ENOUGH and longest > len(questions) / 2:
        return [f"The right option is the longest in {longest} of {len(questions)} questions: even the lengths out."]
    return []


def _key_is_longest(question: Decision | Knowledge) -> bool:
    lengths = [len(option.text) for option in question.options]
    return lengths[question.position(question.key)] == max(lengths)


def _unfair_texts(quiz: Quiz) -> Iterator[str]:
    for question in quiz.questions:
        where = f"{quiz.quiz}.yaml: question {question.id!r}"
        if not all(option.feedback.rstrip().endswith((".", "?", "!")) for option in question.options):
            yield f"{where}: a feedback is no whole sentence."
        if isinstance(question, (Numeric, Ordering)):
            continue
        lengths = [len(option.text) for option in question.options]
        if max(lengths) > LONGEST_TO_SHORTEST * min(lengths):
            yield f"{where}: one option is more than twice as long as another, which gives the answer away."


def _missing_proofs(evidence: Evidence, sources: dict[str, Source]) -> Iterator[str]:
    source = sources.get(evidence.notebook)
    if source is None:
        yield f"there is no notebook {evidence.notebook} to hold its proof"
        return
    if evidence.section and evidence.section not in source.headings:
        yield f'notebook {evidence.notebook} has no heading "{evidence.section}"'
    if evidence.cell and evidence.cell not in source.ids:
        yield f"notebook {evidence.notebook} has no cell {evidence.cell}"
    if evidence.ledger and not source.records(evidence.ledger):
        yield f"notebook {evidence.notebook} records no {evidence.ledger}"


def _missing_measurements(prediction: Prediction, sources: dict[str, Source]) -> Iterator[str]:
    source = sources.get(prediction.measured_in)
    for key in prediction.ledger_keys:
        if source is None or not source.records(key):
            yield f"notebook {prediction.measured_in} records no {key}"


def _records(code: str, key: str) -> bool:
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell with magics records nothing
        return False
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return any(_matches(argument, key, texts) for argument in _recorded(tree))


def _recorded(tree: ast.AST) -> Iterator[ast.expr]:
    """The first argument of every call of a method named `record`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
            yield from node.args[:1]


def _matches(argument: ast.expr, key: str, texts: set[str]) -> bool:
    """Whether an argument can be `key`: the text itself, or an f-string whose gaps are filled by texts of the cell."""
    if isinstance(argument, ast.Constant):
        return argument.value == key
    if not isinstance(argument, ast.JoinedStr):
        return False
    parts = [re.escape(part.value) if isinstance(part, ast.Constant) else "(.+)" for part in argument.values]
    match = re.fullmatch("".join(parts), key)
    return match is not None and set(match.groups()) <= texts
