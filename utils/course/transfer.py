"""Progress and measurements as text, for hosts that keep no files: copy the text, paste it on the next computer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from utils.errors import CourseError
from utils.ledger import Ledger, Measurement
from utils.quiz.progress import Progress, QuizAnswer
from utils.validation import first_broken_rule

VERSION = 1
LONGEST_REASON = 200
COPY_AGAIN = "copy the whole text, from its first brace to its last, and try again"


class Transfer(BaseModel):
    """What the text contains: every answer by the key of its question, and every measurement, oldest first."""

    model_config = ConfigDict(allow_inf_nan=False)

    course: Literal["finetune-or-rag"]
    version: int = VERSION
    answers: dict[str, QuizAnswer] = {}
    measurements: list[Measurement] = []


def export_text(progress: Progress, ledger: Ledger) -> str:
    """All answers and measurements as one JSON text."""
    transfer = Transfer(course="finetune-or-rag", answers=progress.answers(), measurements=ledger.measurements())
    return transfer.model_dump_json(indent=1)


def import_text(text: str, progress: Progress, ledger: Ledger) -> str:
    """Add what `export_text` returned elsewhere, and say in words what was new; nothing here is lost.

    Raises CourseError, and changes nothing, when the text is incomplete or something else.
    """
    transfer = _parse(text)
    answers = progress.merge(transfer.answers)
    measurements = ledger.merge(transfer.measurements)
    return " ".join(
        [f"Added {answers} answers and {measurements} measurements that were new here.", *progress.take_notices()]
    )


def read_export(path: Path) -> str:
    """The text of a file with an export.  Raises OSError, and UnicodeDecodeError where it is no text."""
    raw = path.read_bytes()
    # Windows PowerShell writes the output of a command as UTF-16.
    return raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")


def json_in(text: str) -> str:
    """A text from its first brace to its last; empty where it has no such part."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if start >= 0 else ""


def _parse(text: str) -> Transfer:
    exported = json_in(text)
    if not exported:
        raise CourseError(f"This text contains no progress of the course: {COPY_AGAIN}.")
    try:
        transfer = Transfer.model_validate_json(exported)
    except ValidationError as error:
        reason = first_broken_rule(error).within(3)[:LONGEST_REASON]
        raise CourseError(f"This progress cannot be read ({reason}): {COPY_AGAIN}.") from None
    if transfer.version > VERSION:
        raise CourseError("This progress comes from a later version of the course: update the course here first.")
    return transfer
