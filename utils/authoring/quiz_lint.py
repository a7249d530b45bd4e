"""Whether the quizzes are fair, their evidence exists, and each ledger key has one meaning.

`python -m utils.authoring quizzes` runs it.  Loading checks the form of each file; this compares files and notebooks.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from utils.course.notebook_files import notebook_number
from utils.errors import CourseError
from utils.paths import SOLUTIONS
from utils.quiz.markdown import as_markdown
from utils.quiz.names import parsed
from utils.quiz.options import LEDGER_KEY, Evidence
from utils.quiz.questions import QUIZZES, load_quizzes
from utils.quiz.schema import Decision, Graded, Knowledge, Numeric, Ordering, Prediction, Quiz

HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*$", re.MULTILINE)
ENOUGH = 8  # fewer questions than this cannot be expected to cover every position
LONGEST_TO_SHORTEST = 2
ARGUMENTS = ("key", "value", "low", "high", "unit", "notebook", "questions")  # of Ledger.record, in order


@dataclass(frozen=True)
class Recording:
    """One call of `Ledger.record`: its key as spelled, the keys that can be, and its notebook and question set."""

    spelled: str
    keys: tuple[str, ...]
    notebook: str
    questions: str


@dataclass(frozen=True)
class Source:
    """What a notebook offers as evidence: headings, cell ids, and the ledger values that its code records."""

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

    def recordings(self) -> list[Recording]:
        """Every measurement that the code cells record, in order; a cell with magics records nothing."""
        return [recording for text in self._texts("code") for recording in _recordings(text)]

    def shown(self) -> Iterator[tuple[str, str]]:
        """Each quiz card that the notebook stores: its name ("Quiz 02, question why_chunk") and its Markdown."""
        for output in (output for cell in self.cells for output in cell.get("outputs", ())):
            data = output.get("data", {})
            name = "".join(data.get("text/plain", ""))
            if parsed(name) and "text/markdown" in data:
                yield name, "".join(data["text/markdown"])

    def _texts(self, kind: str) -> Iterator[str]:
        return ("".join(cell.get("source", "")) for cell in self.cells if cell.get("cell_type") == kind)


def problems(quizzes: Path = QUIZZES, solutions: Path = SOLUTIONS) -> list[str]:
    """One sentence for each problem of the quizzes in one folder and the notebooks in the other."""
    loaded, found = load_quizzes(quizzes)
    sources = read_sources(solutions)
    return [*found, *unfair(loaded), *unproven(loaded, sources), *outdated(loaded, sources), *ambiguous_keys(sources)]


def unfair(quizzes: Sequence[Quiz]) -> list[str]:
    """What gives the right options away (positions, lengths), and feedback that is not a sentence."""
    keys = [question for quiz in quizzes for question in quiz.graded if _has_one_letter(question)]
    texts = [line for quiz in quizzes for line in _unfair_texts(quiz)]
    return [*_unbalanced_positions(keys), *_telling_lengths(keys), *texts]


def unproven(quizzes: Sequence[Quiz], sources: dict[str, Source]) -> list[str]:
    """The evidence that does not exist.  sources: notebooks by number.

    A prediction without ledger values belongs to a notebook that does not exist yet, and is skipped.
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


def outdated(quizzes: Sequence[Quiz], sources: Mapping[str, Source]) -> list[str]:
    """The questions that a solution stores in other words than the quiz files now have.

    sources: notebooks by number.
    """
    texts = {(quiz.quiz, question.id): as_markdown(question) for quiz in quizzes for question in quiz.questions}
    return [
        f"Solution {number} stores an older text of its output {name!r}: "
        f"run `python -m utils.authoring refresh {number}`."
        for number, source in sources.items()
        for name, stored in source.shown()
        if stored != _as_shown(name, texts)
    ]


def _as_shown(name: str, texts: Mapping[tuple[str, str], str]) -> str:
    """The Markdown of a card or of a whole quiz, by its name; texts: those of all questions, by quiz and id."""
    shown = parsed(name)
    assert shown is not None
    return "\n\n".join(
        text for (quiz, id), text in texts.items() if quiz == shown.quiz and shown.question in (id, None)
    )


def ambiguous_keys(sources: Mapping[str, Source]) -> list[str]:
    """The ledger keys with more than one meaning: two notebooks, two question sets, or another notebook's number.

    sources: notebooks by number.  A key from an f-string counts once for each text in the lists, tuples and
    dictionaries of its cell that can fill its gap, and as the pattern itself when no text can.
    """
    recordings = [(number, recording) for number, source in sources.items() for recording in source.recordings()]
    unsigned = [
        f'Notebook {number} records {recording.spelled} without notebook="{number}": add it.'
        for number, recording in recordings
        if recording.notebook != number
    ]
    notebooks = _by_key((key, number) for number, recording in recordings for key in recording.keys)
    questions = _by_key((key, f'"{recording.questions}"') for _, recording in recordings for key in recording.keys)
    return [
        *dict.fromkeys(unsigned),
        *(
            f"The ledger key {key} is recorded by notebooks {found}: give each notebook its own key."
            for key, found in notebooks.items()
        ),
        *(
            f"The ledger key {key} is recorded on questions {found}: give each set its own key."
            for key, found in questions.items()
        ),
    ]


