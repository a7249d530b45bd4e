"""Where files are, from the root of the checkout, whatever folder a notebook runs in."""

import errno
import glob
import os
import stat
import uuid
from contextlib import suppress
from pathlib import Path

from utils.errors import CourseError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = ROOT / "solutions"
DATASETS = ROOT / "datasets"
MODELS = ROOT / "models"

OF_THE_SYSTEM = {".DS_Store", "desktop.ini", "Thumbs.db"}  # file managers put them into any folder
NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
NO_PERMISSION = {errno.EROFS, errno.EACCES, errno.EPERM}


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace the content of a file in one step, so that nobody ever reads half of it.

    Creates the folder if it is missing. A symbolic link stays a link: its target is replaced. A file that exists
    keeps its permissions. Raises CourseError, and leaves the old file as it was, when the disk is full or the file
    may not be written.
    """
    data = content if isinstance(content, bytes) else content.encode()
    target = _target(path)
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_through(beside, data, _mode(target))
        os.replace(beside, target)
    except OSError as problem:
        raise CourseError(_sentence(path, problem)) from problem
    finally:
        _forget(beside)  # also after an interrupt; once it has replaced the file, it is gone


def left_behind(path: Path) -> list[Path]:
    """Temporary files of `write_atomically` next to a file: what a killed process leaves."""
    target = _target(path)
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.*.tmp"))


def _target(path: Path) -> Path:
    """The file that a symbolic link points to, or the path itself when it is no link."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _mode(path: Path) -> int | None:
    """The permissions of a file; None when there is no file yet."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def _write_through(path: Path, content: bytes, permissions: int | None) -> None:
    with open(path, "xb") as file:
        if permissions is not None:
            with suppress(OSError):  # some file systems have no permissions to keep
                os.chmod(path, permissions)  # before the content, so that a private file is never readable by others
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
