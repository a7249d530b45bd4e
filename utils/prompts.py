"""Prompts: how a question, its passages and the wished-for format become chat messages.

The same functions make the generator's pre-training conversations and the learner's prompts (built in notebook 02).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from utils.citations import without_citations
from utils.matching import normalise

Message = dict[str, str]

ABSTENTION = "The handbook does not say."
# What counts as saying so, from any model or person.  Another model is told the sentence above; these are habits.
ABSTENTIONS = (
    "the handbook does not say", "the handbook doesn't say", "i don't know", "i do not know",
    "the passages do not say", "the passages don't say", "the passages do not mention", "the passages don't mention",
    "the passages do not contain", "the passages do not provide", "not mentioned in the passages",
    "provided passages do not", "passages provided do not", "not mentioned in the handbook",
    "not stated in the handbook",
    "the context does not say", "the context does not mention", "not mentioned in the context",
    "not in the handbook", "there is no information", "no information about", "i cannot answer", "i can't answer",
)  # fmt: skip
FROM_PASSAGES = "Answer from the numbered passages and cite them."
FROM_MEMORY = "Answer in one sentence."
# The same orders for a model that was not trained on them, chosen with SmolLM2 on dev questions.
SPELLED_OUT = {
    FROM_PASSAGES: (
        "Answer the question from the numbered passages alone. Copy the one sentence that answers it, word for word, "
        "and write the number of its passage behind it in square brackets, such as [1]. "
        f"If no passage answers the question, write only: {ABSTENTION}"
    ),
    FROM_MEMORY: f"Answer in one short sentence. If you do not know the answer, write only: {ABSTENTION}",
}
# Said again after the question, where nothing else is asked for: a small model has lost the system's orders by then.
REMINDER = (
    "Copy the one sentence that answers the question, word for word, and write the number of its passage behind it, "
    "such as [1]."
)
# What a model that thinks before it answers writes around its thought.
THINK, END_OF_THOUGHT = "<think>", "</think>"


class Titled(Protocol):
    """Anything with a title and a text: an article, a passage, a draft."""

    @property
    def title(self) -> str:
        """What the text is headed by."""
        ...

    @property
    def text(self) -> str:
        """The text itself, without its title."""
        ...


def is_abstention(text: str) -> bool:
    """Whether a text says that it has no answer: it holds one of ABSTENTIONS, in capitals or not."""
    said = normalise(text)
    return any(phrase in said for phrase in ABSTENTIONS)


def system_prompt(company: str, has_passages: bool, instruction: str = "") -> str:
    """What the help desk is told, with an instruction about the format where there is one."""
    orders = FROM_PASSAGES if has_passages else FROM_MEMORY
    return " ".join(filter(None, [f"You are the help desk of {company}.", orders, instruction]))


def spell_out(messages: Sequence[Message]) -> list[Message]:
    """The conversation with SPELLED_OUT orders, for a model that was not trained on the short ones.

    The REMINDER follows a question with passages, but not where an instruction or examples ask for another form.
    """
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    system, *turns = messages
    orders = system["content"]
    for short, long in SPELLED_OUT.items():
        orders = orders.replace(short, long, 1)
    # One question, perhaps with its answer to learn; examples would be turns before it.
    if system["content"].endswith(FROM_PASSAGES) and len(turns) in (1, 2):
        turns[0] = {**turns[0], "content": f"{turns[0]['content']}\n{REMINDER}"}
    return [{**system, "content": orders}, *turns]


def fold_system(messages: Sequence[Message]) -> list[Message]:
    """The conversation without a system turn, for a model that has none: its text opens the first user turn."""
    if not messages or messages[0]["role"] != "system":
        return list(messages)
    first, *rest = messages
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": first["content"]}, *rest]
    return [{**rest[0], "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]


def without_thoughts(text: str) -> str:
    """The answer after what the model thought; empty where it was still thinking when its tokens ran out.

    Some templates write the opening <think> themselves, so that the answer begins within it.
    """
    before, ended, after = text.partition(END_OF_THOUGHT)
    if before.lstrip().startswith(THINK) or (ended and THINK not in before):
        return after
    return text


def number_passages(passages: Sequence[Titled]) -> str:
    """Passages as the generator reads them: `[1] Title. Text`, one a line, counted from 1.

    What reads as a citation inside a passage loses its brackets, so that only these numbers can be cited.
    """
    texts = (without_citations(f"{passage.title}. {passage.text}") for passage in passages)
    return "\n".join(f"[{number}] {text}" for number, text in enumerate(texts, start=1))


def user_turn(question: str, passages: Sequence[Titled] = ()) -> str:
    """What the customer's message holds: the question alone, or the question, the passages, and the question again.

    A causal model reads from left to right, so a question that comes first tells it what to look for.  Liu et al. 2023
    (arXiv 2307.03172) saw this help much in looking up keys, and little in answering questions; not ablated here.
    """
    ask = f"Question: {without_citations(question)}"
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
