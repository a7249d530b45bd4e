"""The record without a model of its own: a plain answer's sentence, and a regular expression for each kind of value.

The cheapest rival of a model that writes records (notebooks 06 and 09).
"""

from __future__ import annotations

import re

from utils.citations import cited_numbers, without_citation_marks
from utils.prompts import is_abstention
from utils.record import Finding, format_record

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_COLOURS = "red|blue|green|yellow|orange|purple|brown|grey|black|white|pink|teal|navy|maroon|olive|beige"
# From the most telling form to the least: a phone number holds digits, but not every digit is a phone number.
PATTERNS = {
    "contact": r"\bext\. \d+|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    "amount": r"\$\d[\d,]*(?:\.\d+)?",
    "percentage": r"\b\d+(?:\.\d+)?%",
    "time": r"\b\d{1,2}:\d\d(?: [ap]m)?",
    "date": rf"\b\d{{1,2}} (?:{_MONTHS})\b",
    "duration": r"\b\d+ (?:days?|weeks?|months?|years?|hours?|minutes?)\b",
    "measure": r"-?\b\d+(?:\.\d+)? (?:kg|cm|km|m|g|degrees)\b",
    "weekday": r"\b(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b",
    "place": r"\b\d+ [A-Z][\w']+(?: [A-Z][\w']+)+",
    "code": r"\b[A-Z0-9]+-[A-Z0-9]+\b|\b[A-Z]+\d[A-Z0-9]*\b",
    "colour": rf"\b(?:(?:dark|light|pale|bright) )?(?:{_COLOURS})\b",
    "number": r"\b\d[\d,]*\b",
    # Not the sentence's first word, unless a lower-case word follows the name: "Ask Callum Strand".
    "person": r"(?<!^)\b[A-Z][a-z'-]+ [A-Z][\w'-]+\b|^[A-Z][a-z'-]+ [A-Z][\w'-]+(?= [a-z])",
}
_CITED = re.compile(r"(.+?)\s*((?:\[\d{1,3}\]\s*)+)\.?(?=\s|$)", re.DOTALL)


def record_by_rule(text: str, question: str = "") -> str:
    """A plain answer such as "It costs $12. [2]" as a record.

    Each sentence with a citation becomes a finding.  What also stands in the question is not the value.  Where no
    pattern fits, the whole sentence becomes the value, and its kind a choice.
    """
    if is_abstention(text):
        return format_record([])
    pieces = [(found[1], cited_numbers(found[2])) for found in _CITED.finditer(text)] or [(text, [])]
    findings = []
    for sentence, numbers in pieces:
        quote = " ".join(without_citation_marks(sentence).split())
        value, kind = value_in(quote, question)
        findings.append(Finding(quote, value, kind, numbers[0] if numbers else 1))
    return format_record(findings)


def value_in(sentence: str, question: str = "") -> tuple[str, str]:
    """The first value of the most telling kind that a sentence holds and the question does not, and its kind.

    Without any, the whole sentence, as a choice.
    """
    for kind, pattern in PATTERNS.items():
        for found in re.finditer(pattern, sentence):
            if not _asked_for(found[0], kind, question):
                return found[0], kind
    return sentence.removesuffix("."), "choice"


def _asked_for(value: str, kind: str, question: str) -> bool:
    """Whether the question names it already; of a person's name one word is enough ("Our Hexcombe" is nobody)."""
    words = value.split() if kind == "person" else [value]
    return any(word.lower() in question.lower() for word in words)
