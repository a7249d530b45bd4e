"""Constrained decoding: only tokens that can still become a record may follow (notebooks 06 and 09).

It guarantees the form.  Of the value it says nothing, or only that it has to be in the quote.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import regex
from transformers import PreTrainedTokenizerBase

from utils.record import KEYS, KINDS

# JSON allows neither a quotation mark nor a backslash nor a control character as they are.
_TEXT = r'"[^"\\\x00-\x1f]+"'
_FIELDS = {"quote": _TEXT, "value": _TEXT, "kind": f'"(?:{"|".join(KINDS)})"', "cite": r"[1-9]\d?"}
# What a quote or a value says makes no difference to what may follow, so one character does for all of it.
_SAID = regex.compile(r'(?<="(?:quote|value)": (?:\[(?:"[^"]*", )*)?")[^"]+')
# An answer whose value has begun and not ended: its quotes, the values before this one, and this one so far.
_IN_VALUE = regex.compile(
    r'.*"quote": (?:"(?P<quote>[^"]*)"|\[(?:"(?P<quote>[^"]*)"(?:, )?)+\]), '
    r'"value": (?:|\[(?:"(?P<before>[^"]*)", )*)"(?P<begun>[^"]*)'
)
_MARKS = ".,;:!?()"


class RecordGrammar:
    """Which tokens may follow those of an answer, so that it becomes a record.

    order: the keys, as for `format_record`.  most: findings in one record.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, order: Sequence[str] = KEYS, most: int = 2) -> None:
        single = ", ".join(f'"{key}": {_FIELDS[key]}' for key in order)
        nothing = ", ".join(f'"{key}": null' for key in order)
        several = [
            ", ".join(rf'"{key}": \[{", ".join([_FIELDS[key]] * count)}\]' for key in order)
            for count in range(2, most + 1)
        ]
        self._pattern = regex.compile(rf" ?\{{(?:{'|'.join([nothing, single, *several])})\}}")
        self._tokenizer = tokenizer
        self._pieces = _pieces(tokenizer)
        self._allowed: dict[str, list[int]] = {}

    def __call__(self, answer: Sequence[int]) -> list[int]:
        """The ids that may follow an answer's ids; the ending token once the record is complete."""
        said = "".join(self._pieces[token] for token in answer)
        state = _SAID.sub("x", said)
        if state not in self._allowed:
            self._allowed[state] = self._following(state)
        return self._allowed[state]

    def _following(self, state: str) -> list[int]:
        end = self._tokenizer.eos_token_id
        if self._pattern.fullmatch(state):
            return [end]
        return [
            token
            for token, piece in enumerate(self._pieces)
            if piece and self._pattern.fullmatch(state + piece, partial=True)
        ] or [end]


class QuotedValueGrammar(RecordGrammar):
    """The same, and a value has to be words of its quote, one or more that follow each other."""

    def __call__(self, answer: Sequence[int]) -> list[int]:
        """The ids that may follow an answer's ids."""
        allowed = super().__call__(answer)
        inside = _IN_VALUE.fullmatch("".join(self._pieces[token] for token in answer))
        if inside is None:
            return allowed
        quotes, begun = inside.captures("quote"), inside["begun"]
        quote = quotes[min(len(inside.captures("before")), len(quotes) - 1)]
        rests = {f'{words[len(begun) :]}"' for words in _spans(quote) if words.startswith(begun)}
        beginnings = {rest[:end] for rest in rests for end in range(1, len(rest) + 1)}
        ends = tuple(rest for rest in rests if len(rest) <= self._longest)
        pieces = ((token, self._pieces[token]) for token in allowed)
        fitting = [token for token, piece in pieces if piece in beginnings or (ends and piece.startswith(ends))]
        return fitting or [self._tokenizer.eos_token_id]

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._pieces))


def _spans(quote: str) -> set[str]:
    """All runs of words in a sentence, without the marks around them; the sentence itself where it has no word."""
    words = [(found.start(), found.end()) for found in regex.finditer(r"\S+", quote)]
    runs = {quote[start:end].strip(_MARKS) for n, (start, _) in enumerate(words) for _, end in words[n:]}
    return runs - {""} or {quote}


def _pieces(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """The text that each token adds; empty for special tokens, and for parts of a character."""
    anchor = tokenizer("a", add_special_tokens=False)["input_ids"]
    start = len(tokenizer.decode(anchor))
    special = set(tokenizer.all_special_ids)
    texts = tokenizer.batch_decode([[*anchor, token] for token in range(len(tokenizer))])
    return ["" if token in special or "\ufffd" in text else text[start:] for token, text in enumerate(texts)]
