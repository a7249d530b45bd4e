"""`solutions/*.ipynb` → `notebooks/*.ipynb`: each solution region becomes a stub, outputs go.

In a code cell, the lines between `# BEGIN SOLUTION` and `# END SOLUTION` give way to STUB, as far indented as the
opening marker. Cells tagged `solution` (prose) or `solution-only` (code) are left out.
"""

import ast
import copy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from utils.course.aside import set_aside
from utils.course.notebook_files import (
    NotebookError,
    code_cells,
    label,
    normalise,
    notebook_paths,
    notebook_text,
    read_notebook,
    tags,
    write_notebook,
)
from utils.errors import CourseError
from utils.paths import NOTEBOOKS, SOLUTIONS

STUB = ("# your code here", "...")
MARKER = re.compile(r"^(?P<indent>\s*)#+\s*(?P<word>BEGIN|END) SOLUTION\s*$")
MARKER_WORDS = re.compile(r"\b(BEGIN|END) SOLUTION\b")
DROPPED_TAGS = {"solution", "solution-only"}
# A learner copy has no outputs to compare with, and a learner's own run must not become the reference.
SOURCE_ONLY_TAGS = {"nbval-check-output"}
BUILD_COMMAND = "python -m utils.course build"


@dataclass(frozen=True)
class Split:
    """A solution taken apart: what the learner sees, and the lines that must not be seen."""

    learner: str
    hidden: tuple[str, ...]


