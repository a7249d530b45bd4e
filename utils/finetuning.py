"""LoRA fine-tuning with PEFT in a plain PyTorch loop (built in notebook 06)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from tqdm.auto import tqdm
from transformers.pytorch_utils import Conv1D

from utils.handbook import COMPANY, Article, Example, ShownExample, articles_by_id
from utils.house_format import in_house_format
from utils.models import Generator
from utils.prompts import Message, build_messages

IGNORED = -100
# What the blocks between the attention layers are called in LFM2, and in nearly every other architecture.
FEED_FORWARD = ("feed_forward", "mlp")


@dataclass(frozen=True)
class LoraPlan:
    """Settings of one LoRA run.

    The learning rate is ten to a hundred times a large model's habit: a tiny model needs it, and LoRA wants about
    ten times the rate of full fine-tuning (Biderman et al. 2024, arXiv 2405.09673).
    """

    rank: int = 16
    alpha: int = 32
    rate: float = 5e-3
    epochs: int = 3
    batch_size: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
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
    return example.question, articles_by_id(articles, ids), in_house_format(example.sentence, source)


def few_shot_examples(examples: Sequence[Example], articles: Sequence[Article]) -> list[ShownExample]:
    """The first three for a prompt: two with an answer, and between them one whose passage does not hold it.

    One passage each.  With two, the course's generator gave fewer complete answers on the dev questions.
    """
    answered = [example for example in examples if example.source][:2]
    silent = [example for example in examples if not example.source][:1]
    return house_examples([*answered[:1], *silent, *answered[1:]], articles, k=1)


def house_lessons(examples: Sequence[Example], articles: Sequence[Article], k: int) -> list[Lesson]:
    """The same examples as lessons with k passages in the prompt; with none they are closed-book, without a source.

    Raises ValueError like `house_examples`.
    """
    if k:
        shown = house_examples(examples, articles, k)
        return [Lesson(build_messages(question, COMPANY, passages), answer) for question, passages, answer in shown]
    return [Lesson(build_messages(e.question, COMPANY), in_house_format(e.sentence, None)) for e in examples]


def train_lora(
    base: Generator, lessons: Sequence[Lesson], plan: LoraPlan = LoraPlan()
) -> tuple[Generator, list[float]]:
    """A copy of the generator with a trained adapter, and the loss at each step.  The base stays as it was.

    Raises ValueError without lessons.
    """
    if not lessons:
        raise ValueError("there is nothing to learn: give at least one lesson")
    torch.manual_seed(plan.seed)  # before get_peft_model, which draws the adapter's first values
    targets = feed_forward_layers(base.model)
    config = LoraConfig(r=plan.rank, lora_alpha=plan.alpha, target_modules=targets, task_type="CAUSAL_LM")
    model = get_peft_model(copy.deepcopy(base.model), config)
    tuned = Generator(base.name, model, base.tokenizer)
    rows = [encode_lesson(base, lesson) for lesson in lessons]
    losses = _train(model, rows, base.tokenizer.pad_token_id, plan)
    model.eval()
    return tuned, losses


def feed_forward_layers(model: torch.nn.Module) -> list[str] | str:
    """Names of the linear layers in feed-forward blocks, for PEFT's `target_modules`; without any, "all-linear".

    An adapter for a format should leave alone how the model finds its place in the passages, which is attention's work.
    The model's card compares this choice with every linear layer.
    """
    names = [
        name
        for name, module in model.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D)) and any(part in FEED_FORWARD for part in name.split("."))
    ]
    return names or "all-linear"


def encode_lesson(generator: Generator, lesson: Lesson) -> tuple[list[int], int]:
    """Token ids of prompt and completion, and how many of them, at the end, are the completion."""
    tokenizer = generator.tokenizer
    told = [*lesson.messages, {"role": "assistant", "content": lesson.completion}]
    whole = tokenizer.apply_chat_template(told, tokenize=False)
    prompt = generator.prompt(lesson.messages)
    if not whole.startswith(prompt):
        raise ValueError("this model's chat template does not put the completion after its generation prompt")
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (prompt, whole[len(prompt) :])]
    return ids[0] + ids[1], len(ids[1])


def _train(model: torch.nn.Module, rows: Sequence[tuple[list[int], int]], pad: int, plan: LoraPlan) -> list[float]:
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=plan.rate, weight_decay=0.0)
    per_epoch = -(-len(rows) // plan.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.rate, total_steps=plan.epochs * per_epoch, pct_start=0.1, anneal_strategy="linear"
    )
    shuffle = torch.Generator().manual_seed(plan.seed)
    losses = []
    model.train()
    for _ in tqdm(range(plan.epochs), desc="epochs", leave=False):
        order = torch.randperm(len(rows), generator=shuffle).tolist()
        for start in range(0, len(order), plan.batch_size):
            batch = pad_left([rows[index] for index in order[start : start + plan.batch_size]], pad)
            loss = completion_loss(model, batch)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            losses.append(loss.item())
    return losses


def completion_loss(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy per completion token; only the last positions, where completions stand, need logits."""
    longest = int((batch["labels"] != IGNORED).sum(dim=1).max())
    output = model(batch["input_ids"], batch["attention_mask"], logits_to_keep=longest + 1, use_cache=False)
    return F.cross_entropy(output.logits[:, :-1].flatten(0, 1), batch["labels"][:, -longest:].flatten())


def pad_left(rows: Sequence[tuple[list[int], int]], pad: int) -> dict[str, torch.Tensor]:
    """Rows as input_ids, attention_mask and labels, each (rows, length); only completions count in the labels."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), length), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for index, (row, completion) in enumerate(rows):
        ids[index, -len(row) :] = torch.tensor(row)
        mask[index, -len(row) :] = 1
        labels[index, -completion:] = torch.tensor(row[-completion:])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
