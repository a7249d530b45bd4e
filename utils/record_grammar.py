"""Constrained decoding: only tokens that can still become a record may follow (notebook 06).

It guarantees the form, and says nothing about the value.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex
from transformers import PreTrainedTokenizerBase

from utils.record import KEYS, KINDS

# JSON allows neither a quotation mark nor a backslash nor a control character as they are.
_TEXT = r'"[^"\\\x00-\x1f]+"'
_FIELDS = {"quote": _TEXT, "value": _TEXT, "kind": f'"(?:{"|".join(KINDS)})"', "cite": r"[1-9]\d?"}
# What a quote or a value says makes no difference to what may follow, so one character does for all of it.
_SAID = regex.compile(r'(?<="(?:quote|value)": (?:\[(?:"[^"]*", )*)?")[^"]+')


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


def _pieces(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """The text that each token adds; empty for special tokens, and for parts of a character."""
    anchor = tokenizer("a", add_special_tokens=False)["input_ids"]
    start = len(tokenizer.decode(anchor))
    special = set(tokenizer.all_special_ids)
    texts = tokenizer.batch_decode([[*anchor, token] for token in range(len(tokenizer))])
    return ["" if token in special or "\ufffd" in text else text[start:] for token, text in enumerate(texts)]