def build(solutions: Path = SOLUTIONS, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Write the learner copy of every solution, and return those that changed.

    Nothing is written unless all can be made. A copy that somebody has worked in is kept in the folder `set-aside`
    beside `notebooks`. Raises NotebookError for a solution that breaks a rule.
    """
    copies = _learner_copies(solutions, notebooks)
    changed = {path: notebook for path, notebook in copies.items() if _differs(path, notebook)}
    for path in changed:
        if path.exists() and _was_worked_in(path):
            _set_aside(path)
    return [path for path, notebook in changed.items() if write_notebook(path, notebook)]


def drift(solutions: Path = SOLUTIONS, notebooks: Path = NOTEBOOKS) -> list[str]:
    """One line for each learner copy that does not follow from its solution, with the mend."""
    copies = _learner_copies(solutions, notebooks)
    extra = [path for path in notebook_paths(notebooks) if path not in copies]
    return [line for path, notebook in copies.items() for line in _drift_of(path, notebook)] + [
        f"{label(path)} has no solution it comes from: run `git rm {label(path)}`, or keep your own elsewhere"
        for path in extra
    ]


def learner_notebook(solution: NotebookNode, name: str) -> NotebookNode:
    """The learner's copy of a solution. name: what errors call it."""
    hidden = [line for cell in solution.cells for line in _hidden_lines(cell, name)]
    learner = copy.deepcopy(solution)
    learner.cells = [_learner_cell(cell, name) for cell in learner.cells if not _is_dropped(cell)]
    normalise(learner)
    _require_parsing(learner, name)
    _require_no_leak(learner, hidden, name)
    return learner


def split_solution(source: str) -> Split:
    """Take the solution regions out of a code cell's source. Raises ValueError when markers do not pair up."""
    kept: list[str] = []
    hidden: list[str] = []
    is_open = False
    for line in source.splitlines():
        marker = _marker(line)
        if marker is None:
            (hidden if is_open else kept).append(line)
            continue
        _require_turn(marker["word"], is_open)
        is_open = not is_open
        if is_open:
            kept += [marker["indent"] + stub for stub in STUB]
    if is_open:
        raise ValueError("opens a solution region and never closes it")
    return Split("\n".join(kept), tuple(hidden))


def leaked_lines(hidden: Iterable[str], learner: NotebookNode) -> list[str]:
    """The telling lines of a solution that can still be read in the learner's copy, spacing aside."""
    shown = [_squeezed(line) for cell in learner.cells for line in cell.source.splitlines()]
    return [line for line in hidden if _is_telling(line) and any(_squeezed(line) in other for other in shown)]


def _learner_copies(solutions: Path, notebooks: Path) -> dict[Path, NotebookNode]:
    sources = notebook_paths(solutions)
    if not sources:
        raise CourseError(f"{solutions} holds no notebooks: restore it with `git checkout -- {solutions.name}`.")
    return {notebooks / path.name: learner_notebook(read_notebook(path), label(path)) for path in sources}


def _drift_of(path: Path, expected: NotebookNode) -> list[str]:
    if not path.exists():
        return [f"{label(path)} is missing: run `{BUILD_COMMAND}`"]
    if _differs(path, expected):
        return [f"{label(path)} differs from what its solution gives: run `{BUILD_COMMAND}`, which replaces it"]
    return []


def _differs(path: Path, expected: NotebookNode) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8", errors="replace") != notebook_text(expected)


def _was_worked_in(path: Path) -> bool:
    """Whether somebody ran a cell; committed copies hold no outputs.  What cannot be read counts as work."""
    try:
        return any(cell.get("execution_count") or cell.outputs for cell in code_cells(read_notebook(path)))
    except CourseError:
        return True


def _set_aside(path: Path) -> None:
    kept = set_aside(path)
    print(f"{label(path)} held your work, which is now in {label(kept)}")


def _is_dropped(cell: NotebookNode) -> bool:
    return bool(DROPPED_TAGS & set(tags(cell)))


def _learner_cell(cell: NotebookNode, name: str) -> NotebookNode:
    if cell.cell_type == "code":
        cell.source = _split_cell(cell, name).learner
        cell.outputs, cell.execution_count = [], None
    kept = [tag for tag in tags(cell) if tag not in SOURCE_ONLY_TAGS]
    cell.metadata.pop("tags", None)
    if kept:
        cell.metadata["tags"] = kept
    return cell


def _hidden_lines(cell: NotebookNode, name: str) -> tuple[str, ...]:
    if _is_dropped(cell):
        return tuple(cell.source.splitlines())
    if cell.cell_type == "code":
        return _split_cell(cell, name).hidden
    if MARKER_WORDS.search(cell.source):
        raise NotebookError(f"{name}, cell {cell.id}: has a solution marker in prose; tag the cell `solution`.")
    return ()


def _split_cell(cell: NotebookNode, name: str) -> Split:
    try:
        return split_solution(cell.source)
    except ValueError as problem:
        raise NotebookError(f"{name}, cell {cell.id}: {problem}.") from problem


def _marker(line: str) -> re.Match[str] | None:
    marker = MARKER.match(line)
    if marker is None and MARKER_WORDS.search(line):
        raise ValueError(f"has a solution marker that does not stand alone in its line: {line.strip()!r}")
    return marker


def _require_turn(word: str, is_open: bool) -> None:
    if word == "BEGIN" and is_open:
        raise ValueError("opens a solution region inside another")
    if word == "END" and not is_open:
        raise ValueError("closes a solution region that was never opened")


def _require_parsing(learner: NotebookNode, name: str) -> None:
    for cell in learner.cells:
        if cell.cell_type != "code":
            continue
        try:
            parse_cell(cell.source)
        except SyntaxError as problem:
            raise NotebookError(f"{name}, cell {cell.id}: no longer parses as a stub ({problem}).") from problem


def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a code cell, magics and top-level await allowed."""
    plain = TransformerManager().transform_cell(source)
    return compile(plain, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _require_no_leak(learner: NotebookNode, hidden: Iterable[str], name: str) -> None:
    leaked = leaked_lines(hidden, learner)
    if leaked:
        raise NotebookError(f"{name}: the learner's copy still shows this line of the solution: {leaked[0].strip()!r}.")


def _squeezed(line: str) -> str:
    return "".join(line.split())


def _is_telling(line: str) -> bool:
    # Comments, imports and short lines such as `return scores` stand in many cells and give nothing away.
    words = line.split()
    if not words or words[0] in {"import", "from"} or words[0].startswith("#"):
        return False
    return len(_squeezed(line)) >= 12 and len(re.findall(r"\w+|[^\w\s]", line)) >= 4
