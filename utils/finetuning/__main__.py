"""Trains an adapter on examples of one's own: `python -m utils.finetuning EXAMPLES.jsonl --out FOLDER`.

With two processes: `torchrun --nproc-per-node 2 -m utils.finetuning EXAMPLES.jsonl --out FOLDER`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from utils.command_line import guarded, to_stderr
from utils.finetuning.adapters import refuse_other_files, save_adapter
from utils.finetuning.distributed import process_group, rank
from utils.finetuning.early_stopping import EarlyStopping, mean_loss
from utils.finetuning.examples import read_training_examples
from utils.finetuning.loop import DivergedError
from utils.finetuning.lora import train_lora
from utils.finetuning.plan import LoraPlan, Precision
from utils.models import load_generator


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains and saves; returns the exit status.  A CourseError becomes one line on stderr and status 1."""
    options = _parser().parse_args(arguments)
    with process_group():
        return guarded(lambda: _train(options), say=_say_once)


def _say_once(line: str) -> None:
    if rank() == 0:  # every process has the same error
        to_stderr(line)


def _train(options: argparse.Namespace) -> None:
    plan = LoraPlan(
        options.rank,
        2 * options.rank if options.alpha is None else options.alpha,
        options.learning_rate,
        options.epochs,
        options.batch_size,
        options.seed,
        options.dtype,
    )
    refuse_other_files(options.out)
    examples = read_training_examples(options.examples)
    stopping = _early_stopping(options)
    base = load_generator(options.model)
    try:
        tuned, losses = train_lora(base, examples, plan, checkpoint=options.checkpoint, stopping=stopping)
    except DivergedError as problem:
        if rank() == 0:
            save_adapter(problem.tuned, base, options.out, examples)
        raise
    if rank() == 0:
        save_adapter(tuned, base, options.out, examples)
        print(f"{len(losses)} steps, loss {losses[0]:.3f} to {losses[-1]:.3f}; the adapter is in {options.out}.")


def _early_stopping(options: argparse.Namespace) -> EarlyStopping | None:
    if not options.dev:
        return None
    dev = read_training_examples(options.dev)
    return EarlyStopping(lambda tuned: -mean_loss(tuned, dev), options.patience, dev)


def _parser() -> argparse.ArgumentParser:
    usual = LoraPlan()
    parser = argparse.ArgumentParser(prog="python -m utils.finetuning", description="Trains a LoRA adapter.")
    parser.add_argument("examples", type=Path, help="JSONL: messages and completion on each line")
    parser.add_argument("--out", type=Path, required=True, help="folder for the adapter")
    parser.add_argument("--model", help="folder or Hugging Face id of the base; the course's own if none is named")
    parser.add_argument("--checkpoint", type=Path, help="folder that keeps the run, so that it goes on after a kill")
    parser.add_argument("--dev", type=Path, help="JSONL: training stops when the loss on it no longer falls")
    parser.add_argument("--patience", type=int, default=1, help="epochs without a better loss on --dev")
    parser.add_argument("--rank", type=int, default=usual.rank)
    parser.add_argument("--alpha", type=int, help="twice the rank if not given")
    parser.add_argument("--learning-rate", type=float, default=usual.learning_rate)
    parser.add_argument("--epochs", type=int, default=usual.epochs)
    parser.add_argument("--batch-size", type=int, default=usual.batch_size, help="over all processes")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--dtype", choices=get_args(Precision), default=usual.dtype, help="of matrix products")
    return parser


if __name__ == "__main__":
    sys.exit(main())
