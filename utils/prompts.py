"""Prompts: how a question, its passages and the wished-for format become chat messages.

The same functions make the generator's pre-training conversations and the learner's prompts (built in notebook 02).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Message = dict[str, str]

ABSTENTION = "The handbook does not say."
FROM_PASSAGES = "Answer from the numbered passages and cite them."
FROM_MEMORY = "Answer in one sentence."


class Titled(Protocol):
    """Anything with a title and a text: an article, a passage, a draft."""

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


def system_prompt(company: str, has_passages: bool, instruction: str = "") -> str:
    """The help desk's standing orders, with an instruction about the format where there is one."""
    orders = FROM_PASSAGES if has_passages else FROM_MEMORY
    return " ".join(filter(None, [f"You are the help desk of {company}.", orders, instruction]))


def number_passages(passages: Sequence[Titled]) -> str:
    """Passages as the generator reads them: `[1] Title. Text`, one a line, counted from 1."""
    return "\n".join(f"[{number}] {passage.title}. {passage.text}" for number, passage in enumerate(passages, start=1))


def user_turn(question: str, passages: Sequence[Titled] = ()) -> str:
    """What the customer's message holds: the question alone, or the question, the passages, and the question again.

    A causal model reads from left to right, so a question that stands first tells it what to look for.  Liu et al. 2023
    (arXiv 2307.03172) saw this help much in looking up keys, and little in answering questions; not ablated here.
    """
    ask = f"Question: {question}"
    return f"{ask}\n{number_passages(passages)}\n{ask}" if passages else ask


def build_messages(
    question: str,
    company: str,
    passages: Sequence[Titled] = (),
    instruction: str = "",
    examples: Sequence[tuple[str, Sequence[Titled], str]] = (),
) -> list[Message]:
    """Chat messages for one question.

    examples: (question, passages, answer) shown as earlier turns, for few-shot prompts.
    """
    messages = [{"role": "system", "content": system_prompt(company, bool(passages), instruction)}]
    for example_question, example_passages, answer in examples:
        messages.append({"role": "user", "content": user_turn(example_question, example_passages)})
        messages.append({"role": "assistant", "content": answer})
    messages.append({"role": "user", "content": user_turn(question, passages)})
    return messages
