"""Files: which of a folder's files may be read, and their bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from utils.errors import CourseError

MEGABYTE = 10**6
MAX_MEGABYTES = 5
OTHERWISE = "or take it out of the folder"

_HIDDEN = getattr(stat, "FILE_ATTRIBUTE_HIDDEN", 0)


def walk(folder: Path) -> Iterator[Path | tuple[Path, CourseError]]:
    """The files in a folder and its subfolders, sorted; for a subfolder that is not entered, its path and the reason.

    Hidden names and the lock files of Office ("~$...") are left out, and links to folders are not followed.
    Raises CourseError when the folder itself cannot be listed.
    """
    failed: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=failed.append):
        for link in sorted(name for name in folders if os.path.islink(os.path.join(place, name))):
            if not _is_hidden(link):
                yield (
                    Path(place, link),
                    CourseError(f"{Path(place, link)} is a link to a folder, and none is followed."),
                )
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        yield from (Path(place, name) for name in sorted(names) if not _is_hidden(name))
    for error in failed:
        place = Path(error.filename)
        reason = CourseError(f"The folder {place} cannot be listed ({error.strerror}): check who may read it.")
        if place == folder:
            raise reason from error
        yield place, reason


def read_bytes(path: Path, folder: Path) -> bytes:
    """What a file holds.  folder: the real path of the folder that it must not lead out of.

    Raises CourseError when it leads out, is hidden behind a link, is a pipe or a device, cannot be read, or has more
    than 5 MB.
    """
    try:
        _require_inside(path, folder)
        about = path.stat()
        _require_ordinary(path, about)
        with path.open("rb") as file:
            data = file.read(MAX_MEGABYTES * MEGABYTE + 1)
    except OSError as error:
        raise CourseError(f"The file {path} cannot be read ({error.strerror}): fix that, {OTHERWISE}.") from error
    _require_size(path, len(data))  # the file may have grown
    return data


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "~$"))


def _require_inside(path: Path, folder: Path) -> None:
    real = Path(os.path.realpath(path))
    if not real.is_relative_to(folder):
        raise CourseError(f"The file {path} is a link that leads out of the folder: put a copy in its place.")
    if any(_is_hidden(part) for part in real.relative_to(folder).parts):
        raise CourseError(f"The file {path} is a link to a hidden file: put a copy in its place.")


def _require_ordinary(path: Path, about: os.stat_result) -> None:
    if not stat.S_ISREG(about.st_mode):
        raise CourseError(f"{path} is a pipe or a device, not a file: take it out of the folder.")
    if getattr(about, "st_file_attributes", 0) & _HIDDEN:  # on Windows, which does not hide by name
        raise CourseError(f"The file {path} is hidden: unhide it, {OTHERWISE}.")
    _require_size(path, about.st_size)


def _require_size(path: Path, size: int) -> None:
    if size > MAX_MEGABYTES * MEGABYTE:
        raise CourseError(
            f"The file {path} has {size / MEGABYTE:.0f} MB, and one article may have {MAX_MEGABYTES} MB: "
            f"split it, {OTHERWISE}."
        )
