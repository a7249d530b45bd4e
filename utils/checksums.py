"""SHA-256 checksums: of files that must not change, such as frozen questions, and of weights in memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from utils.errors import CourseError

if TYPE_CHECKING:
    import torch

CHECKSUMS = "SHA256SUMS"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](\S.*)")


def check_file(path: Path, wanted: str, fix: str) -> None:
    """Compares a file with its checksum.  Raises CourseError, which ends with `fix`, when it is missing,
    cannot be read or differs.
    """
    if not path.is_file():
        raise CourseError(f"The file {path} is missing: {fix}.")
    try:
        about = path.stat()
        found = _sha256(path, about.st_size, about.st_mtime_ns)
    except OSError as error:
        raise CourseError(f"The file {path} cannot be read ({error.strerror or error}): {fix}.") from error
    if found != wanted:
        raise CourseError(f"The file {path} was changed or cut short, its checksum differs: {fix}.")


def checksum_lines(contents: Mapping[str, bytes]) -> str:
    """The text of a SHA256SUMS for files by name, as `checksums_in` reads it."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())


def checksums_in(folder: Path, fix: str = "restore it") -> dict[str, str]:
    """File name to checksum, as listed in the folder's SHA256SUMS; empty when there is no such file.

    Raises CourseError, which ends with `fix`, when the file cannot be read or a line has another form.
    """
    sums = folder / CHECKSUMS
    if not sums.is_file():
        return {}
    try:
        lines = sums.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"The file {sums} cannot be read ({type(error).__name__}): {fix}.") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line.rstrip())
        if match:
            found[match[2]] = match[1].lower()
        elif line.strip():
            raise CourseError(f"Line {number} of {sums} is not a checksum and a file name: {fix}.")
    return found


def weights_sha256(model: torch.nn.Module) -> str:
    """SHA-256 of all parameters in memory, in the model's order: it differs after any fine-tuning.

    It is not the checksum of a file of weights, which holds names and padding too.
    """
    import torch  # the command lines check files without it, and start sooner

    digest = hashlib.sha256()
    for parameter in model.parameters():
        values = parameter.detach().cpu().contiguous().flatten()
        digest.update(values.view(torch.uint8).numpy())  # as bytes: numpy has no bfloat16
    return digest.hexdigest()


@cache
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
