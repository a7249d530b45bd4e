"""The output folder: taken only if it is new, empty or of an earlier comparison, and by one run at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from utils.errors import CourseError
from utils.paths import OF_THE_SYSTEM, write_atomically

MARK = "comparison.json"
ANSWERS, REPORT, DRAFTS = "answers.jsonl", "report.html", "drafts.csv"

_MADE_BY = {"made by": "python -m utils.compare"}


@contextmanager
def output_folder(folder: Path, documents: Path) -> Iterator[Path]:
    """The folder, ready to be written, and locked until the end.

    Raises CourseError when it holds other files, is a file, lies within the documents, cannot be written, or is in use.
    """
    folder, documents = (Path(os.path.expanduser(path)).resolve() for path in (folder, documents))
    if _lies_within(folder, documents):
        raise CourseError(f"{folder} lies within the documents, so the report would become one: name another --out.")
    if _is_file(folder):
        raise CourseError(f"{folder} is a file: name a folder with --out.")
    _refuse_foreign(folder)
    _write_mark(folder)
    lock = _locked(folder)
    try:
        yield folder
    finally:
        lock.release()


def _is_file(folder: Path) -> bool:
    try:
        return folder.exists() and not folder.is_dir()
    except OSError as error:
        raise CourseError(f"The folder {folder} cannot be used ({error.strerror}): name another --out.") from error


def _lies_within(folder: Path, documents: Path) -> bool:
    """Whether a folder is another or below it.  Where capitals do not count, two names can be one folder."""
    return folder.is_relative_to(documents) or any(_is_same(one, documents) for one in (folder, *folder.parents))


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # one of them is not there
        return False


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise CourseError(f"Another comparison is writing into {folder}: wait for it, or name another --out.") from None
    except OSError as error:
        raise CourseError(f"The folder {folder} may not be written ({error.strerror}): name another --out.") from error
    return lock


def _refuse_foreign(folder: Path) -> None:
    try:
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise CourseError(f"The folder {folder} cannot be listed ({error.strerror}): name another --out.") from error
    others = sorted(names - OF_THE_SYSTEM)
    if others and not _is_ours(folder / MARK):
        raise CourseError(
            f"The folder {folder} holds other files, such as {others[0]}: name a new or an empty one with --out."
        )


def _is_ours(mark: Path) -> bool:
    try:
        return json.loads(mark.read_text(encoding="utf-8")) == _MADE_BY
    except (OSError, ValueError, RecursionError):  # missing, unreadable, or of somebody else
        return False


def _write_mark(folder: Path) -> None:
    if (folder / MARK).exists():
        return
    try:
        write_atomically(folder / MARK, json.dumps(_MADE_BY) + "\n")
    except CourseError as problem:
        if isinstance(problem.__cause__, PermissionError):
            raise CourseError(f"The folder {folder} may not be written: name another one with --out.") from problem
        raise
