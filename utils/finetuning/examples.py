"""Fine-tuning examples become prompts with their completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from utils.handbook import COMPANY, Article, Example, ShownExample, articles_by_id
from utils.house_format import format_answer
from utils.prompts import Message, build_messages


@dataclass(frozen=True)
class TrainingExample:
    """A conversation and the completion to learn for it."""

    messages: list[Message]
    completion: str


def house_examples(examples: Sequence[Example], articles: Sequence[Article], k: int) -> list[ShownExample]:
    """The fine-tuning examples as (question, k passages, answer in house format).

    Of an example's articles, in their order, stay the one that answers, or for an abstention the first, and the first
    of the others.  Raises ValueError when k is less than 1 or more than an example has.
    """
    return [_house_example(example, articles, k) for example in examples]


def _house_example(example: Example, articles: Sequence[Article], k: int) -> ShownExample:
    if not 1 <= k <= len(example.articles):
        raise ValueError(f"k is {k}: an example can show 1 to {len(example.articles)} passages")
    first = example.articles[(example.source or 1) - 1]
    others = [identifier for identifier in example.articles if identifier != first][: k - 1]
    ids = [identifier for identifier in example.articles if identifier in (first, *others)]
    source = ids.index(first) + 1 if example.source else None
    return example.question, articles_by_id(articles, ids), format_answer(example.sentence, source)


def few_shot_examples(examples: Sequence[Example], articles: Sequence[Article]) -> list[ShownExample]:
    """The first three for a prompt: two with an answer, and between them one whose passage does not hold it.

    One passage each.  With two, the course's generator gave fewer complete answers on the dev questions.
    """
    answered = [example for example in examples if example.source][:2]
    silent = [example for example in examples if not example.source][:1]
    return house_examples([*answered[:1], *silent, *answered[1:]], articles, k=1)


def house_training_examples(examples: Sequence[Example], articles: Sequence[Article], k: int) -> list[TrainingExample]:
    """The same examples, ready to train on, with k passages in the prompt; with none, closed-book and without a source.

    Raises ValueError like `house_examples`.
    """
    if k:
        shown = house_examples(examples, articles, k)
        return [TrainingExample(build_messages(asked, COMPANY, passages), answer) for asked, passages, answer in shown]
    return [TrainingExample(build_messages(e.question, COMPANY), format_answer(e.sentence, None)) for e in examples]
