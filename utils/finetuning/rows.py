"""Training examples become rows of token ids, rows a batch, and a batch the loss of its completions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from utils.chat import without_markers
from utils.errors import CourseError
from utils.finetuning.examples import TrainingExample
from utils.models import Generator

IGNORED = -100

# Token ids of prompt and completion, and how many of them, at the end, are the completion.
Row = tuple[list[int], int]


def encode_example(generator: Generator, example: TrainingExample, name: str = "A training example") -> Row:
    """Token ids of prompt and completion, and how many of them, at the end, are the completion.

    name: what to call the example in a message.
    Raises CourseError when they are more than the model reads, or when its chat template leaves the completion out.
    """
    tokenizer = generator.tokenizer
    prompt = generator.prompt(example.messages)
    texts = (prompt, _after_prompt(generator, example, prompt))
    # verbose: the library would warn of what is too long; the next lines say so.
    ids = [tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] for text in texts]
    if len(ids[1]) > generator.context:
        raise CourseError(
            f"{name} has a completion of {len(ids[1]):,} tokens, and the model reads {generator.context:,}, its prompt "
            "included: shorten the completion."
        )
    if len(ids[0]) + len(ids[1]) > generator.context:
        raise CourseError(
            f"{name} has {len(ids[0]) + len(ids[1]):,} tokens, and the model reads {generator.context:,}: show fewer "
            "passages in it."
        )
    return ids[0] + ids[1], len(ids[1])


def _after_prompt(generator: Generator, example: TrainingExample, prompt: str) -> str:
    """The completion and what the chat template writes behind it.

    The template may write an answer that was given differently from one to come, without a thought for example.  Then
    the completion still goes where the model will write it, behind the prompt.
    """
    told = [*example.messages, {"role": "assistant", "content": example.completion}]
    whole = generator.conversation(told)
    if whole.startswith(prompt):
        return whole[len(prompt) :]
    said = without_markers(example.completion, generator.tokenizer).strip()
    # Found with a completion that stands nowhere else, such as in the name of a marker.
    landmark = "landmark 7401"
    ended = generator.conversation([*example.messages, {"role": "assistant", "content": landmark}])
    if landmark not in ended:
        raise CourseError(
            "The chat template of this model leaves answers out, so it cannot be fine-tuned: choose another."
        )
    return said + ended.rpartition(landmark)[2]


def completion_loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy per completion token; only the last positions, where the completions are, need logits."""
    longest = int((batch["labels"] != IGNORED).sum(dim=1).max())
    output = model(batch["input_ids"], batch["attention_mask"], logits_to_keep=longest + 1, use_cache=False)
    return F.cross_entropy(output.logits[:, :-1].flatten(0, 1), batch["labels"][:, -longest:].flatten())


def pad_left(rows: Sequence[Row], pad: int, device: torch.device | str = "cpu") -> dict[str, torch.Tensor]:
    """Rows as input_ids, attention_mask and labels, each (rows, length); only completions count in the labels."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for index, (row, completion) in enumerate(rows):
        ids[index, -len(row) :] = torch.tensor(row)
        mask[index, -len(row) :] = 1
        labels[index, -completion:] = torch.tensor(row[-completion:])
    return {name: t.to(device) for name, t in (("input_ids", ids), ("attention_mask", mask), ("labels", labels))}
