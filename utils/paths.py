"""Where files are, from the root of the checkout, whatever folder a notebook runs in."""

import errno
import glob
import hashlib
import os
import re
import stat
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

OTHER_MODELS = ("COURSE_GENERATOR", "COURSE_MODEL", "COURSE_EMBEDDER")

NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
NO_PERMISSION = {errno.EROFS, errno.EACCES, errno.EPERM}


def progress_file() -> Path:
    """The file with the learner's quiz answers: COURSE_PROGRESS, or a file in the user's data folder.

    A relative COURSE_PROGRESS starts at the root of the checkout, so it names the same file from every folder.
    Raises CourseError when it begins with "~" and the name of a user who does not exist.
    """
    return _personal_file("COURSE_PROGRESS", "progress.json")


def ledger_file(own: bool = False) -> Path:
    """The file with the learner's measurements: COURSE_LEDGER, or a file in the user's data folder.

    A relative COURSE_LEDGER starts at the root of the checkout, so it names the same file from every folder.
    Where COURSE_GENERATOR or COURSE_EMBEDDER names another model, there is a file of its own beside this one: figures
    of other models must not replace those of the course's.
    own: the file of the course's models, whatever the variables say.
    Raises CourseError when it begins with "~" and the name of a user who does not exist.
    """
    file = _personal_file("COURSE_LEDGER", "ledger.json")
    others = "" if own else other_models()
    if not others:
        return file
    # Only the model's last name is readable: an address may hold a password.
    generator, _, _ = others.partition(" ")
    readable = "server" if "://" in generator else re.sub(r"[^a-z0-9]+", "-", Path(generator).name.lower()).strip("-")
    mark = hashlib.sha256(others.encode()).hexdigest()[:8]
    return file.with_name(f"{file.stem}-{readable[:40] or 'embedder'}-{mark}{file.suffix}")


def other_models() -> str:
    """The models that the environment puts in the place of the course's, each always spelled the same; else empty."""
    named = {name: os.environ.get(name, "").strip().rstrip("/") for name in OTHER_MODELS}
    generator, embedder = named["COURSE_GENERATOR"], named["COURSE_EMBEDDER"]
    if generator.lower() == "smollm2":
        generator = "smollm2"
    if "://" in generator:  # the name on the server counts for nothing else
        generator = f"{generator} {named['COURSE_MODEL']}"
    return " ".join(filter(None, (generator, embedder and f"embedder {embedder}"))).strip()


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replace the content of a file in one step, so that nobody ever reads half of it.

    Creates the folder if it is missing. A symbolic link stays a link: its target is replaced. A file that exists
    keeps its permissions. Raises CourseError, and leaves the old file as it was, when the disk is full or the file
    may not be written.
    """
    target = _target(path)
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_through(beside, content, _mode(target))
        os.replace(beside, target)
    except OSError as problem:
        _forget(beside)
        raise CourseError(_sentence(path, problem)) from problem


def left_behind(path: Path) -> list[Path]:
    """Temporary files of `write_atomically` next to a file: what a killed process leaves."""
    target = _target(path)
    return sorted(target.parent.glob(f".{glob.escape(target.name)}.*.tmp"))


def _personal_file(variable: str, name: str) -> Path:
    # Outside the checkout: it survives a fresh clone, and works where the checkout is read-only.
    named = os.environ.get(variable)
    if not named:
        return platformdirs.user_data_path("finetune-or-rag") / name
    try:
        return ROOT / Path(named).expanduser()  # an absolute path stays as it is
    except RuntimeError:
        raise CourseError(
            f"{variable} names a folder of a user who does not exist here ({named}): give the whole path instead."
        ) from None


def _target(path: Path) -> Path:
    """The file that a symbolic link points to, or the path itself when it is no link."""
    return Path(os.path.realpath(path)) if os.path.islink(path) else path


def _mode(path: Path) -> int | None:
    """The permissions of a file; None when there is no file yet."""
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


def _write_through(path: Path, content: str | bytes, permissions: int | None) -> None:
    mode, form = ("xb", {}) if isinstance(content, bytes) else ("x", {"encoding": "utf-8", "newline": "\n"})
    with open(path, mode, **form) as file:
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
