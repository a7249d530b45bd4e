"""Learners' work is backed up before anything replaces it, and never deleted."""

from datetime import datetime
from pathlib import Path

from utils.course.notebook_files import label
from utils.errors import CourseError
from utils.paths import write_atomically


def back_up(path: Path) -> Path:
    """Copy a notebook into the folder `backups` next to `notebooks`, with the date and time in its name.

    Returns the new path.  Raises CourseError when that fails, so that the caller leaves the notebook as it is.
    """
    folder = path.parents[1] / "backups"
    try:
        folder.mkdir(exist_ok=True)
        kept = _unused_name(folder, f"{path.stem}.{datetime.now():%Y-%m-%d-%H%M%S}")
        try:
            write_atomically(kept, path.read_bytes())  # on the disk for good before the notebook is replaced
        except (OSError, CourseError):
            kept.unlink(missing_ok=True)
            raise
    except (OSError, CourseError) as problem:
        raise CourseError(
            f"Your work in {label(path)} could not be backed up ({problem}): copy it elsewhere, then run this again."
        ) from problem
    return kept


def _unused_name(folder: Path, stem: str) -> Path:
    """A new empty file: two copies that are backed up in the same second must not share a name."""
    number = 1
    while True:
        kept = folder / (f"{stem}.ipynb" if number == 1 else f"{stem}-{number}.ipynb")
        try:
            kept.touch(exist_ok=False)
            return kept
        except FileExistsError:
            number += 1
