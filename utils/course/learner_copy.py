"""The learner's copy of a solution: each solution region becomes a stub, and outputs are removed.

In a code cell, STUB replaces the lines between `# BEGIN SOLUTION` and `# END SOLUTION`, with the indentation of the
opening marker. Cells tagged `solution` (prose) or `solution-only` (code) are left out.
"""

import copy
import hashlib
import json
import re
from dataclasses import dataclass

from nbformat import NotebookNode

from utils.course.notebook_files import NotebookError, normalise, tags

STUB = ("# your code here", "...")
MARKER = re.compile(r"^(?P<indent>\s*)#+\s*(?P<word>BEGIN|END) SOLUTION\s*$")
MARKER_WORDS = re.compile(r"\b(BEGIN|END) SOLUTION\b")
DROPPED_TAGS = {"solution", "solution-only"}
# A learner copy has no outputs to compare with, and a learner's own run must not become the reference.
SOURCE_ONLY_TAGS = {"nbval-check-output"}
# Notebook metadata that holds the fingerprint of the copy as it was generated; editors keep it when they save.
FINGERPRINT = "generated_sha256"
WORK = ("execution_count", "outputs", "attachments")


@dataclass(frozen=True)
class Split:
    """A solution cell in two parts: what the learner sees, and the lines that the learner must not see."""

    learner: str
    hidden: tuple[str, ...]


def learner_notebook(solution: NotebookNode, name: str) -> NotebookNode:
    """The learner's copy of a solution.  name: what errors call it.

    Its metadata holds its fingerprint.  Raises NotebookError when solution markers do not pair up or are in prose.
    """
    learner = copy.deepcopy(solution)
    learner.cells = [_learner_cell(cell, name) for cell in learner.cells if not is_dropped(cell)]
    normalise(learner).metadata[FINGERPRINT] = fingerprint(learner)
    return learner


def fingerprint(notebook: NotebookNode) -> str:
    """A checksum of what a person can change by working in a notebook: cells, outputs and execution counts.

    Metadata is left out, because editors rewrite it whenever they save.
    """
    cells = [[cell.cell_type, cell.source, *(cell.get(field) or None for field in WORK)] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()


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


def split_cell(cell: NotebookNode, name: str) -> Split:
    """A code cell taken apart.  Raises NotebookError, naming the cell, when markers do not pair up."""
    try:
        return split_solution(cell.source)
    except ValueError as problem:
        raise NotebookError(f"{name}, cell {cell.id}: {problem}.") from problem


def is_dropped(cell: NotebookNode) -> bool:
    """Whether a cell is left out of the learner's copy."""
    return bool(DROPPED_TAGS & set(tags(cell)))


def _learner_cell(cell: NotebookNode, name: str) -> NotebookNode:
    if cell.cell_type == "code":
        cell.source = split_cell(cell, name).learner
        cell.outputs, cell.execution_count = [], None
    elif MARKER_WORDS.search(cell.source):
        raise NotebookError(f"{name}, cell {cell.id}: has a solution marker in prose; tag the cell `solution`.")
    kept = [tag for tag in tags(cell) if tag not in SOURCE_ONLY_TAGS]
    cell.metadata.pop("tags", None)
    if kept:
        cell.metadata["tags"] = kept
    return cell


def _marker(line: str) -> re.Match[str] | None:
    marker = MARKER.match(line)
    if marker is None and MARKER_WORDS.search(line):
        raise ValueError(f"has a solution marker that is not alone on its line: {line.strip()!r}")
    return marker


def _require_turn(word: str, is_open: bool) -> None:
    if word == "BEGIN" and is_open:
        raise ValueError("opens a solution region inside another")
    if word == "END" and not is_open:
        raise ValueError("closes a solution region that was never opened")
