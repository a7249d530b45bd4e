"""Where things lie, from the root of the checkout, whatever folder a notebook runs in."""

import errno
import glob
import os
import uuid
from contextlib import suppress
from pathlib import Path

import platformdirs

from utils.errors import CourseError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = ROOT / "solutions"
DATASETS = ROOT / "datasets"
MODELS = ROOT / "models"

NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
NO_PERMISSION = {errno.EROFS, errno.EACCES, errno.EPERM}


def progress_file() -> Path:
    """Where the learner's quiz answers are kept: COURSE_PROGRESS, or a file of the user's own."""
    return _personal_file("COURSE_PROGRESS", "progress.json")


def ledger_file() -> Path:
    """Where the learner's measurements are kept: COURSE_LEDGER, or a file of the user's own."""
    return _personal_file("COURSE_LEDGER", "ledger.json")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace what a file holds at once, so that nobody ever reads half of it.

    Makes the folder if need be. Raises CourseError, and leaves the old file as it was, when the disk is full or
    the place may not be written.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_through(beside, content)
        os.replace(beside, path)
    except OSError as problem:
        _forget(beside)
        raise CourseError(_sentence(path, problem)) from problem


def left_behind(path: Path) -> list[Path]:
    """Temporary files of `write_atomically` beside a file: what a killed process leaves."""
    return sorted(path.parent.glob(f".{glob.escape(path.name)}.*.tmp"))


def _personal_file(variable: str, name: str) -> Path:
    # Outside the checkout: it survives a fresh clone, and works where the checkout is read-only.
    named = os.environ.get(variable)
    return Path(named).expanduser() if named else platformdirs.user_data_path("finetune-or-rag") / name


def _write_through(path: Path, content: str | bytes) -> None:
    mode, form = ("xb", {}) if isinstance(content, bytes) else ("x", {"encoding": "utf-8", "newline": "\n"})
    with open(path, mode, **form) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _forget(path: Path) -> None:
    with suppress(OSError):  # the first problem is the one to report
        path.unlink(missing_ok=True)


def _sentence(path: Path, problem: OSError) -> str:
    if problem.errno in NO_SPACE:
        return f"The disk is full, so {path} was not written: free some space and run this again."
    if problem.errno in NO_PERMISSION:
        return f"{path} may not be written here: copy the course to a folder of your own and run this again."
    return f"{path} was not written ({problem.strerror or problem}): check the folder and run this again."
