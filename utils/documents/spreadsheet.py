"""Spreadsheets (.xlsx): the cells of the first sheet as the text that a person sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import zip_longest
from typing import Any

import openpyxl

from utils.documents.zip_parts import xml_parts

MAX_ROWS = 100_000
MAX_COLUMNS = 64

_COLOUR_OR_LOCALE = re.compile(r"\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]")  # [$€-407] shows €, [Red] and [>=100] show nothing
_LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')  # a quoted text, an escaped sign; space and fill show nothing here
_NUMBER = re.compile(r"[#0?][#0?,]*(?:\.[#0?]*)?(?:[eE][+-]0+)?")
_FIRST_MARK = "\ue000"  # the characters from here on are for private use, so no format has them
_MARK = re.compile("[\ue000-\uf8ff]")
# The programs choose these dates and times by the reader's own settings: a file says only which.
_BY_LOCALE = re.compile(r"mm-dd-yy|m/d/yy h:mm|\[\$-(?:[^\]]*F[48]00|x-sys\w*)\].*", re.IGNORECASE)
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_FRACTION = re.compile(r"[#0?] */ *[#0-9?]")
_CONDITION = re.compile(r"\[[<>=]")
_SCALED = re.compile(r"[#0?](?:\.[#0?]*)?,+(?![#0?,])")  # a comma behind the digits divides by a thousand
_DATE_PART = re.compile(r"yyyy|yy|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|AM/PM", re.IGNORECASE)


class CellError(ValueError):
    """A cell that shows no text.  row: its number."""

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(reason)
        self.row = row


def read_sheet(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows of the first sheet with their numbers, as text: dates and numbers in the format of their cell.

    A formula is read as its last result.  Raises CellError for an error such as #REF!, for a formula without a result
    and for a format that cannot be shown exactly, ValueError for an archive that unpacks to too much, else what
    openpyxl raises.
    """
    shown, written = (_first_sheet(data, data_only=data_only) for data_only in (True, False))
    for row, (values, formulas) in enumerate(zip_longest(_rows(shown), _rows(written)), start=1):
        if row > MAX_ROWS:
            raise CellError(row, f"the sheet has more than {MAX_ROWS:,} rows, so split it")
        yield row, [_text(value, formula, row) for value, formula in zip(values, formulas, strict=True)]


def _first_sheet(data: bytes, data_only: bool) -> Any:  # openpyxl has a class of its own for sheets that are streamed
    return openpyxl.load_workbook(xml_parts(data), read_only=True, data_only=data_only, keep_links=False).worksheets[0]


def _rows(sheet: Any) -> Iterator[tuple]:
    sheet.reset_dimensions()  # what the file says about its size may be wrong
    return sheet.iter_rows(max_col=MAX_COLUMNS)


def _text(cell: Any, formula: Any, row: int) -> str:
    value = cell.value
    if value is None and formula.value is not None:
        raise CellError(row, "a formula has no result, so open the file in a spreadsheet program and save it")
    if cell.data_type == "e":
        raise CellError(row, f"a cell shows the error {value}, so fix its formula")
    return "" if value is None else shown_as(value, cell.number_format, row).strip()


def shown_as(value: object, style: str, row: int = 0) -> str:
    """A cell's value as a spreadsheet program shows it.

    style: the cell's number format, such as "0.00%".  row: for the complaint.
    Raises CellError for a date in the reader's own format, a fraction, elapsed time, and a number in groups of digits,
    in thousands, or under a condition.
    """
    if isinstance(value, bool):
        return str(value).upper()
    if _is_inexact(value, style or ""):
        raise CellError(row, "the cell's format cannot be shown exactly, so format it as text")
    if isinstance(value, datetime | date | time):
        return _shown_date(value, style)
    if isinstance(value, int | float):
        return _shown_number(Decimal(repr(value)), style)
    return str(value)


def _is_inexact(value: object, style: str) -> bool:
    if isinstance(value, datetime | date | time):
        return bool(_BY_LOCALE.fullmatch(style.split(";")[0]) or _ELAPSED.search(style))
    if isinstance(value, int | float):
        shown = _LITERAL.sub("", _without_marks(style))
        groups = any(len(_NUMBER.findall(section)) > 1 for section in shown.split(";"))
        return groups or any(mark.search(shown) for mark in (_FRACTION, _SCALED)) or _depends(style)
    return isinstance(value, timedelta)


def _depends(style: str) -> bool:
    """Whether a format has conditions, or shows elapsed time."""
    return bool(_CONDITION.search(style) or _ELAPSED.search(style))


