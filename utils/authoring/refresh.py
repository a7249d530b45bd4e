"""Run solutions again and store what they show."""

import math
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbclient
import psutil
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from utils.authoring.isolation import isolated_environment
from utils.course.notebook_files import label, normalise, notebook_paths, read_notebook, write_notebook
from utils.errors import CourseError
from utils.paths import SOLUTIONS

SECONDS_PER_CELL = 300
# The line in a notebook's first cell that says what a whole run takes.
COST_LINE = re.compile(r"^A whole run takes .*$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What running one notebook took."""

    path: Path
    seconds: float
    peak_bytes: int

    @property
    def cost(self) -> str:
        """What a learner may expect, rounded up: to 5 seconds, to a tenth of a gigabyte."""
        seconds, gigabytes = 5 * math.ceil(self.seconds / 5), math.ceil(self.peak_bytes / 1e8) / 10
        return (
            f"A whole run takes about {seconds} seconds and {gigabytes:.1f} GB of memory on {os.cpu_count()} processor "
            "cores, not counting your own time."
        )

    def __str__(self) -> str:
        return f"{label(self.path)}: {self.seconds:.0f} s, {self.peak_bytes / 2**30:.2f} GiB"


def refresh(names: Sequence[str] = (), solutions: Path = SOLUTIONS) -> list[Run]:
    """Execute the named solutions (all, if none is named) in order, and write their outputs back.

    They share one fresh folder for progress and ledger, never the author's own. Raises CourseError, and leaves the
    file as it was, when a cell fails.
    """
    paths = chosen_paths(names, solutions)
    runs = []
    with tempfile.TemporaryDirectory(prefix="course-refresh-", ignore_cleanup_errors=True) as folder:
        for path in paths:
            runs.append(refresh_one(path, Path(folder)))
            print(runs[-1], flush=True)
    return runs


def refresh_one(path: Path, folder: Path) -> Run:
    """Execute one notebook in its own folder and write it back. folder: takes what it writes about a learner."""
    before = path.read_bytes()
    notebook = normalise(read_notebook(path))
    start = time.perf_counter()
    peak_bytes = _execute(notebook, path, folder)
    run = Run(path, time.perf_counter() - start, peak_bytes)
    if notebook.cells:
        notebook.cells[0].source = COST_LINE.sub(run.cost, notebook.cells[0].source)
    if path.read_bytes() != before:
        raise CourseError(f"{path.name} was changed while it ran: refresh it again, so that no edit is lost.")
    write_notebook(path, normalise(notebook))
    return run


def chosen_paths(names: Sequence[str], solutions: Path) -> list[Path]:
    """The notebooks whose file names begin with one of the names, such as `02`; all of them for no names."""
    paths = notebook_paths(solutions)
    for name in names:
        if not any(path.name.startswith(name) for path in paths):
            known = ", ".join(path.stem for path in paths) or "none"
            raise CourseError(f"No solution is called {name!r}: name one of {known}.")
    return [path for path in paths if not names or path.name.startswith(tuple(names))]


class _ThisPython(AsyncKernelManager):
    """Starts kernels of the running Python, as the tests do: `python3` may be installed for another one."""

    def __init__(self, **options: Any) -> None:
        super().__init__(kernel_spec_manager=NbvalKernelspecManager(), **options)


def _execute(notebook: NotebookNode, path: Path, folder: Path) -> int:
    peaks = [0]
    client = nbclient.NotebookClient(
        notebook,
        kernel_manager_class=_ThisPython,
        kernel_name=CURRENT_ENV_KERNEL_NAME,
        timeout=SECONDS_PER_CELL,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_executed=lambda **_: peaks.append(_peak_bytes(client.km.provisioner.pid)),
    )
    try:
        # What a kernel writes past its cells is about its own transport, not about the notebook.
        client.execute(env=os.environ | isolated_environment(folder), stderr=subprocess.DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as problem:
        raise CourseError(f"{label(path)} failed and was left as it was: {_reason(problem)}") from problem
    return max(peaks)


def _peak_bytes(process_id: int) -> int:
    # Linux and Windows remember a process's peak; elsewhere the size after each cell has to do.
    status = Path(f"/proc/{process_id}/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    memory = psutil.Process(process_id).memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def _reason(problem: Exception) -> str:
    if isinstance(problem, CellExecutionError):
        return f"{problem.ename}: {problem.evalue}"
    return str(problem).splitlines()[0]
