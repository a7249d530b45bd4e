"""One small JSON file that several notebooks may write at the same time, without losing a line.

Progress and the evidence ledger both live in such a file, outside the checkout, so that pulling an
update never touches them. A file that cannot be read is set aside, never overwritten. When nothing
can be written, everything is kept in memory, and the learner is told once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from utils.errors import CourseError
from utils.paths import left_behind, write_atomically

LOCK_SECONDS = 5.0
CANNOT_WRITE = (OSError, NotImplementedError, CourseError)


class Document(BaseModel):
    """What every stored file has: a version. Fields that a later course adds are kept, not dropped."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    version: int = 1


class LaterVersionError(OSError):
    """The file was written by a later version of the course."""


D = TypeVar("D", bound=Document)


def now() -> str:
    """The time in UTC to the second, as text: "2026-11-22T14:55:00+00:00"."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class JsonStore(Generic[D]):
    """A JSON file read into one pydantic model, changed under a lock and replaced as a whole.

    `what` names the content in messages ("progress"), `variable` the environment variable that
    moves the file.  A symbolic link stays a link: its target is read and replaced.  No method raises
    because of the disk: see `take_notices`.
    """

    def __init__(self, path: Path, model: type[D], what: str, variable: str) -> None:
        self.path = Path(os.path.realpath(path))  # two names of one file must share one lock
        self._model = model
        self._what = what
        self._variable = variable
        self._lock = FileLock(f"{self.path}.lock", timeout=LOCK_SECONDS)
        self._waited_in_vain = False
        self._unsaved: list[Callable[[D], None]] = []
        self._notices: list[str] = []
        self._said_memory = False

    def read(self) -> D:
        """The content now: what is on disk, plus changes that could not be saved."""
        document = self._read_locked()
        for change in self._unsaved:
            change(document)
        return document

    def update(self, change: Callable[[D], None]) -> None:
        """Apply `change` to the newest content and save it, or keep the change in memory."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._locked():
                document = self._load_or_set_aside()
                for step in (*self._unsaved, change):
                    step(document)
                self._sweep()
                write_atomically(self.path, document.model_dump_json(indent=1) + "\n")
            self._unsaved.clear()
            self._said_memory = False  # should it happen again, it is news again
        except CANNOT_WRITE as error:
            self._unsaved.append(change)
            self._say_memory(error)

    def take_notices(self) -> list[str]:
        """Sentences that the learner should see; each is returned once."""
        notices, self._notices = self._notices, []
        return notices

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock.  A wait in vain is not repeated: until the lock is free again, each call tries only once.

        Raises filelock.Timeout, an OSError, when another program holds the lock.
        """
        try:
            guard = self._lock.acquire(timeout=0 if self._waited_in_vain else LOCK_SECONDS)
        except Timeout:
            self._waited_in_vain = True
            raise
        self._waited_in_vain = False
        with guard:
            yield

    def _read_locked(self) -> D:
        try:
            if not self.path.exists():
                return self._model()
            with self._locked():
                return self._load_or_set_aside()
        except CANNOT_WRITE as error:
            return self._read_only(error)

    def _read_only(self, error: Exception) -> D:
        """The content, read without a lock; a new, empty one when there is nothing to read."""
        try:
            self._require_no_device()
            return self._parse(self.path.read_bytes())
        except (OSError, ValidationError):
            self._say_memory(error)
            return self._model()

    def _load_or_set_aside(self) -> D:
        self._require_no_device()
        try:
            return self._parse(self.path.read_bytes())
        except FileNotFoundError:
            return self._model()
        except ValidationError:
            self._set_aside()
            return self._model()

    def _require_no_device(self) -> None:
        """Raises OSError for a device or a pipe, such as /dev/null: never to be read, renamed or replaced."""
        if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
            raise OSError(f"{self.path} is a device")

    def _parse(self, raw: bytes) -> D:
        known = self._model().version
        found = Document.model_validate_json(raw).version
        if found > known:
            raise LaterVersionError(f"the file has version {found}, and this course reads up to {known}")
        return self._model.model_validate_json(raw)

    def _set_aside(self) -> None:
        stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S-%f")
        aside = self.path.with_name(f"{self.path.stem}.unreadable-{stamp}{self.path.suffix}")
        self.path.rename(aside)
        self._notices.append(
            f"Your {self._what} in {self.path} could not be read, so it was set aside as {aside.name} "
            f"and a new file was started. Nothing was deleted."
        )

    def _sweep(self) -> None:
        """Remove what killed saves left next to the file.  Whoever saves holds the lock, so nobody else is saving."""
        for left in left_behind(self.path):
            with suppress(OSError):
                left.unlink()

    def _say_memory(self, error: Exception) -> None:
        if self._said_memory:
            return
        self._said_memory = True
        self._notices.append(self._why_memory(error))

    def _why_memory(self, error: Exception) -> str:
        """Why the content is kept in memory only, and what to do about it."""
        kept = "kept only until this notebook closes"
        if isinstance(error, LaterVersionError):
            return (
                f"Your {self._what} in {self.path} was written by a later version of the course ({error}), so what you "
                f"do now is {kept}: update the course, then restart the notebook."
            )
        if isinstance(error, Timeout):
            return (
                f"Your {self._what} cannot be saved in {self.path}, because another program has locked it, so it is "
                f"{kept} or the file is free again: close the other program."
            )
        cause = error.__cause__ or error
        reason = (getattr(cause, "strerror", None) or str(cause)).rstrip(".")
        return (
            f"Your {self._what} cannot be saved in {self.path} ({reason}), so it is {kept}: "
            f"set {self._variable} to a file in a folder that you can write to."
        )