def _shown_number(value: Decimal, style: str) -> str:
    sections = _without_marks(style).split(";")
    place = 1 if value < 0 else 2 if value == 0 else 0
    chosen = sections[place] if place < len(sections) and sections[place] else sections[0]
    literals: list[str] = []
    plain = _LITERAL.sub(lambda found: _kept(found, literals), chosen)
    pattern = _NUMBER.search(plain)
    if not pattern and literals and "general" not in plain.lower():  # such as "free" where a price is 0
        return _with_literals(plain, literals)
    if not pattern or "general" in plain.lower():
        return _general(value)
    digits = _digits(abs(value) * (100 if "%" in plain else 1), pattern[0])
    sign = "-" if value < 0 and chosen is sections[0] else ""
    text = sign + plain[: pattern.start()] + digits + plain[pattern.end() :]
    return _with_literals(text, literals)


def _with_literals(text: str, literals: Sequence[str]) -> str:
    return _MARK.sub(lambda found: literals[ord(found[0]) - ord(_FIRST_MARK)], text)


def _without_marks(style: str) -> str:
    return _COLOUR_OR_LOCALE.sub(lambda found: f'"{found[1]}"' if found[1] else "", style or "General")


def _kept(found: re.Match[str], literals: list[str]) -> str:
    """A mark in place of a literal text, so that its digits are not taken for the number's pattern."""
    literals.append(found[1] or found[2] or "")
    return chr(ord(_FIRST_MARK) + len(literals) - 1)


def _general(value: Decimal) -> str:
    return f"{float(f'{value:.10g}'):.10g}" if value % 1 else f"{value:.0f}"


def _digits(value: Decimal, pattern: str) -> str:
    if value == 0 and not re.search("[0eE]", pattern):  # such as "-"?? in the formats of accounts
        return ""
    whole, _, decimals = pattern.partition(".")
    if re.search("[eE]", pattern):
        return f"{float(value):.{len(re.match('[#0?]*', decimals)[0])}E}"
    required, allowed = decimals.count("0"), len(decimals)
    rounded = value.quantize(Decimal(1).scaleb(-allowed), rounding=ROUND_HALF_UP)
    text = f"{rounded:{',' if ',' in whole else ''}.{allowed}f}"
    for _ in range(allowed - required):
        text = text.removesuffix("0")
    before, _, after = text.partition(".")
    before = before.zfill(whole.count("0")) if "," not in whole else before
    return f"{before}.{after}" if after else before


def _shown_date(value: datetime | date | time, style: str) -> str:
    style = _without_marks(style).split(";")[0]
    if not _DATE_PART.search(_LITERAL.sub("", style)):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    moment = datetime.combine(date(1900, 1, 1), value) if isinstance(value, time) else value
    half_day = "am/pm" in style.lower()
    found = re.findall(rf'"([^"]*)"|\\(.)|({_DATE_PART.pattern})|(.)', style, re.IGNORECASE)
    parts = [part.lower() for _, _, part, _ in found if part]
    around = iter(zip(["", *parts], [*parts[1:], ""], strict=False))
    return "".join(
        _date_part(moment, part.lower(), *next(around), half_day) if part else literal or sign or other
        for literal, sign, part, other in found
    )


def _date_part(moment: datetime | date, part: str, before: str, after: str, half_day: bool) -> str:
    """One part of a date.  before, after: the parts around it, because m beside hours or seconds means minutes."""
    if part in ("m", "mm") and (before.startswith("h") or after.startswith("s")):
        part = part.replace("m", "M")
    hour = getattr(moment, "hour", 0)
    shown = {
        "yyyy": f"{moment.year}", "yy": f"{moment.year % 100:02}",
        "mmmmm": _MONTHS[moment.month - 1][0], "mmmm": _MONTHS[moment.month - 1], "mmm": _MONTHS[moment.month - 1][:3],
        "mm": f"{moment.month:02}", "m": f"{moment.month}",
        "dddd": _DAYS[moment.weekday()], "ddd": _DAYS[moment.weekday()][:3],
        "dd": f"{moment.day:02}", "d": f"{moment.day}",
        "hh": f"{(hour + 11) % 12 + 1 if half_day else hour:02}", "h": f"{(hour + 11) % 12 + 1 if half_day else hour}",
        "MM": f"{getattr(moment, 'minute', 0):02}", "M": f"{getattr(moment, 'minute', 0)}",
        "ss": f"{getattr(moment, 'second', 0):02}", "s": f"{getattr(moment, 'second', 0)}",
        "am/pm": "AM" if hour < 12 else "PM",
    }  # fmt: skip
    return shown[part]


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
