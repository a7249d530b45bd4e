"""The decision record: what was decided, on which measurements, and when to look again (used in notebook 10).

    record = draft(Ledger.open(), context="Who asks what, and under which constraints")
    record = fill_in(record, decision="RAG + template", because="…", change="…", revisit="2027-06-01", signed_by="…")
    missing(record)
    save(record, Path("decision.md"))

What a person writes is text: it can never become a heading, a link with a text of its own, a table cell or HTML in the
document.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from utils.errors import CourseError
from utils.ledger import Ledger
from utils.paths import write_atomically
from utils.validation import first_broken_rule

OPTIONS = ("prompt only", "RAG", "RAG + template", "RAG + examples", "LoRA", "hybrid", "long context")
# What the record draws on: the key in the ledger, what it says, and the notebook that measures it.
EVIDENCE: dict[str, tuple[str, str]] = {
    "prompt.correct": ("right answers, prompt only", "09"),
    "rag.correct": ("right answers, RAG", "09"),
    "hybrid.correct": ("right answers, hybrid", "09"),
    "rag_template.complete": ("complete letters, RAG + template", "09"),
    "rag_examples.complete": ("complete letters, RAG + examples", "09"),
    "lora.complete": ("complete letters, LoRA", "09"),
    "hybrid.complete": ("complete letters, hybrid", "09"),
    "rag.citation_precision": ("citations that name a right article, RAG", "02"),
    "rag_over_retrained_lora.changed": ("right answers on changed facts, RAG over LoRA trained again", "04"),
    "update.ratio": ("time of a training, as a multiple of one update of the index", "04"),
    "record.lora_over_rule.complete": ("complete records, LoRA over a rule", "06"),
    "facts.other_wording": ("taught facts that LoRA knows in other wordings", "07"),
    "forget.extracted": ("names that come out of the weights", "07"),
    "latency.rag_over_closed.ratio": ("time of a RAG answer, as a multiple of one without passages", "08"),
    "cost.people_share": ("working hours, as a share of RAG's first-year bill", "08"),
}
TEMPLATE = {
    "title": "Write here what the decision is about.",
    "context": "Write here who asks what, from which documents, and under which constraints.",
    "decision": "Write here which of the options you choose.",
    "because": "Write here which of the measurements decided, and what speaks against your choice.",
    "change": "Write here which event or measurement would make you decide again.",
    "signed_by": "Write here who decides.",
}
SECTIONS = {
    "title": "title",
    "context": "context",
    "decision": "decision",
    "because": "reason of the decision",
    "change": "part on what would change it",
    "signed_by": "signature",
}
_FORMS = dict.fromkeys(("revisit", "on"), "a date such as 2027-06-01") | {"options": "a list of texts"}
_MARKS = re.compile(r"([\\`*_\[\]#|~$])")
_BLOCK_START = re.compile(r"^([-+=:]|\d+(?=[.)]))")
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069]")  # they change the order in which text is shown


class _Fixed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Fixed):
    """One line of evidence: what was measured, the figure and its interval in words, and where they come from.

    figure: empty when it was not measured yet.
    """

    what: str
    key: str
    figure: str = ""
    interval: str = ""
    notebook: str = ""
    questions: str = ""


class Record(_Fixed):
    """A decision and what it rests on.

    decision: one of `options`.  because: which evidence decided.  change: what would change the decision.
    revisit: when to look again.  on: the day of the decision.
    """

    title: str
    context: str
    options: tuple[str, ...]
    evidence: tuple[Finding, ...]
    decision: str
    because: str
    change: str
    revisit: date | None
    signed_by: str
    on: date


def draft(
    ledger: Ledger,
    context: str = TEMPLATE["context"],
    title: str = TEMPLATE["title"],
    options: Iterable[str] = OPTIONS,
    keys: Mapping[str, tuple[str, str]] = EVIDENCE,
    today: date | None = None,
) -> Record:
    """A record with its evidence filled in from the ledger; what is not measured yet says so.

    keys: what to draw on, as in `EVIDENCE`.  today: the day of the decision, if not today.  The rest is left to write.
    Raises CourseError when a field is no text.
    """
    written = {**TEMPLATE, "context": context, "title": title}
    findings = tuple(_finding(ledger, key, *said) for key, said in keys.items())
    listed = options if isinstance(options, str) else tuple(options)  # a text would become its letters
    rest = {"options": listed, "evidence": findings, "revisit": None, "on": today or date.today()}
    return _checked(written | rest)


def _finding(ledger: Ledger, key: str, what: str, notebook: str) -> Finding:
    found = ledger.get(key)
    if found is None:
        return Finding(what=what, key=key, notebook=notebook)
    return Finding(
        what=what,
        key=key,
        figure=found.in_words(),
        interval=found.interval_in_words(),
        notebook=found.notebook or notebook,
        questions=found.questions,
    )


def fill_in(record: Record, **written: Any) -> Record:
    """The record with some of its fields written.  revisit: a date, or text such as "2027-06-01".

    Raises CourseError for a field that a record does not have, and for one that is no text or no date.
    """
    return _checked(dict(record) | written)


def _checked(fields: dict[str, Any]) -> Record:
    try:
        return Record.model_validate(fields)
    except ValidationError as error:
        name = str(first_broken_rule(error).place[0])
        if name not in Record.model_fields:
            known = ", ".join(Record.model_fields)
            raise CourseError(f"A decision record has no field {name!r}: choose one of {known}.") from None
        form = _FORMS.get(name, "text")
        raise CourseError(f"The field {name!r} must be {form}, not {fields[name]!r}: change it.") from None


def missing(record: Record, today: date | None = None) -> list[str]:
    """What the record still lacks, one sentence each; empty when it is complete.  today: the day to compare with."""
    return [*_unwritten(record), *_undecided(record), *_undated(record, today or date.today())]


def _unwritten(record: Record) -> list[str]:
    lines = []
    for field, section in SECTIONS.items():
        text = getattr(record, field)
        if not _says_something(text):
            lines.append(f"The {section} is empty: write it in `{field}`.")
        elif any(sentence in text for sentence in TEMPLATE.values()):
            lines.append(f"The {section} is still the sentence of the template: write your own in `{field}`.")
    return lines


def _undecided(record: Record) -> list[str]:
    lines = []
    options = [_one_line(option) for option in record.options]
    if len({option for option in options if _says_something(option)}) < 2:
        lines.append("There are fewer than two options: name at least one that you decided against.")
    written = _says_something(record.decision) and record.decision not in TEMPLATE.values()
    if written and _one_line(record.decision) not in options:
        lines.append(
            f"The decision is not among the options: choose one of {', '.join(options)}, or add yours to them."
        )
    if not any(re.search(r"\d", finding.figure) for finding in record.evidence):
        books = sorted({finding.notebook for finding in record.evidence if finding.notebook})
        where = f"run notebook {' or '.join(books)}" if books else "name ledger keys in `draft`"
        lines.append(f"The evidence has no number yet: {where}, and draft the record again.")
    return lines


def _undated(record: Record, today: date) -> list[str]:
    if record.revisit is None:
        return ["There is no date on which to look again: write one in `revisit`."]
    if record.revisit <= max(today, record.on):
        return [
            f"The date on which to look again, {record.revisit}, is not in the future: write a later one in `revisit`."
        ]
    return []


def to_markdown(record: Record) -> str:
    """The record as a Markdown document."""
    again = f"Look again on {record.revisit}, and as soon as this happens:" if record.revisit else "Look again when:"
    parts = [
        f"# {_inline(record.title)}",
        "## Context",
        _paragraphs(record.context),
        "## Options considered",
        "\n".join(f"- {_start(option)}" for option in record.options),
        "## Evidence",
        _table(record.evidence),
        "## Decision",
        f"Chosen: {_inline(record.decision)}",
        _paragraphs(record.because),
        "## What would change it",
        again,
        _paragraphs(record.change),
        "## Signed",
        f"{_start(record.signed_by)}, {record.on}",
    ]
    return "\n\n".join(parts) + "\n"


def _table(evidence: Iterable[Finding]) -> str:
    lines = ["| measurement | value | interval | notebook | questions |", "|---|---|---|---|---|"]
    for finding in evidence:
        cells = (f"{finding.what} ({finding.key})", finding.figure or "not measured yet", finding.interval)
        lines.append(f"| {' | '.join(map(_inline, (*cells, finding.notebook, finding.questions)))} |")
    return "\n".join(lines)


def save(record: Record, path: Path | str) -> Path:
    """Write the record, and return where.

    A file that is there already and says something else is kept: it may have been edited.  The record is then written
    beside it, with a number: `decision-2.md`.  Raises CourseError when the path is a folder or cannot be written.
    """
    path, content = Path(os.path.expanduser(path)), to_markdown(record).encode()
    if os.path.isdir(path):
        raise CourseError(f"{path} is a folder: name a file in it, such as decision.md.")
    target, number = path, 1
    while os.path.exists(target) and not _holds(target, content):
        number += 1
        target = path.with_name(f"{path.stem}-{number}{path.suffix}")
    if not os.path.exists(target):
        write_atomically(target, content)
    return target


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:  # a folder, or a file that may not be read: not ours to replace
        return False


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _inline(text: str) -> str:
    """One line of text, with the characters escaped that mean something in Markdown or HTML."""
    visible = _HIDDEN.sub("", _one_line(text))
    printable = "".join(one for one in visible if unicodedata.category(one) not in ("Cc", "Cs"))
    return _MARKS.sub(r"\\\1", escape(printable, quote=False))


def _start(text: str) -> str:
    """One line of text at the start of a line, where a dash or a number would begin a list."""
    line = _inline(text)
    return _BLOCK_START.sub(lambda match: f"{match[1]}\\" if match[1].isdigit() else f"\\{match[1]}", line)


def _paragraphs(text: str) -> str:
    """Text in paragraphs: its blank lines separate them, and its other line ends stay."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(text.strip().splitlines()))
    return "\n\n".join("\n".join(filter(None, map(_start, paragraph.split("\n")))) for paragraph in paragraphs)
