"""Whether a solution was really run: in order, in one go, with outputs that would be the same elsewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from utils.course.notebook_files import code_cells, label, notebook_paths, read_notebook, tags
from utils.paths import SOLUTIONS

MACHINE_PATH = re.compile(
    r"(?<![\w.:/])/(home|root|Users|tmp|var|private|opt|mnt|srv|work|workspace)/|\b[A-Z]:\\\w|site-packages|ipykernel_\d"
)


def unexecuted(solutions: Path = SOLUTIONS) -> list[str]:
    """One line for each thing wrong with the stored outputs in a folder, with the fix."""
    return [line for path in notebook_paths(solutions) for line in execution_problems(read_notebook(path), label(path))]


def execution_problems(notebook: NotebookNode, name: str) -> list[str]:
    """What is wrong with a notebook's stored outputs, one line each. name: `solutions/02_rag_pipeline.ipynb`."""
    fix = f"run `python -m utils.authoring refresh {Path(name).stem}`"
    wrong = [f"{name}, cell {cell.id} {problem}: {fix}" for cell, problem in _cell_problems(notebook)]
    if "widgets" in notebook.metadata:
        wrong.append(f"{name} stores widget state, which code hosts cannot show: {fix}")
    return wrong


def _cell_problems(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, str]]:
    for position, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != position:
            # nbval runs a cell without a count but never compares it, so this would hide a check.
            yield cell, f"was executed as {cell.execution_count}, not as {position}"
        if "nbval-check-output" in tags(cell) and not cell.outputs:
            yield cell, "is to be compared but stores no output"
        for output in cell.outputs:
            yield from ((cell, problem) for problem in _output_problems(output, tags(cell)))


def _output_problems(output: NotebookNode, cell_tags: list[str]) -> Iterator[str]:
    if output.output_type == "error" and "raises-exception" not in cell_tags:
        yield f"stores an error ({output.ename})"
    path = MACHINE_PATH.search(_text(output))
    if path:
        yield f"shows a path of the machine it ran on ({path.group()}…)"


def _text(output: NotebookNode) -> str:
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    return "\n".join(value for kind, value in data.items() if kind.startswith("text/"))