def _by_key(pairs: Iterator[tuple[str, str]]) -> dict[str, str]:
    """The keys with more than one value, and their values in words, each once: "02 and 09"."""
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for key, value in pairs:
        values[key][value] = None
    return {key: " and ".join(found) for key, found in values.items() if len(found) > 1}


def read_sources(folder: Path) -> dict[str, Source]:
    """The notebooks of a folder by their number."""
    paths = sorted(folder.glob("*.ipynb"))
    return {notebook_number(path): Source(tuple(_cells(path))) for path in paths}


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
        return [f"The right options are not spread evenly over the positions ({said}): move some of them."]
    return []


def _telling_lengths(questions: Sequence[Decision | Knowledge]) -> list[str]:
    longest = sum(_key_is_longest(question) for question in questions)
    if len(questions) >= ENOUGH and longest > len(questions) / 2:
        return [f"The right option is the longest in {longest} of {len(questions)} questions: even out the lengths."]
    return []


def _key_is_longest(question: Decision | Knowledge) -> bool:
    lengths = [len(option.text) for option in question.options]
    return lengths[question.position(question.key)] == max(lengths)


def _unfair_texts(quiz: Quiz) -> Iterator[str]:
    for question in quiz.questions:
        where = f"{quiz.quiz}.yaml: question {question.id!r}"
        if not all(option.feedback.rstrip().endswith((".", "?", "!")) for option in question.options):
            yield f"{where}: a feedback is not a whole sentence."
        if isinstance(question, (Numeric, Ordering)):
            continue
        lengths = [len(option.text) for option in question.options]
        if max(lengths) > LONGEST_TO_SHORTEST * min(lengths):
            yield f"{where}: one option is more than twice as long as another, which gives the answer away."


def _missing_proofs(evidence: Evidence, sources: dict[str, Source]) -> Iterator[str]:
    source = sources.get(evidence.notebook)
    if source is None:
        yield f"there is no notebook {evidence.notebook} with its evidence"
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
    return any(_matches(argument, key, texts) for call in _recorded(tree) if (argument := _argument(call, "key")))


def _recorded(tree: ast.AST) -> Iterator[ast.Call]:
    """Every call of a method named `record`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
            yield node


def _recordings(code: str) -> Iterator[Recording]:
    """The measurements that a cell records, in order."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell with magics records nothing
        return
    texts = _listed_texts(tree)
    for call in _recorded(tree):
        argument = _argument(call, "key")
        if argument is not None:
            notebook, questions = (_plain(_argument(call, name)) for name in ("notebook", "questions"))
            yield Recording(_spelled(argument), _possible_keys(argument, texts), notebook, questions)


def _argument(call: ast.Call, name: str) -> ast.expr | None:
    """The argument of `Ledger.record` called `name`, by keyword or by position; None when it is not given."""
    place = ARGUMENTS.index(name)
    by_name = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return call.args[place] if by_name is None and place < len(call.args) else by_name


def _plain(argument: ast.expr | None) -> str:
    """An argument as text: the text itself where it is spelled out, else its code; empty when it is not given."""
    if argument is None:
        return ""
    return str(argument.value) if isinstance(argument, ast.Constant) else f"{{{ast.unparse(argument)}}}"


def _listed_texts(tree: ast.AST) -> list[str]:
    """The texts in lists, tuples, sets and dictionaries of a cell: what its loops run over, not its column names."""
    looked_up = [node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    listed = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Dict)) and node not in looked_up
    ]
    constants = [part.value for node in listed for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return list(dict.fromkeys(value for value in constants if isinstance(value, str)))


def _possible_keys(argument: ast.expr, texts: Sequence[str]) -> tuple[str, ...]:
    """The ledger keys that an argument can be; the pattern itself when no text of the cell fits its gaps."""
    choices = [[part.value] if isinstance(part, ast.Constant) else texts for part in _parts(argument)]
    keys = ("".join(map(str, parts)) for parts in product(*choices))
    return tuple(key for key in keys if re.fullmatch(LEDGER_KEY, key)) or (_spelled(argument),)


def _spelled(argument: ast.expr) -> str:
    """An argument as a pattern: "{name}.correct" for an f-string."""
    return "".join(_plain(part.value if isinstance(part, ast.FormattedValue) else part) for part in _parts(argument))


def _parts(argument: ast.expr) -> list[ast.expr]:
    """The texts and gaps of an f-string, in order; anything else is a single part."""
    return argument.values if isinstance(argument, ast.JoinedStr) else [argument]


def _matches(argument: ast.expr, key: str, texts: set[str]) -> bool:
    """Whether an argument can be `key`: the text itself, or an f-string whose gaps are filled by texts of the cell."""
    if isinstance(argument, ast.Constant):
        return argument.value == key
    if not isinstance(argument, ast.JoinedStr):
        return False
    parts = [re.escape(part.value) if isinstance(part, ast.Constant) else "(.+)" for part in argument.values]
    match = re.fullmatch("".join(parts), key)
    return match is not None and set(match.groups()) <= texts
