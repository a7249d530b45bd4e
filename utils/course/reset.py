"""Start a notebook over: a fresh learner copy replaces the old one, which is backed up first."""

from pathlib import Path

from utils.course.backup import back_up
from utils.course.learner_copy import learner_notebook
from utils.course.notebook_files import label, notebook_number, notebook_paths, notebook_text, read_notebook
from utils.errors import CourseError
from utils.paths import NOTEBOOKS, SOLUTIONS, write_atomically

REOPEN = "If it is open in JupyterLab, close it without saving and open it again."
KEPT = "Your answers and measurements stay."


def reset(name: str, solutions: Path = SOLUTIONS, notebooks: Path = NOTEBOOKS) -> str:
    """Restore the fresh copy of notebook `name` ("02"), and return a sentence that says what was done.

    Raises CourseError, and leaves the old copy as it is, when there is no such notebook or nothing can be written.
    """
    solution = _solution(name, solutions)
    path = notebooks / solution.name
    fresh = notebook_text(learner_notebook(read_notebook(solution), label(solution)))
    if not path.exists():
        write_atomically(path, fresh)
        return f"{label(path)} was missing and is back. {KEPT}"
    if path.read_bytes() == fresh.encode():
        return f"{label(path)} is fresh already: nothing to do."
    kept = back_up(path)
    write_atomically(path, fresh)
    return f"{label(path)} is fresh again. Your old copy is {label(kept)}. {KEPT} {REOPEN}"


def notebook_numbers(solutions: Path = SOLUTIONS) -> list[str]:
    """The numbers of the notebooks that can be reset: "00", "02", …"""
    return [notebook_number(path) for path in notebook_paths(solutions)]


def _solution(name: str, solutions: Path) -> Path:
    for path in notebook_paths(solutions):
        if name in (notebook_number(path), path.stem, path.name):
            return path
    known = ", ".join(notebook_numbers(solutions)) or "none"
    raise CourseError(f"No notebook is called {name!r}: name one of {known}.")
