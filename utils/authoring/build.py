"""Makes `notebooks/*.ipynb` from `solutions/*.ipynb`: every copy parses and shows no line of a solution."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from utils.course.backup import back_up
from utils.course.learner_copy import FINGERPRINT, fingerprint, is_dropped, learner_notebook, split_cell
from utils.course.notebook_files import (
    NotebookError,
    label,
    notebook_paths,
    notebook_text,
    read_notebook,
    write_notebook,
)
from utils.errors import CourseError
from utils.paths import NOTEBOOKS, SOLUTIONS

BUILD_COMMAND = "python -m utils.authoring build"


def build(solutions: Path = SOLUTIONS, notebooks: Path = NOTEBOOKS) -> list[Path]:
    """Write the learner copy of every solution, and return those that changed.

    Nothing is written unless all copies can be made. A copy that somebody has worked in is first copied to the folder
    `backups` next to `notebooks`. Raises NotebookError for a solution that breaks a rule.
    """
    copies = _learner_copies(solutions, notebooks)
    changed = {path: notebook for path, notebook in copies.items() if _differs(path, notebook)}
    for path, notebook in changed.items():
        if path.exists() and _was_worked_in(path, notebook):
            _back_up(path)
    return [path for path, notebook in changed.items() if write_notebook(path, notebook)]


def drift(solutions: Path = SOLUTIONS, notebooks: Path = NOTEBOOKS) -> list[str]:
    """One line for each learner copy that is not what its solution gives, with the fix."""
    copies = _learner_copies(solutions, notebooks)
    extra = [path for path in notebook_paths(notebooks) if path not in copies]
    return [line for path, notebook in copies.items() for line in _drift_of(path, notebook)] + [
        f"{label(path)} has no solution: run `git rm {label(path)}`, or move it if it is your own" for path in extra
    ]


def checked_copy(solution: NotebookNode, name: str) -> NotebookNode:
    """The learner's copy of a solution.  name: what errors call it.

    Raises NotebookError as `learner_notebook` does, when a cell no longer parses, and when the copy still shows a line
    of the solution.
    """
    learner = learner_notebook(solution, name)
    _require_parsing(learner, name)
    _require_no_leak(learner, [line for cell in solution.cells for line in _hidden_lines(cell, name)], name)
    return learner


def leaked_lines(hidden: Iterable[str], learner: NotebookNode) -> list[str]:
    """The lines that give a solution away and are still in the learner's copy, whatever their spacing."""
    shown = [_squeezed(line) for cell in learner.cells for line in cell.source.splitlines()]
    return [line for line in hidden if _is_telling(line) and any(_squeezed(line) in other for other in shown)]


def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a code cell, which may hold magics and top-level await."""
    plain = TransformerManager().transform_cell(source)
    return compile(plain, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _learner_copies(solutions: Path, notebooks: Path) -> dict[Path, NotebookNode]:
    sources = notebook_paths(solutions)
    if not sources:
        raise CourseError(f"{solutions} holds no notebooks: restore it with `git checkout -- {solutions.name}`.")
    return {notebooks / path.name: checked_copy(read_notebook(path), label(path)) for path in sources}


def _drift_of(path: Path, expected: NotebookNode) -> list[str]:
    if not path.exists():
        return [f"{label(path)} is missing: run `{BUILD_COMMAND}`"]
    if _differs(path, expected):
        return [f"{label(path)} differs from what its solution gives: run `{BUILD_COMMAND}`, which replaces it"]
    return []


def _differs(path: Path, expected: NotebookNode) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8", errors="replace") != notebook_text(expected)


def _was_worked_in(path: Path, fresh: NotebookNode) -> bool:
    """Whether a copy differs both from the one that was generated last and from the new one."""
    try:
        copy = read_notebook(path)
        return fingerprint(copy) not in (copy.metadata.get(FINGERPRINT), fresh.metadata[FINGERPRINT])
    except Exception:  # a file that cannot be read, for whatever reason, may hold work
        return True


def _back_up(path: Path) -> None:
    kept = back_up(path)
    print(f"{label(path)} held your work: it is backed up as {label(kept)}")


def _hidden_lines(cell: NotebookNode, name: str) -> tuple[str, ...]:
    if is_dropped(cell):
        return tuple(cell.source.splitlines())
    return split_cell(cell, name).hidden if cell.cell_type == "code" else ()


def _require_parsing(learner: NotebookNode, name: str) -> None:
    for cell in learner.cells:
        if cell.cell_type != "code":
            continue
        try:
            parse_cell(cell.source)
        except SyntaxError as problem:
            raise NotebookError(f"{name}, cell {cell.id}: no longer parses as a stub ({problem}).") from problem


def _require_no_leak(learner: NotebookNode, hidden: Iterable[str], name: str) -> None:
    leaked = leaked_lines(hidden, learner)
    if leaked:
        raise NotebookError(f"{name}: the learner's copy still shows this line of the solution: {leaked[0].strip()!r}.")


def _squeezed(line: str) -> str:
    return "".join(line.split())


def _is_telling(line: str) -> bool:
    # Comments, imports and short lines such as `return scores` are in many cells and give nothing away.
    words = line.split()
    if not words or words[0] in {"import", "from"} or words[0].startswith("#"):
        return False
    return len(_squeezed(line)) >= 12 and len(re.findall(r"\w+|[^\w\s]", line)) >= 4
