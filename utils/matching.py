"""Does a text hold a value?  One rule for the scorer, for the checkers and for the learner's own exercise."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CURRENCY = "$€£¥"
# One character for all that look or mean the same; full-width letters, digits and signs become ordinary ones.
_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},
        # Characters without a shape of their own, marks of the writing direction among them.
        **dict.fromkeys("\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u00ad", ""),
    }
)
# Writing without spaces between words: there a letter next to a value is no reason to think of another value.
_SPACELESS = r"\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[^\W_{_SPACELESS}]")
# A sign before a number, not the dash of a range such as 10%-12%.
_MINUS = re.compile(rf"(?<!\w)(?<!\d[%°{_CURRENCY}])(?<!\d [%°{_CURRENCY}])-$")
# Groups of three digits, all with the same sign or space between them.  A plain space may also stand between two
# numbers, so behind a letter, a clock time or a zero it joins nothing; "iPhone 15 128 GB" is read as one number.
_THOUSANDS = re.compile(
    r"(?<![\d.,])\d{1,3}([,'\u00a0\u2009\u202f])\d{3}(?:\1\d{3})*(?!\d)"
    r"|(?<![A-Za-z\d.,:])(?!0)\d{1,3}(?: \d{3})+(?!\d)"
)
_EMPHASIS = re.compile(r"(?<!\w)[*_`]+|[*_`]+(?!\w)")


@lru_cache(maxsize=4096)  # an answer is compared with every sentence of its passages
def normalise(text: str) -> str:
    """A text as it is compared: without case, with one form for spaces, quotes, dashes, accents and thousands.

    "**1,000**\u00a0km" becomes "1000 km", and "9 – 17" becomes "9-17".
    """
    text = unicodedata.normalize("NFC", text).translate(_SAME)
    text = _EMPHASIS.sub("", _THOUSANDS.sub(lambda number: re.sub(r"\D", "", number[0]), text))
    return re.sub(r"(?<=\d) ?- ?(?=\d)", "-", " ".join(text.split())).casefold()


def contains_whole(text: str, value: str) -> bool:
    """True when `text` holds `value` as a whole, both compared as `normalise` writes them.

    "15 days" is not in "115 days" nor in "-15 days", and "$45" is not in "$45.50".
    """
    text, value = normalise(text), normalise(value)
    starts = (found.start() for found in re.finditer(f"(?={re.escape(value)})", text))
    return bool(value) and any(_is_whole(text, start, start + len(value)) for start in starts)


def _is_whole(text: str, start: int, end: int) -> bool:
    before, after, value = text[:start], text[end:], text[start:end]
    if _WORD.match(value) and _WORD.search(before[-1:]):
        return False
    if _WORD.match(value[-1]) and _WORD.match(after):
        return False
    if value[0].isdigit() and re.search(r"\d[.,:]$|(?<!\S)\.$", before):
        return False
    if (value[0].isdigit() or value[0] in _CURRENCY) and _MINUS.search(before):
        return False
    if value[0] == "-" and before[-1:].isdigit():  # the dash of a range such as 0-5
        return False
    return not (value[-1].isdigit() and re.match(r"[.,:]\d", after))
