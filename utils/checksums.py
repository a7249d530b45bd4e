"""SHA-256 checksums of files that must not change: the models' weights and the frozen questions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from utils.errors import CourseError

CHECKSUMS = "SHA256SUMS"


def check_file(path: Path, wanted: str, mend: str) -> None:
    """Compares a file with its checksum.  Raises CourseError, which ends with `mend`, when it is missing or differs."""
    if not path.is_file():
        raise CourseError(f"The file {path} is missing: {mend}.")
    about = path.stat()
    if _sha256(path, about.st_size, about.st_mtime_ns) != wanted:
        raise CourseError(f"The file {path} was changed or cut short, its checksum differs: {mend}.")


def checksum_lines(contents: Mapping[str, bytes]) -> str:
    """The text of a SHA256SUMS for files by name, as `checksums_in` reads it."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())


def checksums_in(folder: Path) -> dict[str, str]:
    """File name to checksum, as the folder's SHA256SUMS says; empty when it has none."""
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return {}
    rows = (line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name: digest for digest, name in rows}


@cache
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
